// Timestamps in seconds, milliseconds, microseconds or nanoseconds from 1970-01-01, with a zone
// (then they are instants in UTC) or without.
//
//   PostgreSQL   timestamp, timestamptz: int8, microseconds from 2000-01-01; 4713-11-24 BC to
//                294276-12-31. Nanoseconds that are no whole microseconds are rejected, and so is
//                what timestamp(p) would round
//   SQLite       TEXT YYYY-MM-DD HH:MM:SS, years 0000 to 9999; when the value has a fraction, a
//   point and
//                all digits of the unit: 3, 6 or 9. With a zone: in UTC, ending in Z.
//                With --date integer INTEGER, whole seconds from 1970-01-01; with real REAL, the
//                Julian day, whole milliseconds; other values are rejected then
//
// A value without zone is no instant: it does not go into timestamptz, nor the other way round.
#include "encode/codec_helpers.h"
#include "encode/format/date_text.h"
#include "encode/types/families.h"
#include "encode/types/sqlite_date.h"
#include "encode/types/time_unit.h"

#include <fmt/format.h>

namespace headrace {
namespace {

using date_text::Civil;
using date_text::DateTable;

// Days from 1970-01-01 of 4713-11-24 BC and of 294277-01-01.
constexpr int64_t kPgBeginDays = -2440588;
constexpr int64_t kPgEndDays = 106762940;

// The instant as days and the rest of the day in units.
template <TimeUnit kUnit>
struct Split {
  int64_t days;
  int64_t rest;
  explicit Split(int64_t v) : days(v / kDay), rest(v % kDay) {
    if (rest < 0) {
      rest += kDay;
      --days;
    }
  }
  static constexpr int64_t kDay = date_text::kSecondsPerDay * Unit<kUnit>::kPerSecond;
  uint32_t seconds() const { return static_cast<uint32_t>(rest / Unit<kUnit>::kPerSecond); }
  uint32_t fraction() const { return static_cast<uint32_t>(rest % Unit<kUnit>::kPerSecond); }
};

// The first value of a day, and the last before it, within 64 bits.
template <TimeUnit kUnit>
constexpr int64_t first_of_day(int64_t days) {
  const auto first = static_cast<__int128>(days) * Split<kUnit>::kDay;
  return first < INT64_MIN ? INT64_MIN : static_cast<int64_t>(first);
}
template <TimeUnit kUnit>
constexpr int64_t last_before_day(int64_t days) {
  const auto last = static_cast<__int128>(days) * Split<kUnit>::kDay - 1;
  return last > INT64_MAX ? INT64_MAX : static_cast<int64_t>(last);
}

template <TimeUnit kUnit>
std::string timestamp_string(int64_t v) {
  const Split<kUnit> at(v);
  char clock[24];
  char* end = date_text::put_clock(clock, at.seconds());
  end = date_text::put_fraction(end, at.fraction(), Unit<kUnit>::kDigits);
  const Civil date = date_text::civil_from_days(at.days);
  const bool bc = date.year <= 0;
  return fmt::format("{:04}-{:02}-{:02} {}{}", bc ? 1 - date.year : date.year, date.month, date.day,
                     std::string_view(clock, static_cast<size_t>(end - clock)), bc ? " BC" : "");
}

template <TimeUnit kUnit>
struct PgTimestamp {
  using Value = int64_t;
  static constexpr uint32_t kShared = 8;
  static constexpr int64_t kEpoch = pg_binary::kEpochMicros / 1000000 * Unit<kUnit>::kPerSecond;
  // The range in units, both ends included.
  static constexpr int64_t kFirst = first_of_day<kUnit>(kPgBeginDays);
  static constexpr int64_t kLast = last_before_day<kUnit>(kPgEndDays);
  FractionLimit fraction;

  static bool in_range(int64_t v) { return v >= kFirst && v <= kLast; }
  // From 2000-01-01: the last years of the range fit 64 bits only so. REQUIRES: in_range(v).
  static int64_t pg_micros(int64_t v) {
    if constexpr (kUnit == TimeUnit::kNano) return v / 1000 - pg_binary::kEpochMicros;
    return (v - kEpoch) * Unit<kUnit>::kMicros;
  }
  bool fits(int64_t v) const {
    return in_range(v) && Unit<kUnit>::is_whole_micros(v) && fraction.keeps(pg_micros(v));
  }
  uint8_t* put(uint8_t* out, int64_t v, uint32_t) const {
    store_be64(out, static_cast<uint64_t>(pg_micros(v)));
    return out + 8;
  }
  std::string explain(int64_t v) const {
    if (!in_range(v))
      return fmt::format("timestamp {} is out of range", timestamp_string<kUnit>(v));
    return fmt::format("timestamp {} has digits past {}", timestamp_string<kUnit>(v),
                       fraction.name());
  }
};

template <TimeUnit kUnit>
struct PgTimestampText {
  using Value = int64_t;
  static constexpr int kMaxBytes = date_text::kMaxPgDateBytes + 26;
  bool zoned;
  const DateTable* table = &DateTable::get();

  char* format(char* out, int64_t v) const {
    const Split<kUnit> at(v);
    out = date_text::put_pg_date(out, at.days, *table);
    *out++ = ' ';
    out = date_text::put_clock(out, at.seconds());
    out = date_text::put_fraction(out, at.fraction(), Unit<kUnit>::kDigits);
    if (zoned) {
      std::memcpy(out, "+00", 3);
      out += 3;
    }
    return date_text::is_bc(at.days) ? date_text::put_bc(out) : out;
  }
};

template <TimeUnit kUnit>
struct SqliteTimestamp {
  using Value = int64_t;
  static constexpr uint32_t kShared = 0;
  static constexpr int64_t kFirst = first_of_day<kUnit>(date_text::kYear0);
  static constexpr int64_t kLast = last_before_day<kUnit>(date_text::kYear10000);
  static constexpr uint32_t kWholeBytes = date_text::kDateBytes + 9;
  bool zoned;
  const DateTable* table = &DateTable::get();

  uint32_t measure(int64_t v) const {
    if (v < kFirst || v > kLast) return kRejectedCell;
    uint32_t bytes = kWholeBytes + (zoned ? 1 : 0);
    if (v % Unit<kUnit>::kPerSecond != 0) bytes += 1 + Unit<kUnit>::kDigits;
    return sqlite_record::serial_of_text(bytes);
  }
  uint8_t* put(uint8_t* bytes, int64_t v, uint32_t) const {
    const Split<kUnit> at(v);
    char* out = date_text::put_date(reinterpret_cast<char*>(bytes), at.days, *table);
    *out++ = ' ';
    out = date_text::put_clock(out, at.seconds());
    out = date_text::put_fraction(out, at.fraction(), Unit<kUnit>::kDigits);
    if (zoned) *out++ = 'Z';
    return reinterpret_cast<uint8_t*>(out);
  }
  std::string explain(int64_t v) const {
    return fmt::format("timestamp {} is not within the years 0000 to 9999",
                       timestamp_string<kUnit>(v));
  }
};

// Seconds from 1970-01-01.
template <TimeUnit kUnit>
struct SqliteUnixTime {
  using Value = int64_t;
  static constexpr uint32_t kShared = 0;
  static constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;

  static bool in_range(int64_t v) {
    return v >= SqliteTimestamp<kUnit>::kFirst && v <= SqliteTimestamp<kUnit>::kLast;
  }
  uint32_t measure(int64_t v) const {
    if (!in_range(v) || v % kPerSecond != 0) return kRejectedCell;
    return sqlite_record::serial_of_integer(v / kPerSecond);
  }
  uint8_t* put(uint8_t* out, int64_t v, uint32_t serial) const {
    return sqlite_record::put_integer(out, v / kPerSecond, serial);
  }
  std::string explain(int64_t v) const {
    return fmt::format("timestamp {} {}", timestamp_string<kUnit>(v),
                       in_range(v) ? "has a fraction of a second, which --date integer would cut"
                                   : "is not within the years 0000 to 9999");
  }
};

// The Julian day. Milliseconds come back from it: SQLite's own functions have no more.
template <TimeUnit kUnit>
struct SqliteJulianTime {
  using Value = int64_t;
  static constexpr uint32_t kShared = sqlite_record::kSerialReal;
  static constexpr int64_t kPerSecond = Unit<kUnit>::kPerSecond;
  static constexpr int64_t kPerMilli = kPerSecond > 1000 ? kPerSecond / 1000 : 1;
  static constexpr int64_t kMillis = kPerSecond > 1000 ? 1 : 1000 / kPerSecond;

  bool fits(int64_t v) const { return SqliteUnixTime<kUnit>::in_range(v) && v % kPerMilli == 0; }
  uint8_t* put(uint8_t* out, int64_t v, uint32_t) const {
    // As SQLite does it, from a whole number of milliseconds.
    constexpr double kMillisPerDay = 86400000.0;
    constexpr auto kMillisOf1970 = static_cast<int64_t>(kJulianOf1970 * kMillisPerDay);
    const int64_t millis = v / kPerMilli * kMillis + kMillisOf1970;
    return sqlite_record::put_real(out, static_cast<double>(millis) / kMillisPerDay);
  }
  std::string explain(int64_t v) const {
    return fmt::format("timestamp {} {}", timestamp_string<kUnit>(v),
                       SqliteUnixTime<kUnit>::in_range(v)
                           ? "has digits past the millisecond, which a Julian day would lose"
                           : "is not within the years 0000 to 9999");
  }
};

Error zone_mismatch(const DataType& type, const TargetType& target) {
  Error error = type_mismatch(type, target);
  error.hint =
      type.timezone.empty()
          ? "the source has no zone, so its values are no instants: use a timestamp column, or "
            "give the source column its zone"
          : "the source's values are instants: use a timestamptz column";
  return error;
}

template <TimeUnit kUnit>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format, ValueOptions::Date stored) {
  using Reader = FixedReader<int64_t>;
  const bool zoned = !type.timezone.empty();
  if (format == RowFormat::kSqliteRecord && stored != ValueOptions::Date::kText) {
    if (!takes_sqlite_date(target, stored)) return type_mismatch(type, target);
    if (stored == ValueOptions::Date::kReal) {
      return column_codec<Reader, sqlite_record::Cells>(SqliteJulianTime<kUnit>{});
    }
    return column_codec<Reader, sqlite_record::Cells>(SqliteUnixTime<kUnit>{});
  }
  if (format == RowFormat::kSqliteRecord) {
    return column_codec<Reader, sqlite_record::Cells>(SqliteTimestamp<kUnit>{zoned});
  }
  if (target.base != "timestamp" && target.base != "timestamptz")
    return type_mismatch(type, target);
  if (zoned != (target.base == "timestamptz")) return zone_mismatch(type, target);
  const PgTimestamp<kUnit> binary{
      FractionLimit(zoned ? "timestamptz" : "timestamp", target.typmod)};
  if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(binary);
  return text_codec<Reader>(binary, PgTimestampText<kUnit>{zoned});
}

bool handles(const DataType& type) { return type.id == TypeId::kTimestamp; }

TargetType default_target(const DataType& type, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  if (type.timezone.empty()) return {"timestamp", "timestamp", -1};
  return {"timestamptz", "timestamptz", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  switch (type.unit) {
    case TimeUnit::kSecond:
      return make_for<TimeUnit::kSecond>(type, target, format, options.date);
    case TimeUnit::kMilli:
      return make_for<TimeUnit::kMilli>(type, target, format, options.date);
    case TimeUnit::kMicro:
      return make_for<TimeUnit::kMicro>(type, target, format, options.date);
    default:
      return make_for<TimeUnit::kNano>(type, target, format, options.date);
  }
}

}  // namespace

const TypeFamily kTimestampFamily = {"timestamp", handles, default_target, make};

}  // namespace headrace
