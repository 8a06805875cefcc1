// TableSums: what two tables are compared by. Each value is hashed; a column's sum is the sum of its
// values' hashes, so the order of rows does not matter, and sums of parts add up. The sum over whole
// rows tells when values stand in the right columns, but beside the wrong ones.
//
// Equal tables have equal sums. Different ones have, but for one chance in 2^64 a column.
//
// Values are hashed as the database keeps them:
//   pg_binary      the bytes of the field
//   sqlite_record  type and value; a number is the same as INTEGER and as REAL, since column affinity
//                  turns one into the other where that loses nothing
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "encode/row_block.h"

namespace headrace {

enum class SumRule : uint8_t {
  kValue,
  kNumbersAsText,  // SQLite: a column of affinity TEXT keeps 7 as '7'
  kRowid,          // SQLite: the record has NULL, the value is the row's rowid
  kNullsOnly,      // the server writes the value in its own way (jsonb): only NULLs are compared
};

class TableSums {
 public:
  struct Column {
    int64_t values = 0;  // that are not NULL
    uint64_t sum = 0;
    bool operator==(const Column&) const = default;
  };

  explicit TableSums(std::vector<SumRule> rules) : rules_(std::move(rules)), columns_(rules_.size()) {}

  int64_t rows() const { return rows_; }
  uint64_t row_sum() const { return row_sum_; }
  const std::vector<Column>& columns() const { return columns_; }
  const std::vector<SumRule>& rules() const { return rules_; }

  // One row, value by value; every row has all columns, in order.
  void add_null(size_t column) { mix(column, kNullHash); }
  void add_integer(size_t column, int64_t value);
  void add_real(size_t column, double value);
  void add_bytes(size_t column, const void* bytes, size_t count, bool is_text);
  void end_row() {
    ++rows_;
    row_sum_ += row_hash_;
    row_hash_ = 0;
  }

  // All rows of a block of sqlite_record cells; of pg_binary tuples, which may begin with the header
  // of a COPY BINARY stream stripped. False when the bytes are not such rows.
  bool add_sqlite_cells(const RowBlock& block);
  bool add_pg_tuples(const uint8_t* bytes, size_t count);

  // Rows whose values are not looked at.
  void add_rows(int64_t count) { rows_ += count; }
  void add(const TableSums& other);
  void subtract(const TableSums& other);  // rows of the other that this one holds
  bool same_as(const TableSums& other) const {
    return rows_ == other.rows_ && columns_ == other.columns_ && row_sum_ == other.row_sum_;
  }

 private:
  static constexpr uint64_t kNullHash = 0x9E3779B97F4A7C15;

  void add_hash(size_t column, uint64_t hash) {
    columns_[column].values += 1;
    if (rules_[column] == SumRule::kNullsOnly) hash = 1;
    columns_[column].sum += hash;
    mix(column, hash);
  }
  void mix(size_t column, uint64_t hash);

  std::vector<SumRule> rules_;
  std::vector<Column> columns_;
  int64_t rows_ = 0;
  uint64_t row_sum_ = 0;
  uint64_t row_hash_ = 0;
};

// "12 rows instead of 13; column a: 3 NULLs instead of 4; column b: other values", or "" when they
// are the same. `names` of the columns; `found` is what there is, `wanted` what there should be.
std::string difference(const TableSums& found, const TableSums& wanted,
                       const std::vector<std::string>& names);

}  // namespace headrace
