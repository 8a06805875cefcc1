// InsertBatch: rows of blocks, laid out as the parameters of one INSERT.
//
// A block holds COPY BINARY tuples (encode/format/pg_binary.h). An element of a binary array looks
// as a field of a tuple does, so a column's array is its fields one behind the other:
//
//   OFFSET  SIZE  DESCRIPTION, all big-endian
//   0       4     number of dimensions, 1
//   4       4     1 if an element is NULL, else 0
//   8       4     OID of the element type
//   12      4     number of elements
//   16      4     index of the first element, 1
//   then for each element:
//   20      4     length of the value in bytes; -1 is NULL
//   24      n     the value
// Source: PostgreSQL, array_recv in src/backend/utils/adt/arrayfuncs.c.
//
// In the form kValues the tuples are kept as they are, and parameters point into them.
//
// Memory is kept from batch to batch. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "encode/row_block.h"
#include "sink/postgres/insert_sql.h"

namespace headrace {

// Rows of one partition, one behind the other, numbered as RowBlock::partition_row is.
struct RowRange {
  int64_t partition = 0;
  int64_t first = 0;  // 0-based
  int64_t count = 0;
};

// "row 5,001 (partition 0)", "rows 5,001 to 10,000 (partition 0) and rows 1 to 7 (partition 3)".
std::string range_text(const std::vector<RowRange>& ranges);

// As libpq takes them.
struct InsertParameters {
  int count = 0;
  const uint32_t* types = nullptr;
  const char* const* values = nullptr;
  const int* lengths = nullptr;
  const int* formats = nullptr;
};

// A batch ends at this size whatever its rows, so that wide rows do not make it large.
inline constexpr size_t kMaxBatchBytes = 4 << 20;

class InsertBatch {
 public:
  // REQUIRES: shape outlives the batch, and max_rows > 0. kMaxParameters is respected.
  InsertBatch(const InsertShape& shape, int64_t max_rows);

  // Takes rows of `block` from `row` on until the batch is full; gives the first that it left.
  int64_t take(const RowBlock& block, int64_t row);

  bool empty() const { return rows_ == 0; }
  bool full() const { return rows_ >= max_rows_ || bytes_ >= kMaxBatchBytes; }
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return static_cast<int64_t>(bytes_); }
  const std::vector<RowRange>& ranges() const { return ranges_; }

  // Valid until the next take() or clear(). REQUIRES: not empty().
  InsertParameters parameters();

  void clear();

 private:
  struct Column {
    Buffer array;
    bool has_null = false;
  };
  struct Field {
    uint32_t offset;
    int32_t length;  // -1: NULL
  };

  void add_range(const RowBlock& block, int64_t first, int64_t count);
  void add_to_columns(const uint8_t* field);
  void add_as_values(const uint8_t* row, size_t bytes);

  const InsertShape& shape_;
  const int64_t max_rows_;
  int64_t rows_ = 0;
  size_t bytes_ = 0;
  std::vector<RowRange> ranges_;
  std::vector<Column> columns_;  // kArrays
  Buffer tuples_;                // kValues
  std::vector<Field> fields_;    // kValues
  std::vector<uint32_t> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

}  // namespace headrace
