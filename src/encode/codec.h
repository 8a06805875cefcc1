// Codec: turns one column into cells of one row format, in two passes over a span of rows.
//
//   measure  gives each row's cell and validates; a value that cannot be stored is rejected here
//   write    puts the bytes at known places; it cannot fail
//
// So errors are known before a byte is written, and a RowBlock never holds half a row.
//
// What a cell is:
//   pg_binary      bytes of the field with its 4-byte length; NULL is 4
//   text           bytes of the field with the delimiter after it; NULL ("\N") is 3
//   sqlite_record  serial type; NULL is 0 (format/sqlite_record.h)
//
// A codec belongs to one thread. It may keep scratch memory between measure and write.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "encode/column_view.h"
#include "headrace/facts.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "headrace/schema.h"

namespace headrace {

// Rows [begin, begin + count) of a column.
struct RowSpan {
  int64_t begin = 0;
  int count = 0;
};

// No span is longer: cells of a span stay in the first-level cache.
inline constexpr int kMaxSpanRows = 256;

// measure() returns this when cells differ between rows.
inline constexpr uint32_t kCellsDiffer = 0xFFFFFFFF;
// A cell of a rejected value, while measuring.
inline constexpr uint32_t kRejectedCell = 0xFFFFFFFE;
// PostgreSQL fields and SQLite values end below 1 GiB.
inline constexpr uint32_t kMaxCellBytes = (1u << 30) - 8192;

struct Reject {
  int64_t row = 0;     // of the column, 0-based
  std::string reason;  // "integer out of range for smallint: 40000"
};
using Rejects = std::vector<Reject>;

class Codec {
 public:
  virtual ~Codec() = default;

  // Called once for every batch, before the first measure of it.
  virtual void bind(const ColumnView&) {}

  // Returns the one cell that all rows share, or fills cells[0, count) and returns kCellsDiffer.
  // A rejected value is appended to `rejects`; its cell does not matter.
  virtual uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                           Rejects& rejects) = 0;

  // Writes row i at cursors[i] and advances cursors[i] past it. `cells` as measure filled them
  // (not filled when measure returned a shared cell). rows.begin is that of the last measure;
  // rows.count may be smaller.
  virtual void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
                     uint8_t** cursors) = 0;

  // For the next write: so many bytes after every cell belong to what is written later, and may be
  // overwritten. A short value is then copied as one word or two, without a branch on its length.
  void set_room(uint32_t bytes) { room_ = bytes; }

  // What an option of ValueOptions lets this codec do to values, and that option, as "promoted to
  // multi (--promote-to-multi)"; nullptr: values are stored as they are.
  virtual const char* change() const { return nullptr; }
  // Values that write() stored so.
  int64_t changed() const { return changed_; }

 protected:
  uint32_t room_ = 0;
  int64_t changed_ = 0;
};

// All that headrace knows of one family of types. One file each in encode/types/.
struct TypeFamily {
  const char* name;
  bool (*handles)(const DataType& type);
  // The declared type in a new table.
  TargetType (*default_target)(const DataType& type, Dialect dialect);
  // Fails with kTypeMismatch when this pair of types has no lossless way.
  Result<std::unique_ptr<Codec>> (*make)(const DataType& type, const TargetType& target,
                                         RowFormat format, const ValueOptions& options);
};

// The registered families, most specific first (codec_registry.cc).
const std::vector<const TypeFamily*>& type_families();

// The family that handles `type`, or nullptr.
const TypeFamily* find_type_family(const DataType& type);

// The error for a pair of types that do not fit.
Error type_mismatch(const DataType& type, const TargetType& target);

}  // namespace headrace
