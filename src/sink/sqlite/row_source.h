// RowSource: the rows of a RowBlock as a table that SQL can select from, so that one statement
// takes a whole block: no parameter is bound, no value copied before SQLite makes its record.
//
//   INSERT INTO t (a, b) SELECT c0, c1 FROM sqlite_headrace_rows
//
// A virtual table of this connection alone; nothing of it is in the file, and no table of a user can
// have its name. Columns are c0, c1, ...; the rowid is that of the cell: the row's number in the
// source, 1-based. Belongs to the connection's thread, and outlives its statements.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "encode/row_block.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"

namespace headrace {

class RowSource {
 public:
  static constexpr char kTable[] = "sqlite_headrace_rows";

  // Adds the table to `db`.
  static Result<std::unique_ptr<RowSource>> attach(Connection* db, int columns);

  // The table's rows from now on: [first, end) of `block`, which stays as it is meanwhile.
  void set(const RowBlock* block, uint32_t first, uint32_t end);

  // The row of the block that was handed out last.
  uint32_t row() const { return row_; }
  // "c0, c1, c2"
  std::string column_list() const;

 private:
  friend struct RowSourceModule;
  explicit RowSource(int columns) : columns_(columns), values_(static_cast<size_t>(columns)) {}

  struct Value {
    uint64_t serial = 0;
    const uint8_t* body = nullptr;
  };
  // Reads the record of `row_`; false when it is not one of columns_ values.
  bool decode();

  const int columns_;
  std::vector<Value> values_;  // of row_
  const RowBlock* block_ = nullptr;
  uint32_t first_ = 0;
  uint32_t end_ = 0;
  uint32_t row_ = 0;
  int64_t rowid_ = 0;
};

}  // namespace headrace
