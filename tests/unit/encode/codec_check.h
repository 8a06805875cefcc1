// Runs a codec over values as an encoder would, and checks its contract on the way: what measure
// said is what write wrote, nothing is written past a cell (or past the room after it), sliced
// arrays give the same, a span may be written in part.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "encode/codec.h"
#include "encode/column_view.h"
#include "encode/format/sqlite_record.h"
#include "support/arrays.h"

namespace headrace::test {

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    out += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

inline std::string unhex(std::string_view digits) {
  std::string out;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return out;
}

inline DataType type_of(const std::string& name) {
  bool ok = false;
  DataType type = parse_type_name(name, &ok);
  EXPECT_TRUE(ok) << name;
  return type;
}

inline DataType dictionary_of(TypeId index, const DataType& value) {
  DataType type;
  type.id = TypeId::kDictionary;
  type.index_id = index;
  type.children.push_back({"", value, true});
  return type;
}

inline TargetType default_target(const DataType& type, Dialect dialect) {
  return find_type_family(type)->default_target(type, dialect);
}

// The cells of all rows, and the reasons of those that were rejected.
struct Encoded {
  // As written; in sqlite_record "serial:hex of the body". Empty for a rejected row.
  std::vector<std::string> cells;
  std::map<int64_t, std::string> rejects;

  bool operator==(const Encoded&) const = default;
};

inline uint32_t cell_bytes(RowFormat format, uint32_t cell) {
  return format == RowFormat::kSqliteRecord ? sqlite_record::body_bytes(cell) : cell;
}

// Measures and writes one span; rejected rows stay unwritten.
class SpanCheck {
 public:
  SpanCheck(Codec& codec, const ColumnView& view, RowFormat format, uint32_t room)
      : codec_(codec), view_(view), format_(format), room_(room) {}

  void run(RowSpan rows, Encoded* out) {
    std::vector<uint32_t> cells(static_cast<size_t>(kMaxSpanRows));
    Rejects rejects;
    const uint32_t shared = codec_.measure(view_, rows, cells.data(), rejects);
    if (!rejects.empty()) return split(rows, rejects, out);
    std::vector<uint32_t> sizes;
    for (int i = 0; i < rows.count; ++i) {
      sizes.push_back(shared == kCellsDiffer ? cells[static_cast<size_t>(i)] : shared);
    }
    // The first rows alone, then all: both from the same measure.
    const int part = rows.count / 2;
    const auto half = write({rows.begin, part}, cells, sizes);
    const auto whole = write(rows, cells, sizes);
    for (int i = 0; i < part; ++i)
      EXPECT_EQ(half[static_cast<size_t>(i)], whole[static_cast<size_t>(i)]);
    for (int i = 0; i < rows.count; ++i) {
      std::string cell = whole[static_cast<size_t>(i)];
      if (format_ == RowFormat::kSqliteRecord) {
        cell = std::to_string(sizes[static_cast<size_t>(i)]) + ":" + hex(cell);
      }
      out->cells[static_cast<size_t>(rows.begin + i)] = cell;
    }
  }

 private:
  void split(RowSpan rows, const Rejects& rejects, Encoded* out) {
    for (const Reject& reject : rejects) {
      EXPECT_FALSE(reject.reason.empty());
      out->rejects[reject.row] = reject.reason;
    }
    for (int64_t row = rows.begin; row < rows.begin + rows.count; ++row) {
      if (!out->rejects.contains(row)) run({row, 1}, out);
    }
  }

  std::vector<std::string> write(RowSpan rows, const std::vector<uint32_t>& cells,
                                 const std::vector<uint32_t>& sizes) {
    constexpr size_t kGuard = 64;
    std::vector<std::vector<uint8_t>> buffers;
    std::vector<uint8_t*> cursors;
    for (int i = 0; i < rows.count; ++i) {
      const size_t bytes = cell_bytes(format_, sizes[static_cast<size_t>(i)]);
      buffers.emplace_back(bytes + kGuard, uint8_t{0xEE});
    }
    for (auto& buffer : buffers) cursors.push_back(buffer.data());
    codec_.set_room(room_);
    codec_.write(view_, rows, cells.data(), cursors.data());
    std::vector<std::string> written;
    for (size_t i = 0; i < buffers.size(); ++i) {
      const size_t bytes = buffers[i].size() - kGuard;
      EXPECT_EQ(cursors[i], buffers[i].data() + bytes)
          << "row " << rows.begin + static_cast<int64_t>(i);
      for (size_t at = bytes + room_; at < buffers[i].size(); ++at) {
        EXPECT_EQ(buffers[i][at], 0xEE) << "written past the cell's room";
      }
      written.emplace_back(reinterpret_cast<const char*>(buffers[i].data()), bytes);
    }
    return written;
  }

  Codec& codec_;
  const ColumnView& view_;
  RowFormat format_;
  uint32_t room_;
};

inline Encoded encode_array(const ArrowArray& array, const DataType& type, const TargetType& target,
                            RowFormat format, const ValueOptions& options = {}, uint32_t room = 0) {
  Encoded out;
  out.cells.resize(static_cast<size_t>(array.length));
  auto view = make_column_view(array, type);
  EXPECT_TRUE(view.ok());
  auto codec = find_type_family(type)->make(type, target, format, options);
  EXPECT_TRUE(codec.ok()) << (codec.ok() ? "" : codec.error().message);
  if (!view.ok() || !codec.ok()) return out;
  (*codec)->bind(*view);
  SpanCheck check(**codec, *view, format, room);
  for (int64_t at = 0; at < array.length; at += kMaxSpanRows) {
    const int64_t left = array.length - at;
    check.run({at, static_cast<int>(left < kMaxSpanRows ? left : kMaxSpanRows)}, &out);
  }
  return out;
}

// Encodes whole and sliced arrays, with and without room; all must agree.
inline Encoded encode(const DataType& type, const TargetType& target, RowFormat format,
                      const std::vector<Raw>& values, const ValueOptions& options = {}) {
  OwnedArray whole(std::make_unique<ArrowArray>(build_array(type, values)).get());
  const Encoded out = encode_array(*whole.get(), type, target, format, options);
  for (const uint32_t room : {1U, 4U, 8U, 16U, 40U, 64U}) {
    EXPECT_EQ(encode_array(*whole.get(), type, target, format, options, room), out)
        << "room " << room;
  }
  for (const size_t offset : {1U, 11U}) {
    std::vector<Raw> longer(offset, values.empty() ? Raw() : values.front());
    longer.insert(longer.end(), values.begin(), values.end());
    longer.push_back(std::nullopt);
    OwnedArray sliced(std::make_unique<ArrowArray>(build_array(type, longer)).get());
    sliced->offset = static_cast<int64_t>(offset);
    sliced->length = static_cast<int64_t>(values.size());
    sliced->null_count = -1;
    EXPECT_EQ(encode_array(*sliced.get(), type, target, format, options), out)
        << "offset " << offset;
  }
  return out;
}

// The one cell of one value.
inline std::string encode_one(const DataType& type, const TargetType& target, RowFormat format,
                              const Raw& value, const ValueOptions& options = {}) {
  const Encoded out = encode(type, target, format, {value}, options);
  return out.rejects.empty() ? out.cells[0] : "rejected: " + out.rejects.begin()->second;
}

inline std::string sqlite_one(const std::string& type_name, const Raw& value) {
  const DataType type = type_of(type_name);
  return encode_one(type, default_target(type, Dialect::kSqlite), RowFormat::kSqliteRecord, value);
}

// "serial:body" of a text in sqlite_record.
inline std::string sqlite_text(std::string_view text) {
  return std::to_string(sqlite_record::serial_of_text(static_cast<uint32_t>(text.size()))) + ":" +
         hex(text);
}

}  // namespace headrace::test
