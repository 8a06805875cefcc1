// Keys of index entries as bytes that memcmp() orders as SQLite orders the values: NULL < numbers
// (integers and reals compared exactly) < text (BINARY) < blob, column after column, then rowid.
// So sorting, merging and finding duplicates know nothing of types.
//
//   key     = value of each column | rowid, as a number | row's number, 8 (if not the rowid)
//   NULL      05
//   number    tag | magnitude, big-endian, in the fewest bytes | fraction
//     tag       21+n positive of n bytes, 21 zero, 20 negative below 1, 20-n negative of n bytes;
//               2A and 17: beyond 64 bits, followed by the 8 bytes of the double
//     fraction  only if there is one: FF | the 8 bytes of the double v - trunc(v)
//             of a negative number all bytes after the tag are inverted
//   text      40 | bytes, 00 as 00 FF | 00 01
//   blob      50 | likewise
//
// No value's bytes begin another's, so keys are equal in their first columns exactly when those
// bytes are. FF and 00 are no tags: they tell a fraction from the next column.
//
// An index record is made from the key alone: a number without fraction is stored as an integer, as
// SQLite does in a column of REAL affinity.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "sink/sqlite/index_runs.h"

namespace headrace {

// Makes the keys of one index from the cells of its table.
class IndexKeyMaker {
 public:
  static constexpr int kRowid = -1;

  // `columns`: of the table's record, in the order of the index, each once; kRowid: the rowid
  // itself. `with_row_number`: the rowid is not the row's number.
  IndexKeyMaker(std::vector<int> columns, bool with_row_number);

  // Adds the key of the row in `cell`. `row_number`: 0-based, over the whole load.
  void add(const uint8_t* cell, int64_t row_number, KeyRun* run);
  // The same, as a short key where that is possible.
  void add(const uint8_t* cell, int64_t row_number, IndexRuns* runs, IndexRun* run);

 private:
  // Finds the values of the row; returns how many bytes its key may need.
  size_t read_values(const uint8_t* cell, int64_t* rowid);
  uint8_t* put_columns(int64_t rowid, uint8_t* out) const;
  struct Value {
    uint64_t serial = 0;
    const uint8_t* body = nullptr;
  };

  std::vector<int> columns_;
  int last_column_ = -1;  // the last one of the record that is needed
  bool with_row_number_;
  size_t fixed_bytes_;  // of a key, beside those of texts and blobs
  std::vector<Value> values_;  // of the record, up to last_column_
};

// What a key says when it is read back.
class IndexKeyReader {
 public:
  IndexKeyReader(int columns, bool with_row_number);

  // Makes the index record of a key, which lives until the next call.
  void read(const uint8_t* key, size_t bytes);
  // The same of a short key's columns and rowid.
  void read(const uint8_t* columns, size_t bytes, int64_t rowid);

  const Buffer& record() const { return record_; }
  // Where each column of the key ends.
  const std::vector<uint32_t>& ends() const { return ends_; }
  bool has_null() const { return has_null_; }
  int64_t row_number() const { return row_number_; }

  // The values as a person writes them: "('a', 5)".
  static std::string shown(const uint8_t* key, size_t bytes, int columns);

 private:
  const uint8_t* read_columns(const uint8_t* key, const uint8_t* end);
  void read_rowid(int64_t rowid);
  void make_record();

  int columns_;
  bool with_row_number_;
  uint32_t type_bytes_ = 0;
  std::vector<uint32_t> ends_;
  std::vector<uint64_t> serials_;
  Buffer body_;
  Buffer record_;
  bool has_null_ = false;
  int64_t row_number_ = 0;
};

// Appends one value, by its serial type and body. `out` has room for 2 * its bytes + 18.
uint8_t* put_key_value(uint64_t serial, const uint8_t* body, uint8_t* out);
uint8_t* put_key_integer(int64_t value, uint8_t* out);

}  // namespace headrace
