// ApiWriter: rows through SQLite itself, a block a statement: INSERT ... SELECT from the block seen
// as a table (row_source.h). It serves every table that SQLite knows, and is what the page writer's
// files are compared with. Against prepared INSERTs of 20 rows it takes a seventh fewer instructions
// (callgrind, lineitem: 6,070 instead of 7,070 a row).
//
// Rowids are left to SQLite. The transaction is the sink's. Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "headrace/plan.h"
#include "sink/sink.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/row_source.h"

namespace headrace {

// What a writer has done; the sink's.
struct ApiTotals {
  int64_t bytes = 0;
  int64_t rows = 0;
};

class ApiWriter : public SinkWriter {
 public:
  // `db` is inside a transaction and has the table; `stage`, unless empty, is the staging table that
  // takes the rows with their numbers (merge.h). Both and `totals` outlive the writer.
  static Result<std::unique_ptr<SinkWriter>> open(Connection* db, const Plan& plan,
                                                  const std::string& stage, ApiTotals* totals);

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  ApiWriter(Connection* db, const Plan& plan, ApiTotals* totals)
      : db_(db), table_(plan.table), totals_(totals) {}

  Status insert(const RowBlock& block, uint32_t first, uint32_t end);
  Error located(Error error, const RowBlock& block, uint32_t row) const;

  Connection* db_;
  std::string table_;
  ApiTotals* totals_;
  bool has_triggers_ = false;
  std::unique_ptr<RowSource> source_;
  Statement insert_;
};

}  // namespace headrace
