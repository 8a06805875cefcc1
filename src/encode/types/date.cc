// Dates: date32 counts days, date64 milliseconds, both from 1970-01-01.
//
//   PostgreSQL   date: int4, days from 2000-01-01; 4713-11-24 BC (proleptic) to 5874897-12-31.
//                Into timestamp as midnight
//   SQLite       TEXT YYYY-MM-DD, years 0000 to 9999; other years have no form that SQLite reads,
//   and
//                are rejected. With --date integer INTEGER, seconds from 1970-01-01; with real
//                REAL, the Julian day: both as SQLite's date functions read them
//
// A date64 that is not a whole day is rejected.
#include <cstdlib>

#include "encode/codec_helpers.h"
#include "encode/format/date_text.h"
#include "encode/types/families.h"
#include "encode/types/sqlite_date.h"

#include <fmt/format.h>

namespace headrace {
namespace {

using date_text::Civil;
using date_text::DateTable;

constexpr int64_t kPgDateBegin = -2440588;      // julian day 0
constexpr int64_t kPgDateEnd = 2145042906;      // 5874898-01-01
constexpr int64_t kPgTimestampEnd = 106762940;  // 294277-01-01
constexpr int64_t kMicrosPerDay = date_text::kSecondsPerDay * 1000000;

// Days of a value of either type.
struct Date32 {
  using Value = int32_t;
  static constexpr bool is_whole(int32_t) { return true; }
  static constexpr int64_t days(int32_t v) { return v; }
};
struct Date64 {
  using Value = int64_t;
  static constexpr int64_t kMillisPerDay = date_text::kSecondsPerDay * 1000;
  static constexpr bool is_whole(int64_t v) { return v % kMillisPerDay == 0; }
  static constexpr int64_t days(int64_t v) { return v / kMillisPerDay; }
};

std::string date_string(int64_t days) {
  const Civil date = date_text::civil_from_days(days);
  if (date.year > 0) return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
  return fmt::format("{:04}-{:02}-{:02} BC", 1 - date.year, date.month, date.day);
}

// Days [kBegin, kEnd) are stored.
template <typename Source, int64_t kBegin, int64_t kEnd>
struct DateLimits {
  using Value = typename Source::Value;
  bool fits(Value v) const {
    const int64_t days = Source::days(v);
    return days >= kBegin && days < kEnd && Source::is_whole(v);
  }
  std::string explain(Value v) const {
    if (!Source::is_whole(v)) {
      return fmt::format("date64 of {} ms is not a whole number of days", v);
    }
    return fmt::format("date {} is out of range", date_string(Source::days(v)));
  }
};

template <typename Source>
struct PgDate : DateLimits<Source, kPgDateBegin, kPgDateEnd> {
  static constexpr uint32_t kShared = 4;
  uint8_t* put(uint8_t* out, typename Source::Value v, uint32_t) const {
    store_be32(out, static_cast<uint32_t>(Source::days(v) - pg_binary::kEpochDays));
    return out + 4;
  }
};

template <typename Source>
struct PgMidnight : DateLimits<Source, kPgDateBegin, kPgTimestampEnd> {
  static constexpr uint32_t kShared = 8;
  uint8_t* put(uint8_t* out, typename Source::Value v, uint32_t) const {
    store_be64(out,
               static_cast<uint64_t>((Source::days(v) - pg_binary::kEpochDays) * kMicrosPerDay));
    return out + 8;
  }
};

template <typename Source>
struct PgDateText {
  using Value = typename Source::Value;
  static constexpr int kMaxBytes = date_text::kMaxPgDateBytes + 3;
  const DateTable* table = &DateTable::get();
  char* format(char* out, Value v) const {
    const int64_t days = Source::days(v);
    out = date_text::put_pg_date(out, days, *table);
    return date_text::is_bc(days) ? date_text::put_bc(out) : out;
  }
};

template <typename Source>
struct SqliteDate : DateLimits<Source, date_text::kYear0, date_text::kYear10000> {
  static constexpr uint32_t kShared = sqlite_record::serial_of_text(date_text::kDateBytes);
  const DateTable* table = &DateTable::get();
  uint8_t* put(uint8_t* out, typename Source::Value v, uint32_t) const {
    return reinterpret_cast<uint8_t*>(
        date_text::put_date(reinterpret_cast<char*>(out), Source::days(v), *table));
  }
};

template <typename Source>
struct SqliteUnixDate {
  using Value = typename Source::Value;
  static constexpr uint32_t kShared = 0;
  DateLimits<Source, date_text::kYear0, date_text::kYear10000> limits;
  uint32_t measure(Value v) const {
    return limits.fits(v) ? sqlite_record::serial_of_integer(seconds(v)) : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, Value v, uint32_t serial) const {
    return sqlite_record::put_integer(out, seconds(v), serial);
  }
  std::string explain(Value v) const { return limits.explain(v); }

 private:
  static int64_t seconds(Value v) { return Source::days(v) * date_text::kSecondsPerDay; }
};

template <typename Source>
struct SqliteJulianDate : DateLimits<Source, date_text::kYear0, date_text::kYear10000> {
  static constexpr uint32_t kShared = sqlite_record::kSerialReal;
  uint8_t* put(uint8_t* out, typename Source::Value v, uint32_t) const {
    return sqlite_record::put_real(out, static_cast<double>(Source::days(v)) + kJulianOf1970);
  }
};

template <typename Source>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format, ValueOptions::Date stored) {
  using Reader = FixedReader<typename Source::Value>;
  if (format == RowFormat::kSqliteRecord && stored != ValueOptions::Date::kText) {
    if (!takes_sqlite_date(target, stored)) return type_mismatch(type, target);
    if (stored == ValueOptions::Date::kReal) {
      return column_codec<Reader, sqlite_record::Cells>(SqliteJulianDate<Source>{});
    }
    return column_codec<Reader, sqlite_record::Cells>(SqliteUnixDate<Source>{});
  }
  if (format == RowFormat::kSqliteRecord) {
    return column_codec<Reader, sqlite_record::Cells>(SqliteDate<Source>{});
  }
  const bool binary = format == RowFormat::kPgBinary;
  if (target.base == "date") {
    if (binary) return column_codec<Reader, pg_binary::Cells>(PgDate<Source>{});
    return text_codec<Reader>(PgDate<Source>{}, PgDateText<Source>{});
  }
  if (target.base == "timestamp") {
    if (binary) return column_codec<Reader, pg_binary::Cells>(PgMidnight<Source>{});
    return text_codec<Reader>(PgMidnight<Source>{}, PgDateText<Source>{});
  }
  return type_mismatch(type, target);
}

bool handles(const DataType& type) {
  return type.id == TypeId::kDate32 || type.id == TypeId::kDate64;
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"date", "date", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  if (type.id == TypeId::kDate32) return make_for<Date32>(type, target, format, options.date);
  return make_for<Date64>(type, target, format, options.date);
}

}  // namespace

const TypeFamily kDateFamily = {"date", handles, default_target, make};

}  // namespace headrace
