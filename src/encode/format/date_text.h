// Dates and times of day as ISO 8601 text, by table.
//
//   date         YYYY-MM-DD, proleptic Gregorian; year 0 is 1 BC
//   time of day  HH:MM:SS, then a fraction
//
// Dates of 1900 to 2100, the usual ones, are copied from a table of ready strings.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace headrace::date_text {

inline constexpr int kDateBytes = 10;
inline constexpr int64_t kSecondsPerDay = 86400;
// Days from 1970-01-01 of the years that four digits hold.
inline constexpr int64_t kYear0 = -719528;      // 0000-01-01
inline constexpr int64_t kYear10000 = 2932897;  // 10000-01-01

struct Civil {
  int64_t year;
  int month;
  int day;
};

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
constexpr Civil civil_from_days(int64_t days) {
  days += 719468;  // from 0000-03-01: the leap day ends a year
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;  // of 400 years
  const auto day_of_era = static_cast<int>(days - era * 146097);
  const int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int month = (5 * day_of_year + 2) / 153;  // from March
  const int day = day_of_year - (153 * month + 2) / 5 + 1;
  const int64_t year = year_of_era + era * 400 + (month >= 10 ? 1 : 0);
  return {year, month < 10 ? month + 3 : month - 9, day};
}

// "00" to "99" in one row.
inline constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> digits{};
  for (int i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

inline char* put_two(char* out, uint32_t v) {
  std::memcpy(out, &kTwoDigits[2 * v], 2);
  return out + 2;
}

// REQUIRES: 0 <= year <= 9999.
inline char* put_civil(char* out, const Civil& date) {
  out = put_two(out, static_cast<uint32_t>(date.year / 100));
  out = put_two(out, static_cast<uint32_t>(date.year % 100));
  *out++ = '-';
  out = put_two(out, static_cast<uint32_t>(date.month));
  *out++ = '-';
  return put_two(out, static_cast<uint32_t>(date.day));
}

inline constexpr int64_t kTableBegin = -25567;  // 1900-01-01
inline constexpr int64_t kTableDays = 73414;    // to 2100-12-31

// The ready strings, each in 16 bytes, so that one never straddles a cache line.
class DateTable {
 public:
  DateTable() : text_(new char[kTableDays][16]) {
    for (int64_t i = 0; i < kTableDays; ++i) put_civil(text_[i], civil_from_days(kTableBegin + i));
  }
  DateTable(const DateTable&) = delete;
  DateTable& operator=(const DateTable&) = delete;
  ~DateTable() { delete[] text_; }
  const char* operator[](int64_t i) const { return text_[i]; }

  // Made when the first date codec is.
  static const DateTable& get() {
    static const DateTable table;
    return table;
  }

 private:
  char (*text_)[16];
};

// Writes the date. REQUIRES: kYear0 <= days < kYear10000.
inline char* put_date(char* out, int64_t days, const DateTable& table) {
  const auto at = static_cast<uint64_t>(days - kTableBegin);
  if (at < static_cast<uint64_t>(kTableDays)) [[likely]] {
    std::memcpy(out, table[static_cast<int64_t>(at)], kDateBytes);
    return out + kDateBytes;
  }
  return put_civil(out, civil_from_days(days));
}

// A date as PostgreSQL reads it: at least four digits of the year, which for year 0 and before is
// the one before Christ. The caller then puts " BC" at the very end; is_bc says when.
inline constexpr int kMaxPgDateBytes = 16;

inline bool is_bc(int64_t days) { return days < kYear0 + 366; }

inline char* put_pg_date(char* out, int64_t days, const DateTable& table) {
  if (days >= kYear0 + 366 && days < kYear10000) return put_date(out, days, table);
  const Civil date = civil_from_days(days);
  const int64_t year = date.year > 0 ? date.year : 1 - date.year;
  if (year < 1000) *out++ = '0';
  if (year < 100) *out++ = '0';
  if (year < 10) *out++ = '0';
  out = std::to_chars(out, out + 8, year).ptr;
  *out++ = '-';
  out = put_two(out, static_cast<uint32_t>(date.month));
  *out++ = '-';
  return put_two(out, static_cast<uint32_t>(date.day));
}

inline char* put_bc(char* out) {
  std::memcpy(out, " BC", 3);
  return out + 3;
}

// HH:MM:SS. REQUIRES: 0 <= seconds <= 86400.
inline char* put_clock(char* out, uint32_t seconds) {
  const uint32_t minutes = seconds / 60;
  const uint32_t hours = minutes / 60;
  out = put_two(out, hours);
  *out++ = ':';
  out = put_two(out, minutes - hours * 60);
  *out++ = ':';
  return put_two(out, seconds - minutes * 60);
}

// The point and `digits` digits of a fraction; nothing when the fraction is 0.
inline char* put_fraction(char* out, uint32_t fraction, int digits) {
  if (fraction == 0) return out;
  *out = '.';
  for (int i = digits; i > 0; --i) {
    out[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  return out + digits + 1;
}

}  // namespace headrace::date_text
