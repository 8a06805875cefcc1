// Sink: a target that takes RowBlocks. SinkWriter: one connection, or one page-writing thread.
//
//   open_sink ─► facts ─► (make_plan) ─► prepare ─► open_writer × N ─► write* ─► finish ─► publish
//                                                                    └─► abort        └─► abandon
//
// Nothing of the load is visible in the target before publish() returns ok. A destructor aborts
// what was not finished and abandons what was not published: a staging table or temporary file is
// removed, the target is as before.
//
// Threads: a Sink is used by one thread; each SinkWriter by one thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "encode/row_block.h"
#include "headrace/check.h"
#include "headrace/facts.h"
#include "headrace/gc.h"
#include "headrace/plan.h"
#include "headrace/request.h"
#include "headrace/result.h"

namespace headrace {

class TableSums;

class SinkWriter {
 public:
  virtual ~SinkWriter() = default;

  // Takes the rows of `block`; the block may be reused when this returns.
  virtual Status write(const RowBlock& block) = 0;

  // Called once after the last block; zero blocks is a valid load. After an error only abort() is.
  virtual Status finish() = 0;

  // Ends the writer without a trace of its rows. `reason` is told to the server where there is one.
  virtual void abort(const std::string& reason) noexcept = 0;
};

// What publishing cost, and where the rows are.
struct PublishStats {
  double commit_seconds = 0;
  double index_seconds = 0;
  double index_seconds_in_verify = 0;  // of them, those that passed in verify()
  double analyze_seconds = 0;
  double lock_seconds = 0;
  int64_t wal_bytes = -1;
  int64_t bytes_sent = 0;    // by all writers
  int64_t rows_dropped = 0;  // written, and left out by the publishing
  std::vector<std::string> files;
  std::vector<std::string> warnings;
};

class Sink {
 public:
  virtual ~Sink() = default;

  virtual Result<SinkFacts> facts() = 0;

  // The statements that prepare() and publish() will run for this plan, for people to read.
  virtual std::vector<std::string> ddl(const Plan&) const { return {}; }

  // Makes what the writers write into: staging table, temporary file. `load_id` names it.
  virtual Status prepare(const Plan& plan, const std::string& load_id) = 0;

  // index in [0, plan.workers). May be called from the writer's own thread, concurrently.
  virtual Result<std::unique_ptr<SinkWriter>> open_writer(int index) = 0;

  // Between the last finish() and publish(): fails with kVerification unless what is about to be
  // published holds the rows whose sums are `loaded`. `level` is not kNone.
  virtual Status verify(VerifyLevel level, const TableSums& loaded);

  // Adds all rows of the table, as the plan's columns, to *sums. REQUIRES: facts() found the table,
  // and prepare() was not called.
  virtual Status scan(const Plan& plan, const std::atomic<bool>* cancel, TableSums* sums);

  // Makes the rows of all finished writers visible at once.
  virtual Result<PublishStats> publish() = 0;

  // Undoes prepare(). Safe to call at any time, and more than once.
  virtual void abandon() noexcept = 0;
};

// Opens request.target by its words (sinks.cc). For a server this connects.
Result<std::unique_ptr<Sink>> open_sink(const LoadRequest& request);

// One entry per kind of target (sinks.cc lists them).
struct SinkKind {
  const char* name;
  bool (*recognises)(const std::string& target);
  Result<std::unique_ptr<Sink>> (*open)(const LoadRequest& request);
  // Adds findings and sets server_kind, table, and best_method with its reason, as if ready.
  // nullptr: there is nothing to look at.
  Status (*check)(const std::string& target, const std::string& table, Readiness* out) = nullptr;
  // Adds leftovers and sets target. nullptr: its loads leave nothing behind.
  Status (*gc)(const GcRequest& request, GcReport* out) = nullptr;
};

// The kind that `target` names. Fails with kUsage.
Result<const SinkKind*> find_sink_kind(const std::string& target);

}  // namespace headrace
