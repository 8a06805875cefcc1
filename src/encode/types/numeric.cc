// Decimals: decimal32, 64, 128, 256 with precision p and scale s.
//
//   PostgreSQL   numeric(p,s). Into a numeric(p2,s2) of the target, an integer or a bigint: when
//   the
//                value fits it exactly
//   SQLite       at most 15 digits: DECIMAL(p,s), which has NUMERIC affinity: INTEGER when the
//   value is
//                integral, else REAL, the double nearest to v / 10^s. It compares as a number, and
//                rounding it to s decimals gives the value back.
//                More digits: TEXT with exactly s decimals.
//                With --decimal: text always, REAL always, or the integer v * 10^s.
//                Into a TEXT column always text; into a numeric one only values of at most 15
//                digits
#include "encode/types/numeric_target.h"

#include <charconv>
#include <limits>

#include "encode/types/families.h"
#include "encode/types/sqlite_decimal.h"

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
  small_max = std::numeric_limits<uint64_t>::max() / align;
  if (target.precision < 0) return;
  digits = target.precision - target.scale + scale;
  zeros = scale > target.scale ? scale - target.scale : 0;
  if (digits < WideInteger::kMaxDigits) bound = wide_power_of_10(digits < 0 ? 0 : digits);
  if (digits < 20) small_max = std::min(small_max, kPowersOf10[digits < 0 ? 0 : digits] - 1);
  if (zeros > 0) small_max = 0;  // each value is looked at
}

bool NumericLimits::holds(const WideInteger& v) const {
  if (!bound.is_zero() && !v.less_than(bound)) return false;
  return zeros == 0 || is_multiple_of_power(v, zeros);
}

std::string decimal_string(const WideInteger& v, int scale) {
  std::string value(decimal_text_bytes(v, scale), '\0');
  put_decimal(value.data(), v, scale);
  return value;
}

std::string explain_numeric(const WideInteger& v, int scale, const NumericLimits& limits) {
  const bool too_large = !limits.bound.is_zero() && !v.less_than(limits.bound);
  return fmt::format("{} {} numeric({},{})", decimal_string(v, scale),
                     too_large ? "is out of range for" : "has more decimals than",
                     limits.target.precision, limits.target.scale);
}

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

namespace {

// ---- Into integers ----

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

// The integer v * 10^scale, as the source stores it.
template <typename T>
struct SqliteScaled {
  using Value = T;
  static constexpr uint32_t kShared = 0;
  int scale;
  uint32_t measure(T v) const {
    int64_t integer;
    return narrow(v, &integer) ? sqlite_record::serial_of_integer(integer) : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, T v, uint32_t serial) const {
    int64_t integer = 0;
    narrow(v, &integer);
    return sqlite_record::put_integer(out, integer, serial);
  }
  std::string explain(T v) const {
    return fmt::format("{} is out of range for an INTEGER of {} decimals",
                       decimal_string(widen(v), scale), scale);
  }
};

template <typename Reader>
std::unique_ptr<Codec> make_sqlite(int scale, const std::string& affinity, bool scaled) {
  using T = typename Reader::Value;
  if (scaled && affinity == "INTEGER") {
    return column_codec<Reader, sqlite_record::Cells>(SqliteScaled<T>{scale});
  }
  if (affinity != "NUMERIC" && affinity != "INTEGER" && affinity != "REAL") {
    return column_codec<Reader, sqlite_record::Cells>(SqliteDecimalText<T>{scale});
  }
  return std::make_unique<SqliteDecimalCodec<T>>(scale, affinity == "REAL");
}

// ---- The family ----

template <typename T>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format, bool scaled) {
  using Reader = FixedReader<T>;
  if (!is_numeric_scale(type.scale)) return type_mismatch(type, target);
  if (format == RowFormat::kSqliteRecord) {
    return make_sqlite<Reader>(type.scale, target.base, scaled);
  }
  if (target.base == "numeric") return make_numeric_target<Reader>(type.scale, target, format);
  if (target.base == "int2") return make_integer_target<Reader, int16_t>(type.scale, format);
  if (target.base == "int4") return make_integer_target<Reader, int32_t>(type.scale, format);
  if (target.base == "int8") return make_integer_target<Reader, int64_t>(type.scale, format);
  return type_mismatch(type, target);
}

bool handles(const DataType& type) { return type.id == TypeId::kDecimal; }

TargetType default_target(const DataType& type, Dialect dialect) {
  // numeric(p,s) with s < 0 or s > p exists only since PostgreSQL 15: say the same with 0 <= s <=
  // p.
  const int scale = std::max(type.scale, 0);
  const int precision = std::max(type.precision - std::min(type.scale, 0), std::max(scale, 1));
  if (dialect == Dialect::kSqlite) {
    if (precision > kSqliteDigits) return {"TEXT", "TEXT", -1};
    return {fmt::format("DECIMAL({},{})", precision, scale), "NUMERIC", -1};
  }
  if (precision > 1000 || scale > 1000) return {"numeric", "numeric", -1};
  return {fmt::format("numeric({},{})", precision, scale), "numeric",
          numeric_typmod(precision, scale)};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  const bool scaled = options.decimal == ValueOptions::Decimal::kScaled;
  switch (type.bit_width) {
    case 32:
      return make_for<int32_t>(type, target, format, scaled);
    case 64:
      return make_for<int64_t>(type, target, format, scaled);
    case 128:
      return make_for<Int128>(type, target, format, scaled);
    default:
      return make_for<Int256>(type, target, format, scaled);
  }
}

}  // namespace

const TypeFamily kNumericFamily = {"numeric", handles, default_target, make};

}  // namespace headrace
