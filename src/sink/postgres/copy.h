// CopyWriter: RowBlocks through COPY FROM STDIN, in binary or text.
//
// A row that the server refuses is reported with its row of the source and its column.
//
// Scope single: the writer borrows the sink's connection, whose transaction the sink commits.
// Scope swap: the writer has a connection and a transaction of its own, which finish() commits into
// the staging table; then the connection goes to the pool.
//
// A writer belongs to one thread; CopyTotals is shared by all writers of a sink, which outlives
// them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/copy_stream.h"
#include "sink/postgres/pool.h"
#include "sink/sink.h"

namespace headrace {

struct CopyTotals {
  std::atomic<int64_t> bytes_sent{0};
  std::atomic<int64_t> rows_sent{0};
  std::atomic<int64_t> rows_stored{0};  // as the server counted them
  std::atomic<int> opened{0};
  std::atomic<int> finished{0};
};

struct CopyJob {
  std::string schema;
  std::string table;   // as the server names it in CONTEXT
  std::string target;  // as errors name it: the same, or the table that a staging table stands for
  std::vector<ColumnPlan> columns;
  RowFormat format = RowFormat::kPgBinary;
  bool freeze = false;
};

// Statements after BEGIN of every transaction that a COPY runs in. Text values are read with our
// styles; no notices (copy_stream.h); the server must not end the session while the source is slow.
std::string begin_copy_transaction();

class CopyWriter final : public SinkWriter {
 public:
  // Scope single. The transaction is open.
  static Result<std::unique_ptr<CopyWriter>> borrow(Connection& connection, CopyJob job,
                                                    CopyTotals& totals);
  // Scope swap.
  static Result<std::unique_ptr<CopyWriter>> own(ConnectionPool& pool, CopyJob job,
                                                 CopyTotals& totals);

  ~CopyWriter() override;

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  // Rows of this COPY from `first_line` on, until the next mark, and where they come from.
  struct Mark {
    int64_t first_line;  // 1-based
    int64_t partition;
    int64_t partition_row;  // 0-based
  };

  CopyWriter(std::unique_ptr<Connection> owned, Connection& connection, CopyJob job,
             CopyTotals& totals, ConnectionPool* pool);
  Status begin();
  void mark(const RowBlock& block);
  Error located(Error error) const;

  std::unique_ptr<Connection> owned_;  // scope swap
  Connection& connection_;
  CopyJob job_;
  CopyTotals& totals_;
  ConnectionPool* pool_;  // scope swap
  CopyStream stream_;
  std::vector<Mark> marks_;
  int64_t rows_ = 0;
  bool done_ = false;
};

}  // namespace headrace
