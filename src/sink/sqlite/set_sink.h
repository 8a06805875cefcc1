// The SQLite target in layouts partitioned and optimized: a set of files (set_manifest.h), or the
// one file that layout optimized takes for few rows, which is then a SqliteSink's.
//
//   prepare   locks the set by the temporary manifest
//   writers   fill files of temporary names, page by page
//   publish   completes and syncs them, renames them, the script, and the manifest last; then files
//             that no longer belong to the set are removed
//
// A load that fails before the manifest's rename removes what it made; one that is killed leaves
// temporary files, and perhaps files of a generation that no manifest names: headrace gc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "sink/sink.h"
#include "sink/sqlite/set_manifest.h"
#include "sink/sqlite/set_router.h"
#include "sink/sqlite/sqlite_sink.h"
#include "sink/sqlite/temporary_file.h"

namespace headrace {

class SqliteSetSink : public Sink {
 public:
  // Whether the request asks for a set, or its table is one.
  // `path`: a folder, in which the set is, or the path of the one file, beside which it is.
  static bool is_for(const LoadRequest& request, const std::string& path);
  static Result<std::unique_ptr<Sink>> open(const LoadRequest& request, const std::string& path,
                                            int busy_timeout_ms);
  ~SqliteSetSink() override;

  Result<SinkFacts> facts() override;
  std::vector<std::string> ddl(const Plan& plan) const override;
  Status prepare(const Plan& plan, const std::string& load_id) override;
  Result<std::unique_ptr<SinkWriter>> open_writer(int index) override;
  Status verify(VerifyLevel level, const TableSums& loaded) override;
  Status scan(const Plan& plan, const std::atomic<bool>* cancel, TableSums* sums) override;
  Result<PublishStats> publish() override;
  void abandon() noexcept override;

 private:
  SqliteSetSink(const LoadRequest& request, SetPlace place, std::string single_path,
                int busy_timeout_ms);
  SinkFacts new_set_facts() const;
  Status prepare_set(const Plan& plan, const std::string& load_id);
  Status check_columns() const;
  Result<std::unique_ptr<SetFile>> make_file(int64_t number) const;
  Status complete_files();
  Status describe_files();
  Status publish_set(PublishStats* stats);
  Status rename_files();
  void take_back_files() noexcept;
  void remove_replaced_files(PublishStats* stats) const;
  void remove_set(PublishStats* stats) const;
  void remove_single_file(PublishStats* stats) const;

  const std::string target_;
  const std::string ledger_id_;
  const bool may_be_single_;  // layout optimized
  const bool replaces_;
  const int busy_timeout_ms_;
  const SetPlace place_;
  const std::string single_path_;
  SqliteSink single_;  // the one file
  SetManifest old_;
  bool single_has_table_ = false;

  Plan plan_;
  std::string load_id_;
  bool prepared_ = false;
  SetManifest new_;
  TemporaryFile manifest_file_;
  std::unique_ptr<SetRouter> router_;
  bool complete_ = false;
  std::vector<std::string> renamed_;  // paths
};

}  // namespace headrace
