#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

std::string one(const std::string& source, const TargetType& target, const std::string& value,
                RowFormat format = RowFormat::kPgBinary) {
  const DataType type = type_of(source);
  const std::string cell = encode_one(type, target, format, raw_value(type, value));
  return format == RowFormat::kPgBinary && !cell.starts_with("rejected") ? hex(cell) : cell;
}

const TargetType kTime{"time", "time", -1};

TEST(Time, WholeRangeOfADay) {
  EXPECT_EQ(one("time32[s]", kTime, "86400"), "00000008000000141dd76000");
  EXPECT_EQ(one("time32[s]", kTime, "86401"),
            "rejected: time of 86401 s is not within 00:00:00 to 24:00:00");
  EXPECT_EQ(one("time32[ms]", kTime, "-1"),
            "rejected: time of -1 ms is not within 00:00:00 to 24:00:00");
  EXPECT_EQ(one("time64[ns]", kTime, "86400000000001"),
            "rejected: time of 86400000000001 ns is not within 00:00:00 to 24:00:00");
}

TEST(Time, DigitsThatTheServerWouldRoundAreRejected) {
  EXPECT_EQ(one("time64[ns]", kTime, "1000"), "000000080000000000000001");
  EXPECT_EQ(one("time64[ns]", kTime, "1001"),
            "rejected: time of 1001 ns has digits past microseconds");
  const TargetType millis{"time(3)", "time", 3}, seconds{"time(0)", "time", 0};
  EXPECT_EQ(one("time64[us]", millis, "5000"), "000000080000000000001388");
  EXPECT_EQ(one("time64[us]", millis, "5001"), "rejected: time of 5001 us has digits past time(3)");
  EXPECT_EQ(one("time32[ms]", seconds, "5001", RowFormat::kText),
            "rejected: time of 5001 ms has digits past time(0)");
}

TEST(Time, SqliteText) {
  const TargetType text{"TEXT", "TEXT", -1};
  const RowFormat format = RowFormat::kSqliteRecord;
  EXPECT_EQ(one("time32[s]", text, "3661", format), sqlite_text("01:01:01"));
  EXPECT_EQ(one("time32[ms]", text, "3661000", format), sqlite_text("01:01:01"));
  EXPECT_EQ(one("time32[ms]", text, "3661050", format), sqlite_text("01:01:01.050"));
  EXPECT_EQ(one("time64[us]", text, "1", format), sqlite_text("00:00:00.000001"));
  EXPECT_EQ(one("time64[ns]", text, "86399999999999", format), sqlite_text("23:59:59.999999999"));
  EXPECT_TRUE(one("time64[ns]", text, "-1", format).starts_with("rejected"));
}

TEST(Time, OtherTargetsAreRefused) {
  const DataType type = type_of("time64[us]");
  for (const char* base : {"timetz", "interval", "text"}) {
    EXPECT_FALSE(
        find_type_family(type)->make(type, {base, base, -1}, RowFormat::kPgBinary, {}).ok());
  }
}

}  // namespace
}  // namespace headrace::test
