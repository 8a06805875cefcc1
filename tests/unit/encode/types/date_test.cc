#include <chrono>

#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

const TargetType kDate{"date", "date", -1};
const TargetType kTimestamp{"timestamp", "timestamp", -1};
constexpr int64_t kDayMillis = 86400000;

std::string pg(int32_t days, const TargetType& target = kDate,
               RowFormat format = RowFormat::kPgBinary) {
  const std::string cell = encode_one(type_of("date32"), target, format, raw(days));
  return format == RowFormat::kPgBinary && !cell.starts_with("rejected") ? hex(cell) : cell;
}

TEST(Date, EndsOfTheServersRange) {
  EXPECT_EQ(pg(-2440588), "00000004ffda97a7");
  EXPECT_EQ(pg(-2440589), "rejected: date 4714-11-23 BC is out of range");
  EXPECT_EQ(pg(2145042905), "000000047fda970c");
  EXPECT_EQ(pg(2145042906), "rejected: date 5874898-01-01 is out of range");
  EXPECT_EQ(pg(INT32_MIN).substr(0, 14), "rejected: date");
  EXPECT_EQ(pg(-2440588, kDate, RowFormat::kText), "4714-11-24 BC\t");
  EXPECT_EQ(pg(2145042906, kDate, RowFormat::kText),
            "rejected: date 5874898-01-01 is out of range");
}

TEST(Date, IntoTimestampAsMidnight) {
  EXPECT_EQ(pg(10957, kTimestamp), "000000080000000000000000");
  EXPECT_EQ(pg(10956, kTimestamp), "00000008ffffffebe228a000");
  EXPECT_EQ(pg(106762939, kTimestamp).substr(0, 10), "000000087f");
  EXPECT_EQ(pg(106762940, kTimestamp), "rejected: date 294277-01-01 is out of range");
  EXPECT_FALSE(
      find_type_family(type_of("date32"))
          ->make(type_of("date32"), {"timestamptz", "timestamptz", -1}, RowFormat::kPgBinary, {})
          .ok());
}

TEST(Date, Date64IsAWholeDayOrRejected) {
  const DataType type = type_of("date64");
  const auto one = [&](int64_t v) { return encode_one(type, kDate, RowFormat::kPgBinary, raw(v)); };
  EXPECT_EQ(hex(one(10958 * kDayMillis)), "0000000400000001");
  EXPECT_EQ(hex(one(-kDayMillis)), "00000004ffffd532");
  EXPECT_EQ(one(1), "rejected: date64 of 1 ms is not a whole number of days");
  EXPECT_EQ(one(-1), "rejected: date64 of -1 ms is not a whole number of days");
  EXPECT_TRUE(one(INT64_MAX).starts_with("rejected"));
  EXPECT_TRUE(one(INT64_MIN).starts_with("rejected"));
}

TEST(Date, SqliteTextOfEveryFourDigitYear) {
  const DataType type = type_of("date32");
  std::vector<Raw> values;
  for (int32_t days = -719528; days < 2932897; days += 1009) values.push_back(raw(days));
  const Encoded out = encode(type, {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, values);
  for (size_t i = 0; i < values.size(); ++i) {
    int32_t days;
    std::memcpy(&days, values[i]->data(), 4);
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(out.cells[i], sqlite_text(text));
  }
}

TEST(Date, SqliteRejectsOtherYears) {
  EXPECT_EQ(sqlite_one("date32", raw<int32_t>(-719528)), sqlite_text("0000-01-01"));
  EXPECT_EQ(sqlite_one("date32", raw<int32_t>(-719529)),
            "rejected: date 0002-12-31 BC is out of range");
  EXPECT_EQ(sqlite_one("date32", raw<int32_t>(2932896)), sqlite_text("9999-12-31"));
  EXPECT_EQ(sqlite_one("date32", raw<int32_t>(2932897)),
            "rejected: date 10000-01-01 is out of range");
  const Encoded out = encode(type_of("date32"), {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord,
                             {raw<int32_t>(0), {}, raw<int32_t>(9999999), raw<int32_t>(1)});
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_TRUE(out.rejects.contains(2));
  EXPECT_EQ(out.cells[3], sqlite_text("1970-01-02"));
}

}  // namespace
}  // namespace headrace::test
