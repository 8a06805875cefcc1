// Integers and decimals into PostgreSQL's numeric: every source whose values are an integer and a
// scale. The server rounds to numeric(p,s) without a word, so what does not fit is rejected here.
#pragma once

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

  int digits = kNoLimit;       // |v| < 10^digits; negative: only 0
  int zeros = 0;               // and v is a multiple of 10^zeros
  WideInteger bound;           // 10^digits; 0: no limit within 256 bits
  NumericTypmod target;

  // The same for magnitudes of 64 bits that stay so when aligned.
  struct Small {
    uint64_t max = 0;
    uint64_t divisor = 1;
    bool hold(uint64_t magnitude) const {
      return magnitude <= max && (divisor == 1 || magnitude % divisor == 0);
    }
  };
  Small small;

  NumericLimits() = default;
  NumericLimits(int scale, NumericTypmod target_typmod, uint64_t align);

  bool holds(const WideInteger& v) const;
};

// Why numeric(p,s) does not hold the value.
std::string explain_numeric(const WideInteger& v, int scale, const NumericLimits& limits);

inline uint64_t magnitude_of(int64_t v) {
  const auto bits = static_cast<uint64_t>(v);
  return v < 0 ? 0 - bits : bits;
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
template <typename Reader>
class NumericCodec final : public Codec {
 public:
  using T = typename Reader::Value;

  NumericCodec(const numeric::Layout& layout, const NumericLimits& limits)
      : layout_(layout), limits_(limits) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const Reader values(column);
    const numeric::Layout layout = layout_;
    const NumericLimits::Small limits = limits_.small;
    null_free_ = is_null_free(column, rows);
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      if (!null_free_ && column.is_null(row)) {
        cells[i] = pg_binary::Cells::kNull;
        continue;
      }
      const T v = values[row];
      int64_t small;
      uint64_t magnitude;
      if (narrow(v, &small) && limits.hold(magnitude = magnitude_of(small))) [[likely]] {
        cells[i] = numeric::put_small(fields_[i], magnitude * layout.align, small < 0, layout);
      } else {
        cells[i] = measure_wide(v, row, i, rejects);
      }
    }
    return kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
             uint8_t** cursors) override {
    const Reader values(column);
    for (int i = 0; i < rows.count; ++i) {
      const uint32_t n = cells[i];
      if (n <= numeric::kSmallBytes && (null_free_ || n != pg_binary::Cells::kNull)) [[likely]] {
        cursors[i] = numeric::copy_small(cursors[i], fields_[i], n);
      } else if (n == pg_binary::Cells::kNull) {
        cursors[i] = pg_binary::Cells::put_null(cursors[i]);
      } else {
        cursors[i] += numeric::put_wide(cursors[i], widen(values[rows.begin + i]), layout_);
      }
    }
  }

 private:
  uint32_t measure_wide(const T& v, int64_t row, int i, Rejects& rejects) {
    const WideInteger wide = widen(v);
    if (!limits_.holds(wide)) {
      rejects.push_back({row, explain_numeric(wide, layout_.scale, limits_)});
      return pg_binary::Cells::kNull;
    }
    uint8_t field[numeric::kMaxBytes];
    const uint32_t n = numeric::put_wide(field, wide, layout_);
    if (n <= numeric::kSmallBytes) std::memcpy(fields_[i], field, n);
    return n;
  }

  numeric::Layout layout_;
  NumericLimits limits_;
  bool null_free_ = false;
  uint8_t fields_[kMaxSpanRows][numeric::kRoomBytes];
};

// REQUIRES: is_numeric_scale(scale).
template <typename Reader>
std::unique_ptr<Codec> make_numeric_target(int scale, const TargetType& target, RowFormat format) {
  using T = typename Reader::Value;
  const numeric::Layout layout = numeric::make_layout(scale);
  const NumericLimits limits(scale, read_numeric_typmod(target.typmod), layout.align);
  if (format == RowFormat::kPgBinary) return std::make_unique<NumericCodec<Reader>>(layout, limits);
  return column_codec<Reader, text::Cells>(NumericText<T>{scale, limits});
}

// PostgreSQL's numeric ends at 131072 digits before and 16383 after the point.
constexpr bool is_numeric_scale(int scale) { return scale >= -100000 && scale <= 16383; }

}  // namespace headrace
