// Times of day: time32 in seconds or milliseconds, time64 in microseconds or nanoseconds.
//
//   PostgreSQL   time: int8, microseconds from midnight, 00:00:00 to 24:00:00. Nanoseconds that are
//   no
//                whole microseconds are rejected, and so is what time(p) would round
//   SQLite       TEXT HH:MM:SS; when the value has a fraction, a point and all digits of the unit:
//                3, 6 or 9
#include "encode/codec_helpers.h"
#include "encode/format/date_text.h"
#include "encode/types/families.h"
#include "encode/types/time_unit.h"

#include <fmt/format.h>

namespace headrace {
namespace {

template <typename T, TimeUnit kUnit>
struct InDay {
  using Value = T;
  static constexpr int64_t kDay = date_text::kSecondsPerDay * Unit<kUnit>::kPerSecond;
  bool fits(T v) const { return v >= 0 && v <= kDay; }
  std::string explain(T v) const {
    return fmt::format("time of {} {} is not within 00:00:00 to 24:00:00", v, Unit<kUnit>::kName);
  }
};

template <typename T, TimeUnit kUnit>
struct PgTime : InDay<T, kUnit> {
  static constexpr uint32_t kShared = 8;
  FractionLimit fraction;

  bool fits(T v) const {
    return InDay<T, kUnit>::fits(v) && Unit<kUnit>::is_whole_micros(v) &&
           fraction.keeps(Unit<kUnit>::to_micros(v));
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    store_be64(out, static_cast<uint64_t>(Unit<kUnit>::to_micros(v)));
    return out + 8;
  }
  std::string explain(T v) const {
    if (!InDay<T, kUnit>::fits(v)) return InDay<T, kUnit>::explain(v);
    return fmt::format("time of {} {} has digits past {}", v, Unit<kUnit>::kName, fraction.name());
  }
};

template <typename T, TimeUnit kUnit>
struct TimeText {
  using Value = T;
  static constexpr int kMaxBytes = 18;
  char* format(char* out, T v) const {
    constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;
    out = date_text::put_clock(out, static_cast<uint32_t>(v / kPerSecond));
    return date_text::put_fraction(out, static_cast<uint32_t>(v % kPerSecond),
                                   Unit<kUnit>::kDigits);
  }
};

template <typename T, TimeUnit kUnit>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  using Reader = FixedReader<T>;
  if (format == RowFormat::kSqliteRecord) {
    return sqlite_text_codec<Reader>(InDay<T, kUnit>{}, TimeText<T, kUnit>{});
  }
  if (target.base != "time") return type_mismatch(type, target);
  const PgTime<T, kUnit> binary{{}, FractionLimit("time", target.typmod)};
  if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(binary);
  return text_codec<Reader>(binary, TimeText<T, kUnit>{});
}

bool handles(const DataType& type) {
  return type.id == TypeId::kTime32 || type.id == TypeId::kTime64;
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"time", "time", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  switch (type.unit) {
    case TimeUnit::kSecond:
      return make_for<int32_t, TimeUnit::kSecond>(type, target, format);
    case TimeUnit::kMilli:
      return make_for<int32_t, TimeUnit::kMilli>(type, target, format);
    case TimeUnit::kMicro:
      return make_for<int64_t, TimeUnit::kMicro>(type, target, format);
    default:
      return make_for<int64_t, TimeUnit::kNano>(type, target, format);
  }
}

}  // namespace

const TypeFamily kTimeFamily = {"time", handles, default_target, make};

}  // namespace headrace
