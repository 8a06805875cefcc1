// ApiWriter: rows through SQLite itself, by prepared INSERTs of several rows each. It serves every
// table that SQLite knows, and is what the page writer's files are compared with.
//
// The cells of a RowBlock are decoded and bound in place; their rowids are left to SQLite. The
// transaction is the sink's. Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "headrace/plan.h"
#include "sink/sink.h"
#include "sink/sqlite/connection.h"

namespace headrace {

class ApiWriter : public SinkWriter {
 public:
  // `db` is inside a transaction and has the table. Adds the bytes of its blocks to `bytes`.
  // Both must outlive the writer.
  static Result<std::unique_ptr<SinkWriter>> open(Connection* db, const Plan& plan, int64_t* bytes);

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  ApiWriter(Connection* db, const Plan& plan, int64_t* bytes)
      : db_(db),
        table_(plan.table),
        columns_(static_cast<int>(plan.columns.size())),
        bytes_(bytes) {}

  // Inserts rows [first, first + count) by `insert`, which takes `count` rows.
  Status insert(Statement& insert, const RowBlock& block, uint32_t first, int count);
  Status bind_row(Statement& insert, const RowBlock& block, uint32_t row, int first_parameter);
  Status find_refused_row(const RowBlock& block, uint32_t first, int count, Error error);
  Error located(Error error, const RowBlock& block, uint32_t row) const;

  Connection* db_;
  std::string table_;
  int columns_;
  int64_t* bytes_;
  int rows_a_statement_ = 1;
  Statement insert_many_;
  Statement insert_one_;
};

}  // namespace headrace
