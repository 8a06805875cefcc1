// Integers and decimals into PostgreSQL's numeric: every source whose values are an integer and a
// scale. The server rounds to numeric(p,s) without a word, so what does not fit is rejected here.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "encode/codec_helpers.h"
#include "encode/format/decimal_text.h"
#include "encode/format/numeric_base10000.h"
#include "encode/format/wide_integer.h"

namespace headrace {

// numeric(p,s) as a type modifier: p << 16 | s in 11 bits, plus 4. -1: any precision.
struct NumericTypmod {
  int precision = -1;
  int scale = 0;
};
NumericTypmod read_numeric_typmod(int32_t typmod);
int32_t numeric_typmod(int precision, int scale);

// Which unscaled values of a source with `scale` decimals a target holds.
struct NumericLimits {
  static constexpr int kNoLimit = 1000;

  int digits = kNoLimit;  // |v| < 10^digits; negative: only 0
  int zeros = 0;          // and v is a multiple of 10^zeros
  WideInteger bound;      // 10^digits; 0: no limit within 256 bits
  // Every magnitude up to this is held, and stays within 64 bits when aligned.
  uint64_t small_max = 0;
  NumericTypmod target;

  NumericLimits() = default;
  NumericLimits(int scale, NumericTypmod target_typmod, uint64_t align);

  bool holds(const WideInteger& v) const;
};

// The value as every digit of it, for messages.
std::string decimal_string(const WideInteger& v, int scale);

// The value as an integer, when it is one that int64 holds.
bool to_integer(WideInteger v, int scale, int64_t* out);

// Why numeric(p,s) does not hold the value.
std::string explain_numeric(const WideInteger& v, int scale, const NumericLimits& limits);

inline uint64_t magnitude_of(int64_t v) {
  const auto sign = static_cast<uint64_t>(v >> 63);  // without a branch: signs come in any order
  return (static_cast<uint64_t>(v) ^ sign) - sign;
}

// numeric in COPY TEXT.
template <typename T>
struct NumericText {
  using Value = T;
  static constexpr uint32_t kShared = 0;
  int scale;
  NumericLimits limits;

  uint32_t measure(T v) const {
    const WideInteger wide = widen(v);
    return limits.holds(wide) ? decimal_text_bytes(wide, scale) : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    return reinterpret_cast<uint8_t*>(put_decimal(reinterpret_cast<char*>(out), widen(v), scale));
  }
  std::string explain(T v) const { return explain_numeric(widen(v), scale, limits); }
};

// numeric in COPY BINARY. measure makes the whole field, write only copies it; the few that are
// larger than a slot are made again.
template <typename T>
class NumericCodec final : public Codec {
 public:
  NumericCodec(const numeric::Layout& layout, const NumericLimits& limits)
      : small_(layout), limits_(limits) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const T* values = FixedReader<T>(column).values + rows.begin;
    null_free_ = is_null_free(column, rows);
    if (null_free_ && all_tiny(values, rows)) {
      measure_tiny(values, rows, cells);
    } else if (null_free_) {
      measure_fields(values, rows, [](int) { return false; }, cells, rejects);
    } else {
      const auto is_null = [&](int i) { return column.is_null(rows.begin + i); };
      measure_fields(values, rows, is_null, cells, rejects);
    }
    return kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
             uint8_t** cursors) override {
    const T* values = FixedReader<T>(column).values + rows.begin;
    for (int i = 0; i < rows.count; ++i) {
      const uint32_t n = cells[i];
      if (n <= numeric::kSmallBytes && (null_free_ || n != kNull)) [[likely]] {
        cursors[i] = numeric::copy_small(cursors[i], fields_[i], n);
      } else if (n == kNull) {
        cursors[i] = pg_binary::Cells::put_null(cursors[i]);
      } else {
        cursors[i] += numeric::put_wide(cursors[i], widen(values[i]), small_.layout);
      }
    }
  }

 private:
  static constexpr uint32_t kNull = pg_binary::Cells::kNull;

  // Whether every value is held and has two base-10000 digits at most: prices, quantities, rates.
  bool all_tiny(const T* values, RowSpan rows) const {
    uint64_t bits = 0;  // no magnitude is above bits + 1
    bool all = true;
    for (int i = 0; i < rows.count; ++i) {
      __builtin_prefetch(values + i + kMaxSpanRows);  // of the next span: it lies on another page
      int64_t small;
      all &= narrow(values[i], &small);
      bits |= static_cast<uint64_t>(small ^ (small >> 63));
    }
    return all && bits < limits_.small_max && bits < numeric::kTinyEnd / small_.layout.align - 1;
  }

  void measure_tiny(const T* values, RowSpan rows, uint32_t* cells) {
    const auto align = static_cast<uint32_t>(small_.layout.align);
    for (int i = 0; i < rows.count; ++i) {
      int64_t small = 0;
      narrow(values[i], &small);
      const auto magnitude = static_cast<uint32_t>(magnitude_of(small));
      cells[i] = numeric::put_tiny(fields_[i], magnitude * align, small < 0, small_);
    }
  }

  template <typename IsNull>
  void measure_fields(const T* values, RowSpan rows, IsNull is_null, uint32_t* cells,
                      Rejects& rejects) {
    const uint64_t max = limits_.small_max;
    const uint64_t align = small_.layout.align;
    for (int i = 0; i < rows.count; ++i) {
      int64_t small;
      uint64_t magnitude;
      if (is_null(i)) {
        cells[i] = kNull;
      } else if (narrow(values[i], &small) && (magnitude = magnitude_of(small)) <= max) [[likely]] {
        cells[i] = numeric::put_small(fields_[i], magnitude * align, small < 0, small_);
      } else {
        cells[i] = measure_wide(values[i], rows.begin + i, i, rejects);
      }
    }
  }

  [[gnu::noinline]] uint32_t measure_wide(const T& v, int64_t row, int i, Rejects& rejects) {
    const WideInteger wide = widen(v);
    if (!limits_.holds(wide)) {
      rejects.push_back({row, explain_numeric(wide, small_.layout.scale, limits_)});
      return kNull;
    }
    uint8_t field[numeric::kMaxBytes];
    const uint32_t n = numeric::put_wide(field, wide, small_.layout);
    if (n <= numeric::kSmallBytes) std::memcpy(fields_[i], field, n);
    return n;
  }

  numeric::SmallFields small_;
  NumericLimits limits_;
  bool null_free_ = false;
  alignas(8) uint8_t fields_[kMaxSpanRows][numeric::kRoomBytes];
};

// REQUIRES: is_numeric_scale(scale).
template <typename Reader>
std::unique_ptr<Codec> make_numeric_target(int scale, const TargetType& target, RowFormat format) {
  using T = typename Reader::Value;
  const NumericTypmod typmod = read_numeric_typmod(target.typmod);
  numeric::Layout layout = numeric::make_layout(scale);
  // As the server shows it: with the decimals of the target.
  if (typmod.precision >= 0) layout.dscale = static_cast<uint16_t>(std::max(typmod.scale, 0));
  const NumericLimits limits(scale, typmod, layout.align);
  if (format == RowFormat::kPgBinary) return std::make_unique<NumericCodec<T>>(layout, limits);
  return column_codec<Reader, text::Cells>(NumericText<T>{scale, limits});
}

// PostgreSQL's numeric ends at 131072 digits before and 16383 after the point.
constexpr bool is_numeric_scale(int scale) { return scale >= -100000 && scale <= 16383; }

}  // namespace headrace
