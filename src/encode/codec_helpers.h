// The loops of a codec. A type author writes one conversion:
//
//   struct Int8 {                                            // pg_binary: int64 -> int8
//     using Value = int64_t;
//     static constexpr uint32_t kShared = 8;                 // bytes of every value; 0: they differ
//     uint32_t measure(int64_t v) const { return 8; }        // or kRejectedCell
//     uint8_t* put(uint8_t* out, int64_t v, uint32_t n) const { store_be64(out, v); return out + 8; }
//     std::string explain(int64_t v) const { return ""; }    // why measure rejected v
//   };
//
// and gets a Codec: ColumnCodec<FixedReader<int64_t>, Int8, pg_binary::Cells>.
// In sqlite_record, measure gives and put takes a serial type instead of a byte count, and kShared
// is a serial type.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "encode/codec.h"
#include "encode/format/pg_binary.h"
#include "encode/format/sqlite_record.h"
#include "encode/format/text.h"

namespace headrace {

template <typename Reader, typename Convert, typename Cells>
class ColumnCodec final : public Codec {
 public:
  explicit ColumnCodec(Convert convert = {}) : convert_(std::move(convert)) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const Reader values(column);
    if (column.validity == nullptr) {
      if constexpr (Convert::kShared != 0) return Cells::from_bytes(Convert::kShared);
      for (int i = 0; i < rows.count; ++i) {
        cells[i] = measure_one(values[rows.begin + i], rows.begin + i, rejects);
      }
      return kCellsDiffer;
    }
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      if (column.is_null(row)) {
        cells[i] = Cells::kNull;
      } else if constexpr (Convert::kShared != 0) {
        cells[i] = Cells::from_bytes(Convert::kShared);
      } else {
        cells[i] = measure_one(values[row], row, rejects);
      }
    }
    return kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
             uint8_t** cursors) override {
    const Reader values(column);
    if (column.validity == nullptr) {
      for (int i = 0; i < rows.count; ++i) {
        const uint32_t n =
            Convert::kShared != 0 ? uint32_t{Convert::kShared} : Cells::bytes(cells[i]);
        uint8_t* at = Cells::open(cursors[i], n);
        cursors[i] = Cells::close(convert_.put(at, values[rows.begin + i], n));
      }
      return;
    }
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      if (column.is_null(row)) {
        cursors[i] = Cells::put_null(cursors[i]);
        continue;
      }
      const uint32_t n =
          Convert::kShared != 0 ? uint32_t{Convert::kShared} : Cells::bytes(cells[i]);
      uint8_t* at = Cells::open(cursors[i], n);
      cursors[i] = Cells::close(convert_.put(at, values[row], n));
    }
  }

 private:
  uint32_t measure_one(typename Reader::Value value, int64_t row, Rejects& rejects) const {
    const uint32_t n = convert_.measure(value);
    if (n == kRejectedCell) [[unlikely]] {
      rejects.push_back({row, convert_.explain(value)});
      return Cells::kNull;
    }
    return Cells::from_bytes(n);
  }

  Convert convert_;
};

// A codec for one format out of three conversions of the same source values.
template <typename Reader, typename Cells, typename Convert>
std::unique_ptr<Codec> column_codec(Convert convert = {}) {
  return std::make_unique<ColumnCodec<Reader, Convert, Cells>>(std::move(convert));
}

// Copies n bytes; short values, the usual ones, without a call.
inline uint8_t* put_bytes(uint8_t* out, const char* in, size_t n) {
  if (n <= 16) {
    if (n >= 8) {
      uint64_t head, tail;
      std::memcpy(&head, in, 8);
      std::memcpy(&tail, in + n - 8, 8);
      std::memcpy(out, &head, 8);
      std::memcpy(out + n - 8, &tail, 8);
    } else if (n >= 4) {
      uint32_t head, tail;
      std::memcpy(&head, in, 4);
      std::memcpy(&tail, in + n - 4, 4);
      std::memcpy(out, &head, 4);
      std::memcpy(out + n - 4, &tail, 4);
    } else if (n > 0) {
      out[0] = static_cast<uint8_t>(in[0]);
      out[n / 2] = static_cast<uint8_t>(in[n / 2]);
      out[n - 1] = static_cast<uint8_t>(in[n - 1]);
    }
    return out + n;
  }
  if (n <= 64) {
    std::memcpy(out, in, 16);
    if (n > 32) {
      std::memcpy(out + 16, in + 16, 16);
      std::memcpy(out + n - 32, in + n - 32, 16);
    }
    std::memcpy(out + n - 16, in + n - 16, 16);
    return out + n;
  }
  std::memcpy(out, in, n);
  return out + n;
}

// A conversion to text that fits a small buffer: Format::format(char* out, Value) -> end, at most
// Format::kMaxBytes. One struct serves text and sqlite_record, which differ in what a cell is.
template <typename Format, bool kSqlite>
struct FormattedText {
  using Value = typename Format::Value;
  static constexpr uint32_t kShared = 0;
  Format format;

  uint32_t measure(Value v) const {
    char scratch[Format::kMaxBytes];
    const auto bytes = static_cast<uint32_t>(format.format(scratch, v) - scratch);
    return kSqlite ? sqlite_record::serial_of_text(bytes) : bytes;
  }
  uint8_t* put(uint8_t* out, Value v, uint32_t) const {
    return reinterpret_cast<uint8_t*>(format.format(reinterpret_cast<char*>(out), v));
  }
  std::string explain(Value) const { return {}; }
};

}  // namespace headrace
