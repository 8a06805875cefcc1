// Dates and times from text, as ISO 8601 writes them and PostgreSQL reads them under any DateStyle:
//
//   date    YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD; the first two with 4 to 7 digits of the year, and
//           with one digit of month and day where one is enough
//   time    HH:MM, HH:MM:SS, HH:MM:SS.fraction; one digit of the hour will do; 24:00 is the end of
//           the day
//   zone    Z, UTC, +HH, +HHMM, +HH:MM, +HH:MM:SS
//   text    date; time [zone]; date 'T' or blanks, time [zone]; then perhaps blanks and BC;
//           infinity, -infinity. Blanks around it do not count, nor the case of letters
//
// What the server reads in one of several ways (01/02/2024), by its settings (names of zones, a
// two-digit year) or by the clock (today) is no date here.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace::datetime_text {

// As isspace() of the C locale, which is what PostgreSQL skips.
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr std::string_view trim(std::string_view v) {
  while (!v.empty() && is_blank(v.front())) v.remove_prefix(1);
  while (!v.empty() && is_blank(v.back())) v.remove_suffix(1);
  return v;
}

constexpr bool equals_word(std::string_view v, std::string_view lower_word) {
  if (v.size() != lower_word.size()) return false;
  for (size_t i = 0; i < v.size(); ++i) {
    const char c = v[i] >= 'A' && v[i] <= 'Z' ? static_cast<char>(v[i] + 32) : v[i];
    if (c != lower_word[i]) return false;
  }
  return true;
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
constexpr int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<int>(year - era * 400);
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

constexpr int days_of_month(int64_t year, int month) {
  constexpr int8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

inline constexpr int64_t kMicrosPerSecond = 1000000;
inline constexpr int64_t kMicrosPerDay = 86400 * kMicrosPerSecond;

struct Parts {
  int64_t days = 0;    // from 1970-01-01
  int64_t micros = 0;  // of the day, up to kMicrosPerDay
  int32_t zone = 0;    // seconds east of UTC
  int infinity = 0;    // 1 or -1: the words
  bool has_date = false;
  bool has_time = false;
  bool has_zone = false;
  bool is_finer = false;  // digits past microseconds that are not 0; micros is without them
};

// Reads from the front of a text; every function returns false when there is something else.
class Cursor {
 public:
  constexpr explicit Cursor(std::string_view v) : at_(v.data()), end_(v.data() + v.size()) {}

  constexpr bool done() const { return at_ == end_; }
  constexpr char peek() const { return at_ == end_ ? '\0' : *at_; }
  constexpr size_t left() const { return static_cast<size_t>(end_ - at_); }
  constexpr std::string_view rest() const { return {at_, left()}; }
  constexpr void advance(size_t n) { at_ += n; }
  constexpr bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  constexpr bool skip_blanks() {
    const char* before = at_;
    while (at_ != end_ && is_blank(*at_)) ++at_;
    return at_ != before;
  }
  constexpr bool is_digit() const { return at_ != end_ && digit_of(*at_) <= 9; }
  constexpr int count_digits() const {
    const char* at = at_;
    while (at != end_ && digit_of(*at) <= 9) ++at;
    return static_cast<int>(at - at_);
  }
  // Exactly `count` digits. REQUIRES: they are there.
  constexpr int take_number(int count) {
    int v = 0;
    for (int i = 0; i < count; ++i) v = v * 10 + static_cast<int>(digit_of(*at_++));
    return v;
  }
  constexpr bool take_two(int* out) {
    if (left() < 2) return false;
    const uint32_t tens = digit_of(at_[0]), ones = digit_of(at_[1]);
    if (tens > 9 || ones > 9) return false;
    *out = static_cast<int>(tens * 10 + ones);
    at_ += 2;
    return true;
  }
  constexpr bool take_one_or_two(int* out) {
    if (take_two(out)) return true;
    if (!is_digit()) return false;
    *out = take_number(1);
    return true;
  }

 private:
  static constexpr uint32_t digit_of(char c) {
    return static_cast<uint32_t>(static_cast<uint8_t>(c)) - '0';
  }
  const char* at_;
  const char* end_;
};

struct CivilDate {
  int64_t year = 0;
  int month = 0;
  int day = 0;
};

constexpr bool take_date(Cursor& in, CivilDate* date) {
  const int digits = in.count_digits();
  if (digits == 8) {
    date->year = in.take_number(4);
    return in.take_two(&date->month) && in.take_two(&date->day);
  }
  if (digits < 4 || digits > 7) return false;
  date->year = in.take_number(digits);
  const char separator = in.peek();
  if (separator != '-' && separator != '/') return false;
  in.advance(1);
  return in.take_one_or_two(&date->month) && in.take(separator) && in.take_one_or_two(&date->day) &&
         !in.is_digit();
}

constexpr bool take_fraction(Cursor& in, Parts* parts) {
  constexpr int kMostDigits = 30;  // the server's buffers are short
  const int digits = in.count_digits();
  if (digits == 0 || digits > kMostDigits) return false;
  const int kept = digits < 6 ? digits : 6;
  int64_t micros = in.take_number(kept);
  for (int i = kept; i < 6; ++i) micros *= 10;
  parts->micros += micros;
  for (int i = kept; i < digits; ++i) parts->is_finer |= in.take_number(1) != 0;
  return true;
}

constexpr bool take_time(Cursor& in, Parts* parts) {
  int hours = 0, minutes = 0, seconds = 0;
  if (!in.take_one_or_two(&hours) || !in.take(':') || !in.take_two(&minutes)) return false;
  parts->has_time = true;
  if (in.take(':')) {
    if (!in.take_two(&seconds)) return false;
    if (in.take('.') && !take_fraction(in, parts)) return false;
  }
  parts->micros += ((hours * 60 + minutes) * 60 + seconds) * kMicrosPerSecond;
  return minutes < 60 && seconds < 60 && parts->micros <= kMicrosPerDay &&
         !(parts->micros == kMicrosPerDay && parts->is_finer);
}

// The zone after its blanks, if there is one.
constexpr bool take_zone(Cursor& in, Parts* parts) {
  const char c = in.peek();
  if (c == 'Z' || c == 'z') {
    in.advance(1);
    return parts->has_zone = true;
  }
  if (in.left() >= 3 && equals_word(in.rest().substr(0, 3), "utc")) {
    in.advance(3);
    return parts->has_zone = true;
  }
  if (c != '+' && c != '-') return true;
  in.advance(1);
  int hours = 0, minutes = 0, seconds = 0;
  if (!in.take_two(&hours)) return false;
  if (in.take(':')) {
    if (!in.take_two(&minutes)) return false;
    if (in.take(':') && !in.take_two(&seconds)) return false;
  } else if (in.is_digit() && !in.take_two(&minutes)) {
    return false;
  }
  const int zone = (hours * 60 + minutes) * 60 + seconds;
  parts->zone = c == '-' ? -zone : zone;
  parts->has_zone = true;
  return hours < 16 && minutes < 60 && seconds < 60 && !in.is_digit();
}

constexpr bool take_infinity(std::string_view v, Parts* parts) {
  const bool negative = !v.empty() && v.front() == '-';
  if (!equals_word(v.substr(negative ? 1 : 0), "infinity")) return false;
  parts->infinity = negative ? -1 : 1;
  return true;
}

// False when the text is none of the forms above, or its day does not exist.
constexpr bool parse(std::string_view text, Parts* parts) {
  *parts = {};
  text = trim(text);
  Cursor in(text);
  CivilDate date;
  bool bc = false;
  const bool starts_with_time =
      text.size() >= 3 && (text[1] == ':' || text[2] == ':');  // no year is so short
  if (!in.is_digit()) return take_infinity(text, parts);
  if (!starts_with_time) {
    if (!take_date(in, &date)) return false;
    parts->has_date = true;
  }
  bool blanks = false;
  if (starts_with_time) {
    if (!take_time(in, parts)) return false;
    blanks = in.skip_blanks();
  } else if (!in.done()) {
    const bool letter = in.take('T') || in.take('t');
    blanks = !letter && in.skip_blanks();
    if (!letter && !blanks) return false;
    if (letter || in.is_digit()) {
      if (!take_time(in, parts)) return false;
      blanks = in.skip_blanks();
    }
  }
  if (parts->has_time && !in.done() && !equals_word(in.rest(), "bc")) {
    if (!take_zone(in, parts)) return false;
    blanks = in.skip_blanks();
  }
  if (parts->has_date && blanks && equals_word(in.rest(), "bc")) {
    bc = true;
    in.advance(2);
  }
  if (!in.done()) return false;
  if (!parts->has_date) return true;
  const int64_t year = bc ? 1 - date.year : date.year;
  if (date.year == 0 || date.month < 1 || date.month > 12 || date.day < 1) return false;
  if (date.day > days_of_month(year, date.month)) return false;
  parts->days = days_from_civil(year, date.month, date.day);
  return true;
}

// Whether the text is a date with the year at its end, or with a short year: 01/02/2024, 1.2.24.
constexpr bool is_ambiguous(std::string_view text) {
  Cursor in(trim(text));
  int number = 0;
  if (!in.take_one_or_two(&number)) return false;
  const char separator = in.peek();
  if (separator != '/' && separator != '.' && separator != '-') return false;
  in.advance(1);
  if (!in.take_one_or_two(&number) || !in.take(separator)) return false;
  return in.is_digit();
}

}  // namespace headrace::datetime_text
