// Decimals: decimal32, 64, 128, 256 with precision p and scale s.
//
//   PostgreSQL   numeric(p,s). Into a numeric(p2,s2) of the target, an integer or a bigint: when the
//                value fits it exactly
//   SQLite       at most 15 digits: DECIMAL(p,s), which has NUMERIC affinity: INTEGER when the value is
//                integral, else REAL, the double nearest to v / 10^s. It compares as a number, and
//                rounding it to s decimals gives the value back.
//                More digits: TEXT with exactly s decimals.
//                Into a TEXT column always text; into a numeric one only values of at most 15 digits
#include "encode/types/numeric_target.h"

#include <charconv>
#include <limits>

#include "encode/types/families.h"

#include <fmt/format.h>

namespace headrace {

NumericTypmod read_numeric_typmod(int32_t typmod) {
  if (typmod < 4) return {};
  const int32_t packed = typmod - 4;
  return {(packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 0x400) - 0x400};
}

int32_t numeric_typmod(int precision, int scale) {
  return ((precision << 16) | (scale & 0x7FF)) + 4;
}

NumericLimits::NumericLimits(int scale, NumericTypmod target_typmod, uint64_t align)
    : target(target_typmod) {
  small.max = std::numeric_limits<uint64_t>::max() / align;
  if (target.precision < 0) return;
  digits = target.precision - target.scale + scale;
  zeros = scale > target.scale ? scale - target.scale : 0;
  if (digits < WideInteger::kMaxDigits) bound = wide_power_of_10(digits < 0 ? 0 : digits);
  if (digits < 20) small.max = std::min(small.max, kPowersOf10[digits < 0 ? 0 : digits] - 1);
  if (zeros < 20) {
    small.divisor = kPowersOf10[zeros];
  } else {
    small.max = 0;  // the wide path decides
  }
}

bool NumericLimits::holds(const WideInteger& v) const {
  if (!bound.is_zero() && !v.less_than(bound)) return false;
  return zeros == 0 || is_multiple_of_power(v, zeros);
}

std::string explain_numeric(const WideInteger& v, int scale, const NumericLimits& limits) {
  std::string value(decimal_text_bytes(v, scale), '\0');
  put_decimal(value.data(), v, scale);
  const bool too_large = !limits.bound.is_zero() && !v.less_than(limits.bound);
  return fmt::format("{} {} numeric({},{})", value,
                     too_large ? "is out of range for" : "has more decimals than",
                     limits.target.precision, limits.target.scale);
}

namespace {

std::string decimal_string(const WideInteger& v, int scale) {
  std::string value(decimal_text_bytes(v, scale), '\0');
  put_decimal(value.data(), v, scale);
  return value;
}

// ---- Into integers ----

// The value as an integer, when it is one that int64 holds.
bool to_integer(WideInteger v, int scale, int64_t* out) {
  if (v.is_zero()) return *out = 0, true;
  for (int i = scale; i > 0; --i) {
    if (v.divide_by(10) != 0) return false;
  }
  for (int i = scale; i < 0; ++i) {
    if (!v.fits_in_64_bits()) return false;
    v.multiply_by(10);
  }
  const uint64_t limit = (1ULL << 63) - (v.negative ? 0 : 1);
  if (!v.fits_in_64_bits() || v.limb[0] > limit) return false;
  *out = static_cast<int64_t>(v.negative ? 0 - v.limb[0] : v.limb[0]);
  return true;
}

template <typename T, typename Integer>
struct DecimalToInteger {
  using Value = T;
  static constexpr uint32_t kShared = sizeof(Integer);
  int scale;

  bool fits(T v) const {
    int64_t integer;
    return to_integer(widen(v), scale, &integer) &&
           integer >= std::numeric_limits<Integer>::min() &&
           integer <= std::numeric_limits<Integer>::max();
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    int64_t integer = 0;
    to_integer(widen(v), scale, &integer);
    if constexpr (sizeof(Integer) == 2) store_be16(out, static_cast<uint16_t>(integer));
    if constexpr (sizeof(Integer) == 4) store_be32(out, static_cast<uint32_t>(integer));
    if constexpr (sizeof(Integer) == 8) store_be64(out, static_cast<uint64_t>(integer));
    return out + sizeof(Integer);
  }
  std::string explain(T v) const {
    return fmt::format("{} is not an integer that {} holds", decimal_string(widen(v), scale),
                       sizeof(Integer) == 2   ? "smallint"
                       : sizeof(Integer) == 4 ? "integer"
                                              : "bigint");
  }
};

template <typename T>
struct IntegerText {
  using Value = T;
  static constexpr int kMaxBytes = 20;
  int scale;
  char* format(char* out, T v) const {
    int64_t integer = 0;
    to_integer(widen(v), scale, &integer);
    return std::to_chars(out, out + kMaxBytes, integer).ptr;
  }
};

template <typename Reader, typename Integer>
std::unique_ptr<Codec> make_integer_target(int scale, RowFormat format) {
  using T = typename Reader::Value;
  const DecimalToInteger<T, Integer> binary{scale};
  if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(binary);
  return text_codec<Reader>(binary, IntegerText<T>{scale});
}

// ---- SQLite ----

constexpr int kDoubleDigits = 15;           // any decimal of that many digits survives a double
constexpr int kExactPower = 22;             // 10^22 is the last power of ten that a double holds
constexpr uint64_t kMaxMagnitude = 999999999999999ULL;

// What a decimal becomes in a numeric column.
struct SqliteNumber {
  uint32_t serial;
  int64_t integer;
  double real;
};

// v / 10^scale for |v| < 10^15 and 0 <= scale <= 22: one division of two exact doubles rounds once,
// so it gives the nearest double; and it is integral only when the quotient is.
inline SqliteNumber divide_exactly(int64_t v, double power) {
  const double real = static_cast<double>(v) / power;
  const auto integer = static_cast<int64_t>(real);
  const bool integral = static_cast<double>(integer) == real;
  return {integral ? sqlite_record::serial_of_integer(integer) : sqlite_record::kSerialReal, integer,
          real};
}

template <typename T>
struct SqliteDecimal {
  using Value = T;
  static constexpr uint32_t kShared = 0;
  int scale;
  int64_t max_integer;  // a REAL column turns integers into doubles
  double power;         // 10^scale; 0 when the scale is not 0..22

  bool to_number(T v, SqliteNumber* out) const {
    int64_t small;
    if (power != 0 && narrow(v, &small) && magnitude_of(small) <= kMaxMagnitude) [[likely]] {
      *out = divide_exactly(small, power);
      return true;
    }
    return to_number_wide(widen(v), out);
  }
  bool to_number_wide(WideInteger v, SqliteNumber* out) const {
    int64_t integer;
    if (to_integer(v, scale, &integer)) {
      *out = {sqlite_record::serial_of_integer(integer), integer, 0};
      return integer <= max_integer && integer >= -max_integer - (max_integer > kTwoTo53 ? 1 : 0);
    }
    int decimals = scale;
    for (WideInteger next = v; decimals > 0 && next.divide_by(10) == 0; v = next) --decimals;
    if (!v.fits_in_64_bits() || v.limb[0] > kMaxMagnitude || decimals < 0 || decimals > kExactPower) {
      return false;
    }
    const auto magnitude = static_cast<int64_t>(v.limb[0]);
    *out = divide_exactly(v.negative ? -magnitude : magnitude, exact_power(decimals));
    return true;
  }
  uint32_t measure(T v) const {
    SqliteNumber number;
    return to_number(v, &number) ? number.serial : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, T v, uint32_t serial) const {
    SqliteNumber number{};
    to_number(v, &number);
    if (serial == sqlite_record::kSerialReal) return sqlite_record::put_real(out, number.real);
    return sqlite_record::put_integer(out, number.integer, serial);
  }
  std::string explain(T v) const {
    return fmt::format("{} has more than 15 digits; a numeric column of SQLite would round it",
                       decimal_string(widen(v), scale));
  }

  static constexpr int64_t kTwoTo53 = 1LL << 53;
  static double exact_power(int exponent) {
    double power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
  }
};

template <typename T>
struct SqliteDecimalText {
  using Value = T;
  static constexpr uint32_t kShared = 0;
  int scale;
  uint32_t measure(T v) const {
    return sqlite_record::serial_of_text(decimal_text_bytes(widen(v), scale));
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    return reinterpret_cast<uint8_t*>(put_decimal(reinterpret_cast<char*>(out), widen(v), scale));
  }
};

template <typename Reader>
std::unique_ptr<Codec> make_sqlite(int scale, const std::string& affinity) {
  using T = typename Reader::Value;
  if (affinity != "NUMERIC" && affinity != "INTEGER" && affinity != "REAL") {
    return column_codec<Reader, sqlite_record::Cells>(SqliteDecimalText<T>{scale});
  }
  const bool exact = scale >= 0 && scale <= kExactPower;
  return column_codec<Reader, sqlite_record::Cells>(SqliteDecimal<T>{
      scale, affinity == "REAL" ? 1LL << 53 : std::numeric_limits<int64_t>::max(),
      exact ? SqliteDecimal<T>::exact_power(scale) : 0});
}

// ---- The family ----

template <typename T>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  using Reader = FixedReader<T>;
  if (!is_numeric_scale(type.scale)) return type_mismatch(type, target);
  if (format == RowFormat::kSqliteRecord) return make_sqlite<Reader>(type.scale, target.base);
  if (target.base == "numeric") return make_numeric_target<Reader>(type.scale, target, format);
  if (target.base == "int2") return make_integer_target<Reader, int16_t>(type.scale, format);
  if (target.base == "int4") return make_integer_target<Reader, int32_t>(type.scale, format);
  if (target.base == "int8") return make_integer_target<Reader, int64_t>(type.scale, format);
  return type_mismatch(type, target);
}

bool handles(const DataType& type) { return type.id == TypeId::kDecimal; }

TargetType default_target(const DataType& type, Dialect dialect) {
  // numeric(p,s) with s < 0 or s > p exists only since PostgreSQL 15: say the same with 0 <= s <= p.
  const int scale = std::max(type.scale, 0);
  const int precision = std::max(type.precision - std::min(type.scale, 0), std::max(scale, 1));
  if (dialect == Dialect::kSqlite) {
    if (precision > kDoubleDigits) return {"TEXT", "TEXT", -1};
    return {fmt::format("DECIMAL({},{})", precision, scale), "NUMERIC", -1};
  }
  if (precision > 1000 || scale > 1000) return {"numeric", "numeric", -1};
  return {fmt::format("numeric({},{})", precision, scale), "numeric",
          numeric_typmod(precision, scale)};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  switch (type.bit_width) {
    case 32: return make_for<int32_t>(type, target, format);
    case 64: return make_for<int64_t>(type, target, format);
    case 128: return make_for<Int128>(type, target, format);
    default: return make_for<Int256>(type, target, format);
  }
}

}  // namespace

const TypeFamily kNumericFamily = {"numeric", handles, default_target, make};

}  // namespace headrace
