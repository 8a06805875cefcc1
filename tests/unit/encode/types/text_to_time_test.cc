#include "unit/encode/text_targets.h"

namespace headrace::test {
namespace {

std::string be(int64_t v, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(v >> (8 * i));
  return hex(out);
}

// Microseconds from 2000-01-01 of days and a time.
int64_t micros(int64_t days, int64_t hours = 0, int64_t minutes = 0, int64_t seconds = 0,
               int64_t fraction = 0) {
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000000 + fraction;
}

constexpr int64_t kJanuary31 = 8796;  // 2024-01-31, from 2000-01-01

TEST(TextToDate, IsoForms) {
  const TargetType date = target_of("date");
  for (const char* text : {"2024-01-31", " 2024-01-31\t", "2024-1-31", "2024/01/31", "20240131",
                           "02024-01-31", "2024-01-31 00:00:00", "2024-01-31T00:00:00.000"}) {
    EXPECT_EQ(parsed(date, text), be(kJanuary31, 4)) << text;
  }
  EXPECT_EQ(parsed(date, "2000-01-01"), "00000000");
  EXPECT_EQ(parsed(date, "1999-12-31"), "ffffffff");
  EXPECT_EQ(parsed(date, "2000-02-29"), be(59, 4));
  EXPECT_EQ(parsed(date, "0001-01-01"), be(-730119, 4));
  EXPECT_EQ(parsed(date, "0001-12-31 BC"), be(-730120, 4));
  EXPECT_EQ(parsed(date, "0001-02-29 bc"), be(-730426, 4));
  EXPECT_EQ(parsed(date, "4714-11-24 BC"), be(-2451545, 4));
  EXPECT_EQ(parsed(date, "5874897-12-31"), be(2145031948, 4));
  EXPECT_EQ(parsed(date, "infinity"), "7fffffff");
  EXPECT_EQ(parsed(date, " -Infinity "), "80000000");
}

TEST(TextToDate, WhatIsNoDate) {
  const TargetType date = target_of("date");
  for (const char* text : {"",
                           " ",
                           "2024-13-01",
                           "2024-00-10",
                           "2024-02-30",
                           "2023-02-29",
                           "1900-02-29",
                           "2024-01-00",
                           "0000-01-01",
                           "2024-01",
                           "2024",
                           "2024-01-31x",
                           "2024-01-31Z",
                           "2024-01-31+02",
                           "x2024-01-31",
                           "2024-01/31",
                           "2024--01-31",
                           "-2024-01-31",
                           "+2024-01-31",
                           "today",
                           "epoch",
                           "+infinity",
                           "2024-031",
                           "2024-01-31 BCE",
                           "2024-01-31BC",
                           "12:34:56",
                           "2024-001-31",
                           "24-01-31",
                           "99999999-01-01",
                           "2024-01-31 AD",
                           "Jan 31 2024",
                           "2024-01-31T",
                           "202401311"}) {
    const std::string reason = rejection(date, text);
    EXPECT_TRUE(reason.find("is not a date") != std::string::npos ||
                reason.find("could mean") != std::string::npos)
        << text << ": " << reason;
  }
  EXPECT_EQ(rejection(date, "2024-13-01"), "'2024-13-01' is not a date; expected YYYY-MM-DD");
  for (const char* text : {"01/02/2024", "1.2.2024", "01-02-24", " 31/01/2024"}) {
    EXPECT_NE(rejection(date, text).find("could mean several dates; write YYYY-MM-DD"),
              std::string::npos);
  }
  EXPECT_EQ(rejection(date, "2024-01-31 00:00:01"),
            "'2024-01-31 00:00:01' has a time of day, which date does not keep");
  EXPECT_EQ(rejection(date, "2024-01-31 00:00:00.0000001"),
            "'2024-01-31 00:00:00.0000001' has a time of day, which date does not keep");
  EXPECT_EQ(rejection(date, "2024-01-31 00:00Z"),
            "'2024-01-31 00:00Z' has a time zone, which date does not keep; use a column of "
            "timestamptz");
  EXPECT_EQ(rejection(date, "5874898-01-01"), "'5874898-01-01' is out of range for date");
  EXPECT_EQ(rejection(date, "4714-11-23 BC"), "'4714-11-23 BC' is out of range for date");
  EXPECT_EQ(rejection(date, "\x1b[31m"), "'?[31m' is not a date; expected YYYY-MM-DD");
}

TEST(TextToTimestamp, Forms) {
  const TargetType timestamp = target_of("timestamp");
  const std::string expected = be(micros(kJanuary31, 12, 34, 56, 123456), 8);
  for (const char* text :
       {"2024-01-31 12:34:56.123456", "2024-01-31T12:34:56.123456", "2024-01-31t12:34:56.1234560",
        "  2024-01-31   12:34:56.123456000 ", "20240131 12:34:56.123456"}) {
    EXPECT_EQ(parsed(timestamp, text), expected) << text;
  }
  EXPECT_EQ(parsed(timestamp, "2024-01-31"), be(micros(kJanuary31), 8));
  EXPECT_EQ(parsed(timestamp, "2024-01-31 24:00:00"), be(micros(kJanuary31 + 1), 8));
  EXPECT_EQ(parsed(timestamp, "2024-01-31 1:02"), be(micros(kJanuary31, 1, 2), 8));
  EXPECT_EQ(parsed(timestamp, "1999-12-31 23:59:59.5"), be(-500000, 8));
  EXPECT_EQ(parsed(timestamp, "0044-03-15 12:00:00 BC"), be(micros(-746117, 12), 8));
  EXPECT_EQ(parsed(timestamp, "294276-12-31 23:59:59.999999"), be(9223371331199999999, 8));
  EXPECT_EQ(parsed(timestamp, "4714-11-24 00:00:00 BC"), be(-211813488000000000, 8));
  EXPECT_EQ(parsed(timestamp, "infinity"), be(INT64_MAX, 8));
  EXPECT_EQ(parsed(timestamp, "-infinity"), be(INT64_MIN, 8));
}

TEST(TextToTimestamp, WhatIsRejected) {
  const TargetType timestamp = target_of("timestamp");
  for (const char* text :
       {"2024-01-31 25:00:00", "2024-01-31 24:00:01", "2024-01-31 12:60:00", "2024-01-31 12:00:60",
        "2024-01-31 12", "2024-01-31 12:3:4", "2024-01-31  T12:00", "2024-01-31 12:34:56.",
        "2024-01-31 12:34:56,5", "2024-01-31 12:34:56 PM", "12:34:56", "now", "1706704496"}) {
    EXPECT_NE(rejection(timestamp, text).find("is not a timestamp; expected YYYY-MM-DD HH:MM:SS"),
              std::string::npos)
        << text;
  }
  EXPECT_EQ(rejection(timestamp, "2024-01-31 12:34:56Z"),
            "'2024-01-31 12:34:56Z' has a time zone, which timestamp does not keep; use a column "
            "of timestamptz");
  EXPECT_EQ(rejection(timestamp, "2024-01-31 12:34:56.1234567"),
            "'2024-01-31 12:34:56.1234567' has digits past microseconds");
  EXPECT_EQ(rejection(target_of("timestamp", 3), "2024-01-31 12:34:56.1234"),
            "'2024-01-31 12:34:56.1234' has digits past timestamp(3)");
  EXPECT_EQ(rejection(timestamp, "294277-01-01"), "'294277-01-01' is out of range for timestamp");
  EXPECT_EQ(rejection(timestamp, "294276-12-31 24:00:00"),
            "'294276-12-31 24:00:00' is out of range for timestamp");
  EXPECT_NE(rejection(timestamp, "01/02/2024 10:00").find("could mean several dates"),
            std::string::npos);
}

TEST(TextToTimestamptz, NeedsAZone) {
  const TargetType zoned = target_of("timestamptz");
  const std::string expected = be(micros(kJanuary31, 12, 34, 56), 8);
  for (const char* text :
       {"2024-01-31 12:34:56Z", "2024-01-31T12:34:56z", "2024-01-31 12:34:56 UTC",
        "2024-01-31 14:34:56+02", "2024-01-31 14:34:56 +02", "2024-01-31 14:34:56+0200",
        "2024-01-31 14:34:56+02:00", "2024-01-31 07:04:56-05:30", "2024-01-31 12:34:57+00:00:01",
        "2024-02-01 00:34:56+12"}) {
    EXPECT_EQ(parsed(zoned, text), expected) << text;
  }
  EXPECT_EQ(parsed(zoned, "0044-03-15 12:00:00+00 BC"), be(micros(-746117, 12), 8));
  EXPECT_EQ(parsed(zoned, "infinity"), be(INT64_MAX, 8));
  for (const char* text : {"2024-01-31 12:34:56", "2024-01-31"}) {
    EXPECT_NE(rejection(zoned, text).find("has no time zone, so it is no instant"),
              std::string::npos);
  }
  for (const char* text :
       {"2024-01-31 12:34:56+16", "2024-01-31 12:34:56+02:60", "2024-01-31 12:34:56+2",
        "2024-01-31 12:34:56+02000", "2024-01-31 12:34:56 CET", "2024-01-31 12:34:56 Europe/Berlin",
        "2024-01-31 12:34:56+"}) {
    EXPECT_NE(rejection(zoned, text).find("is not a timestamp"), std::string::npos) << text;
  }
  EXPECT_NE(rejection(zoned, "294276-12-31 23:59:59-01").find("out of range for timestamptz"),
            std::string::npos);
}

TEST(TextToTimeOfDay, Forms) {
  const TargetType time = target_of("time");
  EXPECT_EQ(parsed(time, "12:34:56.5"), be(micros(0, 12, 34, 56, 500000), 8));
  EXPECT_EQ(parsed(time, " 9:05 "), be(micros(0, 9, 5), 8));
  EXPECT_EQ(parsed(time, "24:00:00"), be(micros(1), 8));
  EXPECT_EQ(rejection(time, "24:00:00.1"), "'24:00:00.1' is not a time; expected HH:MM:SS");
  EXPECT_EQ(rejection(time, "12:34:56+02"),
            "'12:34:56+02' has a time zone, which time does not keep; use a column of timetz");
  EXPECT_EQ(rejection(time, "2024-01-31 12:34:56"),
            "'2024-01-31 12:34:56' has a date, which time does not keep");
  EXPECT_EQ(rejection(time, "infinity"), "'infinity' is not a time; expected HH:MM:SS");
  EXPECT_EQ(rejection(target_of("time", 0), "12:34:56.5"), "'12:34:56.5' has digits past time(0)");
  EXPECT_EQ(rejection(time, "12:34:56 BC"), "'12:34:56 BC' is not a time; expected HH:MM:SS");

  const TargetType zoned = target_of("timetz");
  EXPECT_EQ(parsed(zoned, "12:34:56+02"), be(micros(0, 12, 34, 56), 8) + be(-7200, 4));
  EXPECT_EQ(parsed(zoned, "12:34:56Z"), be(micros(0, 12, 34, 56), 8) + be(0, 4));
  EXPECT_EQ(rejection(zoned, "12:34:56"),
            "'12:34:56' has no time zone; write one, as in 12:34:56+00");
}

TEST(TextToInterval, Forms) {
  const TargetType interval = target_of("interval");
  const auto span = [](int64_t us, int64_t days, int64_t months) {
    return be(us, 8) + be(days, 4) + be(months, 4);
  };
  EXPECT_EQ(parsed(interval, "P1Y2M3W4DT5H6M7.8S"), span(micros(0, 5, 6, 7, 800000), 25, 14));
  EXPECT_EQ(parsed(interval, "P-1Y2M"), span(0, 0, -10));
  EXPECT_EQ(parsed(interval, "PT-0.5S"), span(-500000, 0, 0));
  EXPECT_EQ(parsed(interval, "PT0S"), span(0, 0, 0));
  EXPECT_EQ(parsed(interval, "3 days 04:05:06.7"), span(micros(0, 4, 5, 6, 700000), 3, 0));
  EXPECT_EQ(parsed(interval, "-1 days +23:00:00"), span(micros(0, 23), -1, 0));
  EXPECT_EQ(parsed(interval, "1 day"), span(0, 1, 0));
  EXPECT_EQ(parsed(interval, "-100:30"), span(-micros(0, 100, 30), 0, 0));
  EXPECT_EQ(parsed(interval, "-0:30"), span(-micros(0, 0, 30), 0, 0));
  for (const char* text : {"",
                           "P",
                           "PT",
                           "P1",
                           "P1DT",
                           "P1H",
                           "PT1D",
                           "P1M1Y",
                           "P1.5D",
                           "1",
                           "1 month",
                           "-1 days 23:00:00",
                           "1 day 2",
                           "1:60",
                           "P1Y2Y",
                           "P+1Y",
                           "PT1H+5M",
                           "p1d",
                           "PT1s",
                           " P1D",
                           "P1D ",
                           "P1D "
                           "T1H"}) {
    EXPECT_NE(rejection(interval, text).find("is not an interval"), std::string::npos) << text;
  }
  EXPECT_NE(rejection(interval, "P3000000000D").find("out of range"), std::string::npos);
  EXPECT_NE(rejection(interval, "PT0.1234567S").find("past microseconds"), std::string::npos);
  // Of fields: "interval year to month" would drop the days.
  EXPECT_FALSE(find_type_family(type_of("utf8"))
                   ->make(type_of("utf8"), target_of("interval", 0x6FFFF), RowFormat::kText, {})
                   .ok());
}

TEST(TextToTime, NullsAndRejectsAmongManyRows) {
  std::vector<Raw> values;
  for (int i = 0; i < 600; ++i) {
    values.push_back(i % 7 == 3      ? Raw()
                     : i % 100 == 50 ? Raw("no date")
                                     : Raw("2000-01-" + std::to_string(10 + i % 20)));
  }
  for (const char* name : {"utf8", "utf8_view"}) {
    const Encoded out = encode(type_of(name), target_of("date"), RowFormat::kPgBinary, values);
    for (int i = 0; i < 600; ++i) {
      const auto at = static_cast<size_t>(i);
      if (i % 7 == 3) {
        ASSERT_EQ(hex(out.cells[at]), "ffffffff");
      } else if (i % 100 == 50) {
        ASSERT_EQ(out.rejects.count(i), 1u);
      } else {
        ASSERT_EQ(hex(out.cells[at]), "00000004" + be(9 + i % 20, 4));
      }
    }
  }
}

}  // namespace
}  // namespace headrace::test
