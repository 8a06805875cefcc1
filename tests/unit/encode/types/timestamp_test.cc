#include <chrono>
#include <random>

#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

const TargetType kPlain{"timestamp", "timestamp", -1};
const TargetType kZoned{"timestamptz", "timestamptz", -1};
const TargetType kText{"TEXT", "TEXT", -1};

std::string one(const std::string& source, const TargetType& target, const std::string& value,
                RowFormat format = RowFormat::kPgBinary) {
  const DataType type = type_of(source);
  const std::string cell = encode_one(type, target, format, raw_value(type, value));
  return format == RowFormat::kPgBinary && !cell.starts_with("rejected") ? hex(cell) : cell;
}

TEST(Timestamp, EndsOfTheServersRange) {
  EXPECT_EQ(one("timestamp[us]", kPlain, "-210866803200000000"), "00000008fd0f7cc1411fa000");
  EXPECT_EQ(one("timestamp[us]", kPlain, "-210866803200000001"),
            "rejected: timestamp 4714-11-23 23:59:59.999999 BC is out of range");
  EXPECT_EQ(one("timestamp[s]", kPlain, "9224318015999"), "000000087fffff5bb3a35dc0");
  EXPECT_EQ(one("timestamp[s]", kPlain, "9224318016000"),
            "rejected: timestamp 294277-01-01 00:00:00 is out of range");
  EXPECT_TRUE(one("timestamp[s]", kPlain, "9223372036854775807").starts_with("rejected"));
  EXPECT_TRUE(one("timestamp[ms]", kPlain, "-9223372036854775808").starts_with("rejected"));
  EXPECT_TRUE(one("timestamp[us]", kPlain, "9223372036854775807").starts_with("00000008"));
  EXPECT_TRUE(one("timestamp[ns]", kPlain, "9223372036854775000").starts_with("00000008"));
}

TEST(Timestamp, DigitsThatTheServerWouldRoundAreRejected) {
  EXPECT_EQ(one("timestamp[ns]", kPlain, "946684800000000001"),
            "rejected: timestamp 2000-01-01 00:00:00.000000001 has digits past microseconds");
  EXPECT_EQ(one("timestamp[ns]", kPlain, "-1"),
            "rejected: timestamp 1969-12-31 23:59:59.999999999 has digits past microseconds");
  EXPECT_EQ(one("timestamp[ns]", kPlain, "946684799999999000"), "00000008ffffffffffffffff");
  const TargetType tenths{"timestamp(1)", "timestamp", 1};
  EXPECT_EQ(one("timestamp[ms]", tenths, "-100"), one("timestamp[ms]", kPlain, "-100"));
  EXPECT_EQ(one("timestamp[ms]", tenths, "-150"),
            "rejected: timestamp 1969-12-31 23:59:59.850 has digits past timestamp(1)");
}

TEST(Timestamp, ZonesDoNotMix) {
  const auto make = [](const char* source, const TargetType& target) {
    const DataType type = type_of(source);
    return find_type_family(type)->make(type, target, RowFormat::kPgBinary, {});
  };
  EXPECT_TRUE(make("timestamp[us, tz=Europe/Paris]", kZoned).ok());
  auto naive = make("timestamp[us]", kZoned);
  ASSERT_FALSE(naive.ok());
  EXPECT_EQ(naive.error().code, ErrorCode::kTypeMismatch);
  EXPECT_NE(naive.error().hint.find("no zone"), std::string::npos);
  auto zoned = make("timestamp[us, tz=UTC]", kPlain);
  ASSERT_FALSE(zoned.ok());
  EXPECT_NE(zoned.error().hint.find("timestamptz"), std::string::npos);
  EXPECT_FALSE(make("timestamp[us]", {"date", "date", -1}).ok());
}

TEST(Timestamp, SqliteText) {
  const RowFormat format = RowFormat::kSqliteRecord;
  EXPECT_EQ(one("timestamp[s]", kText, "0", format), sqlite_text("1970-01-01 00:00:00"));
  EXPECT_EQ(one("timestamp[ms]", kText, "-1", format), sqlite_text("1969-12-31 23:59:59.999"));
  EXPECT_EQ(one("timestamp[us]", kText, "1700000000000000", format),
            sqlite_text("2023-11-14 22:13:20"));
  EXPECT_EQ(one("timestamp[us]", kText, "1700000000120000", format),
            sqlite_text("2023-11-14 22:13:20.120000"));
  EXPECT_EQ(one("timestamp[ns]", kText, "1700000000000000001", format),
            sqlite_text("2023-11-14 22:13:20.000000001"));
  EXPECT_EQ(one("timestamp[us, tz=Asia/Tokyo]", kText, "1700000000000000", format),
            sqlite_text("2023-11-14 22:13:20Z"));
  EXPECT_EQ(one("timestamp[ms, tz=UTC]", kText, "5", format),
            sqlite_text("1970-01-01 00:00:00.005Z"));
  EXPECT_EQ(one("timestamp[s]", kText, "253402300799", format), sqlite_text("9999-12-31 23:59:59"));
  EXPECT_EQ(one("timestamp[s]", kText, "253402300800", format),
            "rejected: timestamp 10000-01-01 00:00:00 is not within the years 0000 to 9999");
  EXPECT_EQ(one("timestamp[s]", kText, "-62167219200", format), sqlite_text("0000-01-01 00:00:00"));
  EXPECT_TRUE(one("timestamp[s]", kText, "-62167219201", format).starts_with("rejected"));
}

TEST(Timestamp, RandomInstantsAgainstChrono) {
  std::mt19937_64 random(9);
  std::vector<Raw> values;
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    const int64_t v = static_cast<int64_t>(random() % 315000000000000000) - 62000000000000000;
    const auto at = std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(v));
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{at - day};
    char text[40];
    std::snprintf(
        text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d.%06d", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    values.push_back(raw(v));
    expected.push_back(sqlite_text(text));
  }
  const Encoded out = encode(type_of("timestamp[us]"), kText, RowFormat::kSqliteRecord, values);
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(out.cells[i], expected[i]);
}

}  // namespace
}  // namespace headrace::test
