#include "encode/format/date_text.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace headrace::date_text {
namespace {

std::string by_chrono(int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string written(int64_t days) {
  char text[kDateBytes];
  EXPECT_EQ(put_date(text, days, DateTable::get()), text + kDateBytes);
  return std::string(text, kDateBytes);
}

TEST(DateText, EveryDayOfTheTable) {
  for (int64_t days = kTableBegin - 2; days < kTableBegin + kTableDays + 2; ++days) {
    ASSERT_EQ(written(days), by_chrono(days));
  }
  EXPECT_EQ(written(kTableBegin), "1900-01-01");
  EXPECT_EQ(written(kTableBegin + kTableDays - 1), "2100-12-31");
}

TEST(DateText, YearsOfFourDigits) {
  for (int64_t days = kYear0; days < kYear10000; days += 17)
    ASSERT_EQ(written(days), by_chrono(days));
  EXPECT_EQ(written(kYear0), "0000-01-01");
  EXPECT_EQ(written(kYear10000 - 1), "9999-12-31");
}

TEST(DateText, CivilOfTheYearsThatChronoHas) {
  for (int64_t days = -12000000; days < 11000000; days += 997) {
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
    const Civil civil = civil_from_days(days);
    ASSERT_EQ(civil.year, static_cast<int>(date.year())) << days;
    ASSERT_EQ(civil.month, static_cast<int>(static_cast<unsigned>(date.month()))) << days;
    ASSERT_EQ(civil.day, static_cast<int>(static_cast<unsigned>(date.day()))) << days;
  }
}

TEST(DateText, EverySecondOfADay) {
  char text[8], expected[16];
  for (uint32_t s = 0; s <= 86400; ++s) {
    EXPECT_EQ(put_clock(text, s), text + 8);
    std::snprintf(expected, sizeof expected, "%02u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
    ASSERT_EQ(std::string(text, 8), expected);
  }
}

TEST(DateText, FractionsHaveTheDigitsOfTheirUnitOrNone) {
  char text[16];
  const auto fraction = [&](uint32_t v, int digits) {
    return std::string(text, static_cast<size_t>(put_fraction(text, v, digits) - text));
  };
  EXPECT_EQ(fraction(0, 9), "");
  EXPECT_EQ(fraction(5, 3), ".005");
  EXPECT_EQ(fraction(120000, 6), ".120000");
  EXPECT_EQ(fraction(999999999, 9), ".999999999");
}

}  // namespace
}  // namespace headrace::date_text
