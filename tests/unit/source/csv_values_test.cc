#include "source/csv_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace headrace {
namespace {

bool is_int(std::string_view text) {
  int64_t out;
  return parse_csv_int64(text, &out);
}
bool is_float(std::string_view text) {
  double out;
  return parse_csv_float64(text, &out);
}

TEST(CsvValues, Integers) {
  for (const char* text : {"0", "1", "-1", "9223372036854775807", "-9223372036854775808"})
    EXPECT_TRUE(is_int(text)) << text;
  for (const char* text : {"", "-", "007", "00", "-0", "+1", " 1", "1 ", "1.0", "1e3",
                           "9223372036854775808", "0x10"}) {
    EXPECT_FALSE(is_int(text)) << text;
  }
}

TEST(CsvValues, FloatsKeepEveryDigit) {
  for (const char* text :
       {"0", "0.0", "-0", "1", "1.5", ".5", "5.", "-1.25e10", "1E-3", "123456789012345", "0.1",
        "0.30000000000000004", "1.7976931348623157e308", "9007199254740992", "1.100000", "5e-324",
        "100000000000000000000000"}) {
    EXPECT_TRUE(is_float(text)) << text;
  }
  for (const char* text : {"", ".", "-", "e5", "1e", "007", "007.5", "+1", "nan", "NaN", "inf",
                           "0x1p3", "1.2.3", "1.10000000000000000001", "9007199254740993",
                           "0.1000000000000000055511151231257827", "1e400", "1e-400", "1 "}) {
    EXPECT_FALSE(is_float(text)) << text;
  }
  double out = 0;
  ASSERT_TRUE(parse_csv_float64("-0", &out));
  EXPECT_TRUE(std::signbit(out));
}

TEST(CsvValues, Dates) {
  int32_t out = 0;
  ASSERT_TRUE(parse_csv_date("1970-01-01", &out));
  EXPECT_EQ(out, 0);
  ASSERT_TRUE(parse_csv_date("2000-02-29", &out));
  EXPECT_EQ(out, 11016);
  ASSERT_TRUE(parse_csv_date("0001-01-01", &out));
  EXPECT_EQ(out, -719162);
  ASSERT_TRUE(parse_csv_date("9999-12-31", &out));
  EXPECT_EQ(out, 2932896);
  for (const char* text : {"1900-02-29", "2001-13-01", "2001-00-01", "2001-01-32", "2001-1-1",
                           "01.02.2001", "0000-01-01", "2001-01-01 "}) {
    EXPECT_FALSE(parse_csv_date(text, &out)) << text;
  }
}

TEST(CsvValues, Timestamps) {
  int64_t out = 0;
  ASSERT_TRUE(parse_csv_timestamp("1970-01-02 00:00:01.5", &out));
  EXPECT_EQ(out, 86401500000);
  ASSERT_TRUE(parse_csv_timestamp("1969-12-31T23:59", &out));
  EXPECT_EQ(out, -60000000);
  ASSERT_TRUE(parse_csv_timestamp("1970-01-01 00:00:00.000001", &out));
  EXPECT_EQ(out, 1);
  ASSERT_TRUE(parse_csv_timestamp_utc("1970-01-01T02:00:00+02:00", &out));
  EXPECT_EQ(out, 0);
  ASSERT_TRUE(parse_csv_timestamp_utc("1970-01-01 00:00:00-0130", &out));
  EXPECT_EQ(out, 5400000000);
  ASSERT_TRUE(parse_csv_timestamp_utc("1970-01-01 00:00:00Z", &out));
  for (const char* text :
       {"1970-01-01", "1970-01-01 24:00", "1970-01-01 00:60", "1970-01-01 00:00:60",
        "1970-01-01 00:00:00.1234567", "1970-01-01 00:00:00.", "1970-01-01 00:00:00Z",
        "1970-01-01 1:00", "1970-02-30 00:00"}) {
    EXPECT_FALSE(parse_csv_timestamp(text, &out)) << text;
  }
  for (const char* text :
       {"1970-01-01 00:00:00", "1970-01-01 00:00:00+2", "1970-01-01 00:00:00+02:0",
        "1970-01-01 00:00:00+02:", "1970-01-01 00:00:00z", "1970-01-01 00:00:00+16:00"}) {
    EXPECT_FALSE(parse_csv_timestamp_utc(text, &out)) << text;
  }
}

TEST(CsvValues, TheMostSpecificKindWins) {
  const auto kind = [](std::initializer_list<const char*> cells) {
    uint32_t kinds = kAllCsvKinds;
    for (const char* cell : cells) kinds = csv_kinds_of(cell, kinds);
    return most_specific(kinds);
  };
  EXPECT_EQ(kind({"true", "FALSE"}), CsvKind::kBool);
  EXPECT_EQ(kind({"1", "-2"}), CsvKind::kInt64);
  EXPECT_EQ(kind({"1", "2.5"}), CsvKind::kFloat64);
  EXPECT_EQ(kind({"9007199254740993", "2.5"}), CsvKind::kText);
  EXPECT_EQ(kind({"007", "8"}), CsvKind::kText);
  EXPECT_EQ(kind({"2024-01-01"}), CsvKind::kDate);
  EXPECT_EQ(kind({"2024-01-01 10:00"}), CsvKind::kTimestamp);
  EXPECT_EQ(kind({"2024-01-01 10:00Z"}), CsvKind::kTimestampUtc);
  EXPECT_EQ(kind({"2024-01-01", "2024-01-01 10:00"}), CsvKind::kText);
  EXPECT_EQ(kind({"1", "x"}), CsvKind::kText);
}

}  // namespace
}  // namespace headrace
