// Durations and intervals: duration in seconds to nanoseconds, interval of months, of days and
// milliseconds, of months, days and nanoseconds.
//
//   PostgreSQL   interval:  OFFSET  SIZE  DESCRIPTION
//                           0       8     microseconds, big-endian
//                           8       4     days
//                           12      4     months
//                Nanoseconds that are no whole microseconds are rejected, and so is what
//                interval(p) would round. A duration has days 0 and months 0
//   SQLite       TEXT, ISO 8601 (format/interval_text.h)
#include "encode/format/interval_text.h"

#include "encode/codec_helpers.h"
#include "encode/types/families.h"
#include "encode/types/time_unit.h"

#include <fmt/format.h>

namespace headrace {
namespace {

// As Arrow lays them out.
struct DayTime {
  int32_t days;
  int32_t millis;
};
struct MonthDayNano {
  int32_t months;
  int32_t days;
  int64_t nanos;
};

template <TimeUnit kUnit>
struct DurationSource {
  using Value = int64_t;
  static Interval interval(int64_t v) {
    constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;
    const auto fraction = static_cast<int32_t>(v % kPerSecond);
    return {0, 0, v / kPerSecond, fraction * static_cast<int32_t>(1000000000 / kPerSecond)};
  }
};

struct MonthSource {
  using Value = int32_t;
  static Interval interval(int32_t v) { return {v, 0, 0, 0}; }
};

struct DayTimeSource {
  using Value = DayTime;
  static Interval interval(DayTime v) {
    return {0, v.days, v.millis / 1000, v.millis % 1000 * 1000000};
  }
};

struct MonthDayNanoSource {
  using Value = MonthDayNano;
  static Interval interval(MonthDayNano v) {
    return {v.months, v.days, v.nanos / 1000000000, static_cast<int32_t>(v.nanos % 1000000000)};
  }
};

template <typename Source>
struct IntervalText {
  using Value = typename Source::Value;
  static constexpr int kMaxBytes = kIntervalTextBytes;
  char* format(char* out, Value v) const { return put_interval(out, Source::interval(v)); }
};

template <typename Source>
struct PgInterval {
  using Value = typename Source::Value;
  static constexpr uint32_t kShared = 16;
  FractionLimit fraction;

  // Microseconds of the seconds and what is below them; false when 64 bits do not hold them.
  static bool to_micros(const Interval& v, int64_t* out) {
    return !__builtin_mul_overflow(v.seconds, int64_t{1000000}, out) &&
           !__builtin_add_overflow(*out, int64_t{v.nanos / 1000}, out);
  }
  bool fits(Value value) const {
    const Interval v = Source::interval(value);
    int64_t micros;
    return to_micros(v, &micros) && v.nanos % 1000 == 0 && fraction.keeps(micros);
  }
  uint8_t* put(uint8_t* out, Value value, uint32_t) const {
    const Interval v = Source::interval(value);
    int64_t micros = 0;
    to_micros(v, &micros);
    store_be64(out, static_cast<uint64_t>(micros));
    store_be32(out + 8, static_cast<uint32_t>(v.days));
    store_be32(out + 12, static_cast<uint32_t>(v.months));
    return out + 16;
  }
  std::string explain(Value value) const {
    const Interval v = Source::interval(value);
    char text[kIntervalTextBytes];
    const std::string_view shown(text, static_cast<size_t>(put_interval(text, v) - text));
    int64_t micros;
    if (!to_micros(v, &micros)) return fmt::format("interval {} is out of range", shown);
    return fmt::format("interval {} has digits past {}", shown, fraction.name());
  }
};

// interval(p) and its fields as a type modifier: fields << 16 | p; all fields are 0x7FFF.
constexpr bool has_all_fields(int32_t typmod) { return typmod < 0 || (typmod >> 16) == 0x7FFF; }

template <typename Source>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  using Reader = FixedReader<typename Source::Value>;
  if (format == RowFormat::kSqliteRecord) {
    return sqlite_text_codec<Reader>(AcceptAll<typename Source::Value>{}, IntervalText<Source>{});
  }
  // A target such as "interval year to month" would drop the other fields.
  if (target.base != "interval" || !has_all_fields(target.typmod))
    return type_mismatch(type, target);
  const int32_t precision = target.typmod < 0 ? -1 : target.typmod & 0xFFFF;
  const PgInterval<Source> binary{FractionLimit("interval", precision)};
  if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(binary);
  return text_codec<Reader>(binary, IntervalText<Source>{});
}

Result<std::unique_ptr<Codec>> make_duration(const DataType& type, const TargetType& target,
                                             RowFormat format) {
  switch (type.unit) {
    case TimeUnit::kSecond:
      return make_for<DurationSource<TimeUnit::kSecond>>(type, target, format);
    case TimeUnit::kMilli:
      return make_for<DurationSource<TimeUnit::kMilli>>(type, target, format);
    case TimeUnit::kMicro:
      return make_for<DurationSource<TimeUnit::kMicro>>(type, target, format);
    default:
      return make_for<DurationSource<TimeUnit::kNano>>(type, target, format);
  }
}

bool handles(const DataType& type) {
  return type.id >= TypeId::kDuration && type.id <= TypeId::kIntervalMonthDayNano;
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"interval", "interval", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  switch (type.id) {
    case TypeId::kDuration:
      return make_duration(type, target, format);
    case TypeId::kIntervalMonths:
      return make_for<MonthSource>(type, target, format);
    case TypeId::kIntervalDayTime:
      return make_for<DayTimeSource>(type, target, format);
    default:
      return make_for<MonthDayNanoSource>(type, target, format);
  }
}

}  // namespace

const TypeFamily kIntervalFamily = {"interval", handles, default_target, make};

}  // namespace headrace
