// Decimals in a SQLite column of numeric affinity: INTEGER when the value is integral, else REAL,
// the double nearest to it. A value of at most 15 digits comes back from that exactly; others are
// rejected.
#pragma once

#include <bit>
#include <cstdlib>
#include <string>

#include "encode/codec_helpers.h"
#include "encode/format/wide_integer.h"
#include "encode/types/numeric_target.h"

#include <fmt/format.h>

namespace headrace {

inline constexpr int kSqliteDigits = 15;  // decimal digits that survive a double
inline constexpr int kExactPower = 22;    // 10^22 is the last power of ten that a double holds

// 10^exponent. REQUIRES: 0 <= exponent <= kExactPower.
inline double exact_power_of_10(int exponent) {
  double power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

// What a decimal becomes: a serial type and its body, from the top of the word down.
struct SqliteNumber {
  uint32_t serial;
  uint64_t body;
};

inline SqliteNumber sqlite_integer(int64_t v) {
  const uint32_t serial = sqlite_record::serial_of_integer(v);
  return {serial, sqlite_record::integer_body(v, serial)};
}

// v / power for |v| < 10^15 and a power of ten that a double holds: dividing two exact doubles
// rounds once, so it gives the nearest double, and that is integral only when the value is.
inline SqliteNumber sqlite_quotient(int64_t v, double power) {
  const double real = static_cast<double>(v) / power;
  const auto integer = static_cast<int64_t>(real);
  if (static_cast<double>(integer) == real) return sqlite_integer(integer);
  return {sqlite_record::kSerialReal, std::bit_cast<uint64_t>(real)};
}

// Makes numbers of the values of one column.
class SqliteDecimalRule {
 public:
  static constexpr uint64_t kMaxMagnitude = 999999999999999ULL;

  SqliteDecimalRule(int scale, bool real_column)
      : scale_(scale),
        max_integer_(real_column ? 1LL << 53 : INT64_MAX),
        power_(scale >= 0 && scale <= kExactPower ? exact_power_of_10(scale) : 0) {}

  // 10^scale; 0: every value goes the long way.
  double power() const { return power_; }

  // Any value; false when it is rejected.
  bool convert(WideInteger v, SqliteNumber* out) const {
    int64_t integer;
    if (to_integer(v, scale_, &integer)) {
      *out = sqlite_integer(integer);
      return magnitude_of(integer) <= static_cast<uint64_t>(max_integer_) || is_lowest(integer);
    }
    int decimals = scale_;
    for (WideInteger next = v; decimals > 0 && next.divide_by(10) == 0; v = next) --decimals;
    if (!v.fits_in_64_bits() || v.limb[0] > kMaxMagnitude || decimals < 0 ||
        decimals > kExactPower) {
      return false;
    }
    const auto magnitude = static_cast<int64_t>(v.limb[0]);
    *out = sqlite_quotient(v.negative ? -magnitude : magnitude, exact_power_of_10(decimals));
    return true;
  }

  std::string explain(const WideInteger& v) const {
    return fmt::format("{} has more than {} digits; a numeric column of SQLite would round it",
                       decimal_string(v, scale_), kSqliteDigits);
  }

 private:
  bool is_lowest(int64_t v) const { return v == INT64_MIN && max_integer_ == INT64_MAX; }

  int scale_;
  int64_t max_integer_;  // a REAL column turns integers into doubles
  double power_;
};

// measure makes the bodies, write copies them.
template <typename T>
class SqliteDecimalCodec final : public Codec {
 public:
  SqliteDecimalCodec(int scale, bool real_column) : rule_(scale, real_column) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const T* values = FixedReader<T>(column).values + rows.begin;
    if (is_null_free(column, rows)) {
      measure_bodies(values, rows, [](int) { return false; }, cells, rejects);
    } else {
      const auto is_null = [&](int i) { return column.is_null(rows.begin + i); };
      measure_bodies(values, rows, is_null, cells, rejects);
    }
    return kCellsDiffer;
  }

  void write(const ColumnView&, RowSpan rows, const uint32_t* cells, uint8_t** cursors) override {
    if (room_ >= 8) {
      for (int i = 0; i < rows.count; ++i) {
        store_be64(cursors[i], bodies_[i]);
        cursors[i] += sqlite_record::kSerialBytes[cells[i]];
      }
      return;
    }
    for (int i = 0; i < rows.count; ++i) {
      const uint32_t bytes = sqlite_record::kSerialBytes[cells[i]];
      cursors[i] = sqlite_record::put_top_bytes(cursors[i], bodies_[i], bytes);
    }
  }

 private:
  template <typename IsNull>
  void measure_bodies(const T* values, RowSpan rows, IsNull is_null, uint32_t* cells,
                      Rejects& rejects) {
    const double power = rule_.power();
    const uint64_t max = power != 0 ? SqliteDecimalRule::kMaxMagnitude : 0;
    for (int i = 0; i < rows.count; ++i) {
      int64_t small;
      SqliteNumber number{sqlite_record::kSerialNull, 0};
      if (is_null(i)) {
        // NULL has no body.
      } else if (narrow(values[i], &small) && magnitude_of(small) <= max && power != 0) [[likely]] {
        number = sqlite_quotient(small, power);
      } else {
        number = measure_wide(values[i], rows.begin + i, rejects);
      }
      cells[i] = number.serial;
      bodies_[i] = number.body;
    }
  }

  [[gnu::noinline]] SqliteNumber measure_wide(const T& v, int64_t row, Rejects& rejects) const {
    SqliteNumber number{sqlite_record::kSerialNull, 0};
    const WideInteger wide = widen(v);
    if (!rule_.convert(wide, &number)) rejects.push_back({row, rule_.explain(wide)});
    return number;
  }

  SqliteDecimalRule rule_;
  uint64_t bodies_[kMaxSpanRows];
};

}  // namespace headrace
