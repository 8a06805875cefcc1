#include "encode/types/json_scalar.h"

#include <fmt/format.h>

#include <cmath>

#include "encode/format/date_text.h"
#include "encode/format/decimal_text.h"
#include "encode/format/float16.h"
#include "encode/format/interval_text.h"
#include "encode/format/utf8.h"
#include "encode/types/time_unit.h"

namespace headrace {
namespace {

using date_text::DateTable;
using date_text::kSecondsPerDay;

bool reject(JsonWriter* out, std::string reason) {
  out->reason = std::move(reason);
  return false;
}

bool put_null(const JsonRules&, const ColumnView&, int64_t, JsonWriter* out) {
  out->put("null");
  return true;
}

bool put_bool(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  out->put(BoolReader(column)[row] ? std::string_view("true") : std::string_view("false"));
  return true;
}

template <typename T>
bool put_integer(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  out->put_number(FixedReader<T>(column)[row]);
  return true;
}

template <typename T>
bool put_float(const JsonRules& rules, const ColumnView& column, int64_t row, JsonWriter* out) {
  T v;
  if constexpr (std::is_same_v<T, float>) {
    v = column.type->id == TypeId::kFloat16 ? float_from_half(FixedReader<uint16_t>(column)[row])
                                            : FixedReader<float>(column)[row];
  } else {
    v = FixedReader<T>(column)[row];
  }
  if (std::isnan(v) && rules.nan_as_null) {
    out->put("null");
    return true;
  }
  if (!std::isfinite(v)) [[unlikely]] {
    return reject(out, fmt::format("{}, which JSON does not have", std::isnan(v) ? "NaN"
                                                                   : v < 0 ? "-Infinity"
                                                                           : "Infinity"));
  }
  out->put_number(v);
  return true;
}

template <typename T>
bool put_decimal_number(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  const WideInteger v = widen(FixedReader<T>(column)[row]);
  const int scale = column.type->scale;
  const uint32_t bytes = decimal_text_bytes(v, scale);
  if (bytes <= 128) {
    out->format<128>([&](char* at) { return put_decimal(at, v, scale); });
    return true;
  }
  std::string digits(bytes, '\0');
  put_decimal(digits.data(), v, scale);
  out->put(digits);
  return true;
}

template <typename Reader>
bool put_text(const JsonRules& rules, const ColumnView& column, int64_t row, JsonWriter* out) {
  const std::string_view v = Reader(column)[row];
  if (!utf8::is_valid(v)) [[unlikely]] {
    return reject(out, fmt::format("invalid UTF-8 at byte {}", utf8::first_invalid(v) + 1));
  }
  if (!rules.nul_allowed && !utf8::is_plain_ascii<false>(v)) {
    if (const size_t nul = v.find('\0'); nul != std::string_view::npos) {
      return reject(out, fmt::format("text holds a NUL byte at byte {}, which PostgreSQL cannot "
                                     "store",
                                     nul + 1));
    }
  }
  out->put_string(v);
  return true;
}

template <typename Reader>
bool put_binary(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  const std::string_view v = Reader(column)[row];
  out->put("\"\\\\x");
  char* at = out->extend(2 * v.size());
  for (const char c : v) {
    const auto byte = static_cast<uint8_t>(c);
    *at++ = "0123456789abcdef"[byte >> 4];
    *at++ = "0123456789abcdef"[byte & 15];
  }
  out->put('"');
  return true;
}

// ---- Dates and times ----

constexpr size_t kMaxTimeText = date_text::kMaxPgDateBytes + 40;

// Days whose year has at most seven digits.
constexpr bool is_day(int64_t days) { return days >= INT32_MIN && days <= INT32_MAX; }

// A fraction without the zeros at its end.
char* put_short_fraction(char* at, uint32_t fraction, int digits) {
  char* end = date_text::put_fraction(at, fraction, digits);
  while (end > at && end[-1] == '0') --end;
  return end;
}

char* put_day_end(char* at, int64_t days) {
  if (date_text::is_bc(days)) at = date_text::put_bc(at);
  *at++ = '"';
  return at;
}

bool put_date_string(int64_t days, JsonWriter* out) {
  out->format<kMaxTimeText>([days](char* at) {
    *at++ = '"';
    at = date_text::put_pg_date(at, days, DateTable::get());
    return put_day_end(at, days);
  });
  return true;
}

bool put_date32(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  return put_date_string(FixedReader<int32_t>(column)[row], out);
}

bool put_date64(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  constexpr int64_t kMillisPerDay = kSecondsPerDay * 1000;
  const int64_t v = FixedReader<int64_t>(column)[row];
  if (v % kMillisPerDay != 0) {
    return reject(out, fmt::format("date64 of {} ms is not a whole number of days", v));
  }
  if (!is_day(v / kMillisPerDay)) {
    return reject(out, fmt::format("date64 of {} ms is out of range", v));
  }
  return put_date_string(v / kMillisPerDay, out);
}

template <typename T, TimeUnit kUnit>
bool put_time(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;
  const int64_t v = FixedReader<T>(column)[row];
  if (v < 0 || v > kSecondsPerDay * kPerSecond) {
    return reject(out, fmt::format("time of {} {} is not within 00:00:00 to 24:00:00", v,
                                   Unit<kUnit>::kName));
  }
  out->format<kMaxTimeText>([v](char* at) {
    *at++ = '"';
    at = date_text::put_clock(at, static_cast<uint32_t>(v / kPerSecond));
    at = put_short_fraction(at, static_cast<uint32_t>(v % kPerSecond), Unit<kUnit>::kDigits);
    *at++ = '"';
    return at;
  });
  return true;
}

template <TimeUnit kUnit>
bool put_timestamp(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;
  constexpr int64_t kDay = kSecondsPerDay * kPerSecond;
  const int64_t v = FixedReader<int64_t>(column)[row];
  const int64_t days = v / kDay - (v % kDay < 0 ? 1 : 0);
  const int64_t rest = v % kDay + (v % kDay < 0 ? kDay : 0);
  if (!is_day(days)) {
    return reject(out, fmt::format("timestamp of {} {} is out of range", v, Unit<kUnit>::kName));
  }
  const bool zoned = !column.type->timezone.empty();
  out->format<kMaxTimeText>([&](char* at) {
    *at++ = '"';
    at = date_text::put_pg_date(at, days, DateTable::get());
    *at++ = 'T';
    at = date_text::put_clock(at, static_cast<uint32_t>(rest / kPerSecond));
    at = put_short_fraction(at, static_cast<uint32_t>(rest % kPerSecond), Unit<kUnit>::kDigits);
    if (zoned) {
      std::memcpy(at, "+00:00", 6);
      at += 6;
    }
    return put_day_end(at, days);
  });
  return true;
}

bool put_interval_string(const Interval& v, JsonWriter* out) {
  out->put('"');
  out->format<kIntervalTextBytes>([&v](char* at) { return put_interval(at, v); });
  out->put('"');
  return true;
}

template <TimeUnit kUnit>
bool put_duration(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;
  const int64_t v = FixedReader<int64_t>(column)[row];
  const auto fraction = static_cast<int32_t>(v % kPerSecond);
  const auto nanos = fraction * static_cast<int32_t>(1000000000 / kPerSecond);
  return put_interval_string({0, 0, v / kPerSecond, nanos}, out);
}

bool put_months(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  return put_interval_string({FixedReader<int32_t>(column)[row], 0, 0, 0}, out);
}

bool put_day_time(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  struct DayTime {
    int32_t days, millis;
  };
  const DayTime v = FixedReader<DayTime>(column)[row];
  return put_interval_string({0, v.days, v.millis / 1000, v.millis % 1000 * 1000000}, out);
}

bool put_month_day_nano(const JsonRules&, const ColumnView& column, int64_t row, JsonWriter* out) {
  struct MonthDayNano {
    int32_t months, days;
    int64_t nanos;
  };
  const MonthDayNano v = FixedReader<MonthDayNano>(column)[row];
  const auto nanos = static_cast<int32_t>(v.nanos % 1000000000);
  return put_interval_string({v.months, v.days, v.nanos / 1000000000, nanos}, out);
}

// ---- Choice ----

PutJsonScalar number_scalar(const DataType& type) {
  switch (type.id) {
    case TypeId::kInt8: return put_integer<int8_t>;
    case TypeId::kInt16: return put_integer<int16_t>;
    case TypeId::kInt32: return put_integer<int32_t>;
    case TypeId::kInt64: return put_integer<int64_t>;
    case TypeId::kUint8: return put_integer<uint8_t>;
    case TypeId::kUint16: return put_integer<uint16_t>;
    case TypeId::kUint32: return put_integer<uint32_t>;
    case TypeId::kUint64: return put_integer<uint64_t>;
    case TypeId::kFloat16:
    case TypeId::kFloat32: return put_float<float>;
    case TypeId::kFloat64: return put_float<double>;
    case TypeId::kDecimal:
      switch (type.bit_width) {
        case 32: return put_decimal_number<int32_t>;
        case 64: return put_decimal_number<int64_t>;
        case 128: return put_decimal_number<Int128>;
        default: return put_decimal_number<Int256>;
      }
    default: return nullptr;
  }
}

// The function of a unit; `of` wraps a template of units.
template <typename Of>
PutJsonScalar of_unit(TimeUnit unit, Of of) {
  switch (unit) {
    case TimeUnit::kSecond: return of.template operator()<TimeUnit::kSecond>();
    case TimeUnit::kMilli: return of.template operator()<TimeUnit::kMilli>();
    case TimeUnit::kMicro: return of.template operator()<TimeUnit::kMicro>();
    default: return of.template operator()<TimeUnit::kNano>();
  }
}

PutJsonScalar time_scalar(const DataType& type) {
  switch (type.id) {
    case TypeId::kDate32: return put_date32;
    case TypeId::kDate64: return put_date64;
    case TypeId::kTime32:
      return of_unit(type.unit, []<TimeUnit u>() -> PutJsonScalar { return put_time<int32_t, u>; });
    case TypeId::kTime64:
      return of_unit(type.unit, []<TimeUnit u>() -> PutJsonScalar { return put_time<int64_t, u>; });
    case TypeId::kTimestamp:
      return of_unit(type.unit, []<TimeUnit u>() -> PutJsonScalar { return put_timestamp<u>; });
    case TypeId::kDuration:
      return of_unit(type.unit, []<TimeUnit u>() -> PutJsonScalar { return put_duration<u>; });
    case TypeId::kIntervalMonths: return put_months;
    case TypeId::kIntervalDayTime: return put_day_time;
    case TypeId::kIntervalMonthDayNano: return put_month_day_nano;
    default: return nullptr;
  }
}

}  // namespace

PutJsonScalar json_scalar(const DataType& type) {
  switch (type.id) {
    case TypeId::kNull: return put_null;
    case TypeId::kBool: return put_bool;
    case TypeId::kUtf8: return put_text<BytesReader<int32_t>>;
    case TypeId::kLargeUtf8: return put_text<BytesReader<int64_t>>;
    case TypeId::kUtf8View: return put_text<ViewReader>;
    case TypeId::kBinary: return put_binary<BytesReader<int32_t>>;
    case TypeId::kLargeBinary: return put_binary<BytesReader<int64_t>>;
    case TypeId::kBinaryView: return put_binary<ViewReader>;
    case TypeId::kFixedSizeBinary: return put_binary<FixedBytesReader>;
    default: break;
  }
  const PutJsonScalar number = number_scalar(type);
  return number != nullptr ? number : time_scalar(type);
}

}  // namespace headrace
