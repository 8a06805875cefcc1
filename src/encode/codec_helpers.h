// The loops of a codec. A type author writes one conversion:
//
//   struct Int4 {                                            // pg_binary: int64 -> int4
//     using Value = int64_t;
//     static constexpr uint32_t kShared = 4;                 // bytes of every stored value; 0:
//     they differ bool fits(int64_t v) const;                            // false: rejected.
//     Absent: all are stored uint8_t* put(uint8_t* out, int64_t v, uint32_t n) const {
//     store_be32(out, v); return out + 4; } std::string explain(int64_t v) const; // why v is
//     rejected
//   };
//
// and gets a Codec: column_codec<FixedReader<int64_t>, pg_binary::Cells>(Int4{}).
// Values of different size: kShared = 0 and uint32_t measure(v), which gives bytes or
// kRejectedCell. In sqlite_record, measure gives and put takes a serial type instead of a byte
// count, and kShared is a serial type; measure may then give kSerialNull for a value that is stored
// as NULL; a conversion that does so by an option says what it does by change(), as Codec does, and
// the codec counts. A conversion with kRoom also has put_over: put that may write kRoom bytes past
// the end of the cell.
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

// True when bits [begin, begin + count) are all 1.
inline bool all_bits_set(const uint8_t* bits, int64_t begin, int64_t count) {
  const int64_t end = begin + count;
  const auto is_set = [bits](int64_t bit) { return (bits[bit >> 3] >> (bit & 7)) & 1; };
  while (begin < end && (begin & 7) != 0) {
    if (!is_set(begin++)) return false;
  }
  for (; end - begin >= 64; begin += 64) {
    uint64_t word;
    std::memcpy(&word, bits + (begin >> 3), 8);
    if (~word != 0) return false;
  }
  while (begin < end) {
    if (!is_set(begin++)) return false;
  }
  return true;
}

// True when the span holds no NULL: its loops then need no test per row.
inline bool is_null_free(const ColumnView& column, RowSpan rows) {
  return column.validity == nullptr ||
         all_bits_set(column.validity, column.offset + rows.begin, rows.count);
}

// Whether a conversion stores this value; otherwise it explains why not.
template <typename Convert>
bool stores(const Convert& convert, typename Convert::Value v) {
  if constexpr (requires { convert.fits(v); }) {
    return convert.fits(v);
  } else if constexpr (requires { convert.measure(v); }) {
    return convert.measure(v) != kRejectedCell;
  } else {
    return true;
  }
}

template <typename Convert>
std::string explain_reject(const Convert& convert, typename Convert::Value v) {
  if constexpr (requires { convert.explain(v); }) {
    return convert.explain(v);
  } else {
    return {};
  }
}

template <typename Reader, typename Convert, typename Cells>
class ColumnCodec final : public Codec {
 public:
  using Value = typename Reader::Value;

  explicit ColumnCodec(Convert convert = {}) : convert_(std::move(convert)) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const Reader values(column);
    null_free_ = is_null_free(column, rows);
    if constexpr (Convert::kShared != 0) {
      shared_ = null_free_ && all_fit(values, rows);
      if (shared_) return Cells::from_bytes(Convert::kShared);
    }
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      const bool null = !null_free_ && column.is_null(row);
      cells[i] = null ? Cells::kNull : measure_one(values[row], row, rejects);
    }
    return kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
             uint8_t** cursors) override {
    if constexpr (requires { convert_.change(); }) count_nulled(column, rows, cells);
    const Convert convert = convert_;  // a copy: members would be read again after every store
    if constexpr (requires { Convert::kRoom; }) {
      if (room_ >= Convert::kRoom) {
        write_rows(column, rows, cells, cursors,
                   [&](uint8_t* at, Value v, uint32_t n) { return convert.put_over(at, v, n); });
        return;
      }
    }
    write_rows(column, rows, cells, cursors,
               [&](uint8_t* at, Value v, uint32_t n) { return convert.put(at, v, n); });
  }

  const char* change() const override {
    if constexpr (requires { convert_.change(); }) {
      return convert_.change();
    } else {
      return nullptr;
    }
  }

 private:
  // Values that are stored as NULL.
  void count_nulled(const ColumnView& column, RowSpan rows, const uint32_t* cells) {
    if (shared_ || convert_.change() == nullptr) return;
    for (int i = 0; i < rows.count; ++i) {
      changed_ += cells[i] == Cells::kNull && (null_free_ || !column.is_null(rows.begin + i));
    }
  }

  bool all_fit(const Reader& values, RowSpan rows) const {
    if constexpr (requires(Value v) { convert_.fits(v); }) {
      const Convert convert = convert_;
      bool all = true;  // no early exit: this loop becomes vector code
      for (int i = 0; i < rows.count; ++i) all &= convert.fits(values[rows.begin + i]);
      return all;
    } else {
      return true;
    }
  }

  uint32_t measure_one(Value value, int64_t row, Rejects& rejects) const {
    uint32_t n = Convert::kShared;
    if constexpr (requires { convert_.measure(value); }) {
      n = convert_.measure(value);
    } else if (!stores(convert_, value)) {
      n = kRejectedCell;
    }
    if (n == kRejectedCell) [[unlikely]] {
      rejects.push_back({row, explain_reject(convert_, value)});
      return Cells::kNull;
    }
    return Cells::from_bytes(n);
  }

  template <typename Put>
  void write_rows(const ColumnView& column, RowSpan rows, const uint32_t* cells, uint8_t** cursors,
                  Put put) const {
    const Reader values(column);
    const auto put_one = [&](int i, uint32_t n) {
      cursors[i] = Cells::close(put(Cells::open(cursors[i], n), values[rows.begin + i], n));
    };
    if (shared_) {
      for (int i = 0; i < rows.count; ++i) {
        if constexpr (requires { values.values[0]; }) {
          // Of the next span: it lies on another page, where processors do not look by themselves.
          __builtin_prefetch(&values.values[rows.begin + i + kMaxSpanRows]);
        }
        put_one(i, Convert::kShared);
      }
    } else if (null_free_) {
      for (int i = 0; i < rows.count; ++i) put_one(i, Cells::bytes(cells[i]));
    } else {
      for (int i = 0; i < rows.count; ++i) {
        if (column.is_null(rows.begin + i)) {
          cursors[i] = Cells::put_null(cursors[i]);
        } else {
          put_one(i, Cells::bytes(cells[i]));
        }
      }
    }
  }

  Convert convert_;
  // Of the span measured last.
  bool null_free_ = false;
  bool shared_ = false;
};

// A codec for one format.
template <typename Reader, typename Cells, typename Convert>
std::unique_ptr<Codec> column_codec(Convert convert = {}) {
  return std::make_unique<ColumnCodec<Reader, Convert, Cells>>(std::move(convert));
}

// Copies n bytes; short values, the usual ones, without a call and with few branches on n.
inline uint8_t* put_bytes(uint8_t* out, const char* in, size_t n) {
  const auto copy = [&]<typename Word>(Word, size_t at) {
    Word word;
    std::memcpy(&word, in + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
  };
  struct Word16 {
    uint64_t words[2];
  };
  if (n >= 16) {
    if (n > 48) {
      std::memcpy(out, in, n);
      return out + n;
    }
    copy(Word16{}, 0);
    copy(Word16{}, n < 32 ? n - 16 : 16);
    copy(Word16{}, n - 16);
  } else if (n >= 8) {
    copy(uint64_t{}, 0);
    copy(uint64_t{}, n - 8);
  } else if (n >= 4) {
    copy(uint32_t{}, 0);
    copy(uint32_t{}, n - 4);
  } else if (n > 0) {
    out[0] = static_cast<uint8_t>(in[0]);
    out[n / 2] = static_cast<uint8_t>(in[n / 2]);
    out[n - 1] = static_cast<uint8_t>(in[n - 1]);
  }
  return out + n;
}

// The text form of what `Check` stores: Check is a conversion for pg_binary or sqlite_record, and
// decides what is rejected. Format::format(char* out, Value) -> end writes at most kMaxBytes, which
// need no escape.
template <typename Check, typename Format, bool kSqlite>
struct FormattedText {
  using Value = typename Format::Value;
  static constexpr uint32_t kShared = 0;
  Check check;
  Format format;

  uint32_t measure(Value v) const {
    if (!stores(check, v)) return kRejectedCell;
    char scratch[Format::kMaxBytes];
    const auto bytes = static_cast<uint32_t>(format.format(scratch, v) - scratch);
    return kSqlite ? sqlite_record::serial_of_text(bytes) : bytes;
  }
  uint8_t* put(uint8_t* out, Value v, uint32_t) const {
    return reinterpret_cast<uint8_t*>(format.format(reinterpret_cast<char*>(out), v));
  }
  std::string explain(Value v) const { return explain_reject(check, v); }
};

// Stores every value: the Check of a format that has no limits.
template <typename T>
struct AcceptAll {
  using Value = T;
};

template <typename Reader, typename Check, typename Format>
std::unique_ptr<Codec> text_codec(Check check, Format format) {
  return column_codec<Reader, text::Cells>(FormattedText<Check, Format, false>{check, format});
}

template <typename Reader, typename Check, typename Format>
std::unique_ptr<Codec> sqlite_text_codec(Check check, Format format) {
  return column_codec<Reader, sqlite_record::Cells>(
      FormattedText<Check, Format, true>{check, format});
}

}  // namespace headrace
