#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

const TargetType kInterval{"interval", "interval", -1};

std::string one(const std::string& source, const TargetType& target, const std::string& value,
                RowFormat format = RowFormat::kPgBinary) {
  const DataType type = type_of(source);
  const std::string cell = encode_one(type, target, format, raw_value(type, value));
  return format == RowFormat::kPgBinary && !cell.starts_with("rejected") ? hex(cell) : cell;
}

TEST(Interval, PartsStayApart) {
  EXPECT_EQ(one("interval_month_day_nano", kInterval, "1,-2,3000"),
            "00000010"
            "0000000000000003"
            "fffffffe"
            "00000001");
  EXPECT_EQ(one("interval_day_time", kInterval, "-1,-1500"),
            "00000010"
            "ffffffffffe91ca0"
            "ffffffff"
            "00000000");
  EXPECT_EQ(one("interval_months", kInterval, "-14"),
            "00000010"
            "0000000000000000"
            "00000000"
            "fffffff2");
}

TEST(Interval, DigitsThatTheServerWouldRoundAreRejected) {
  EXPECT_EQ(one("duration[ns]", kInterval, "-1500"),
            "rejected: interval PT-0.0000015S has digits past microseconds");
  // interval(2): all fields, two digits.
  const TargetType hundredths{"interval(2)", "interval", 2147418114};
  EXPECT_EQ(one("duration[ms]", hundredths, "10"), one("duration[ms]", kInterval, "10"));
  EXPECT_EQ(one("duration[ms]", hundredths, "15"),
            "rejected: interval PT0.015S has digits past interval(2)");
}

TEST(Interval, DurationsPast64BitsOfMicrosecondsAreRejected) {
  EXPECT_EQ(one("duration[s]", kInterval, "9223372036854"),
            one("duration[us]", kInterval, "9223372036854000000"));
  EXPECT_EQ(one("duration[s]", kInterval, "9223372036855"),
            "rejected: interval PT2562047788H55S is out of range");
  EXPECT_TRUE(one("duration[ms]", kInterval, "-9223372036854775808").starts_with("rejected"));
  EXPECT_EQ(one("duration[us]", kInterval, "9223372036854775807"),
            "00000010"
            "7fffffffffffffff"
            "00000000"
            "00000000");
  EXPECT_EQ(one("duration[us]", kInterval, "-9223372036854775808"),
            "00000010"
            "8000000000000000"
            "00000000"
            "00000000");
}

TEST(Interval, TargetsOfFewerFieldsAreRefused) {
  const DataType type = type_of("duration[us]");
  // interval year to month, interval day to second(3)
  for (const int32_t typmod : {458751, 476839939}) {
    EXPECT_FALSE(find_type_family(type)
                     ->make(type, {"interval", "interval", typmod}, RowFormat::kPgBinary, {})
                     .ok());
  }
  EXPECT_FALSE(
      find_type_family(type)->make(type, {"time", "time", -1}, RowFormat::kPgBinary, {}).ok());
}

TEST(Interval, SqliteIso8601) {
  const auto lite = [](const char* source, const char* value) {
    return one(source, {"TEXT", "TEXT", -1}, value, RowFormat::kSqliteRecord);
  };
  EXPECT_EQ(lite("duration[us]", "3723500000"), sqlite_text("PT1H2M3.5S"));
  EXPECT_EQ(lite("duration[ns]", "1"), sqlite_text("PT0.000000001S"));
  EXPECT_EQ(lite("duration[s]", "0"), sqlite_text("PT0S"));
  EXPECT_EQ(lite("duration[s]", "-9223372036854775808"),
            sqlite_text("PT-2562047788015215H-30M-8S"));
  EXPECT_EQ(lite("interval_months", "1"), sqlite_text("P1M"));
  EXPECT_EQ(lite("interval_months", "-2147483648"), sqlite_text("P-178956970Y-8M"));
  EXPECT_EQ(lite("interval_day_time", "3,0"), sqlite_text("P3D"));
  EXPECT_EQ(lite("interval_day_time", "0,-2147483648"), sqlite_text("PT-596H-31M-23.648S"));
  EXPECT_EQ(lite("interval_month_day_nano", "13,40,-9223372036854775808"),
            sqlite_text("P1Y1M40DT-2562047H-47M-16.854775808S"));
  EXPECT_EQ(lite("interval_month_day_nano", "-2147483648,-2147483648,-9223372036854775808"),
            sqlite_text("P-178956970Y-8M-2147483648DT-2562047H-47M-16.854775808S"));
}

}  // namespace
}  // namespace headrace::test
