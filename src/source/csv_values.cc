#include "source/csv_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace headrace {
namespace {

constexpr int kExactDigits = 15;  // every decimal of so many digits survives a double
constexpr int64_t kMicrosOfSecond = 1'000'000;
constexpr int64_t kMicrosOfMinute = 60 * kMicrosOfSecond;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// Digits of a number without its sign, exponent and leading and trailing zeros, and where the point
// stands relative to them: the same for every way of writing the same value.
struct Decimal {
  std::string digits;
  int64_t exponent = 0;
};

// Splits [-]digits[.digits][e[+-]digits]; false when `text` is not of that form.
bool split_number(std::string_view text, Decimal* out) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t first = at;
  int64_t point = -1, digits = 0;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && point < 0)); ++at) {
    if (text[at] == '.') {
      point = digits;
      continue;
    }
    out->digits += text[at];
    ++digits;
  }
  // 007.5 is no number that anybody writes.
  if (digits == 0 || (text[first] == '0' && first + 1 < text.size() && is_digit(text[first + 1])))
    return false;
  out->exponent = point < 0 ? digits : point;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && text[at] == '+') ++at;
    int64_t exponent = 0;
    const auto [end, error] =
        std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (error != std::errc() || std::abs(exponent) > 1000) return false;
    out->exponent += exponent;
    at = static_cast<size_t>(end - text.data());
  }
  const size_t leading = std::min(out->digits.find_first_not_of('0'), out->digits.size());
  out->exponent -= static_cast<int64_t>(leading);
  out->digits.erase(0, leading);
  out->digits.erase(out->digits.find_last_not_of('0') + 1);
  if (out->digits.empty()) out->exponent = 0;
  return at == text.size();
}

bool two_digits(std::string_view text, size_t at, int* out) {
  if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return false;
  *out = (text[at] - '0') * 10 + (text[at + 1] - '0');
  return true;
}

// Days since 1970-01-01 of a proleptic Gregorian date.
int32_t days_from_civil(int year, int month, int day) {
  year -= month <= 2;
  const int era = year / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int days_of_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[static_cast<size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

// hh:mm[:ss[.ffffff]] at the front of `text`, which is shortened by it.
bool take_time(std::string_view* text, int64_t* micros) {
  int hour = 0, minute = 0, second = 0;
  if (!two_digits(*text, 0, &hour) || text->size() < 5 || (*text)[2] != ':' ||
      !two_digits(*text, 3, &minute))
    return false;
  text->remove_prefix(5);
  int64_t fraction = 0;
  if (text->starts_with(':')) {
    if (!two_digits(*text, 1, &second)) return false;
    text->remove_prefix(3);
    if (text->starts_with('.')) {
      size_t digits = 1;
      int64_t unit = kMicrosOfSecond;
      for (; digits < text->size() && is_digit((*text)[digits]); ++digits) {
        unit /= 10;
        fraction += unit * ((*text)[digits] - '0');
      }
      if (digits == 1 || digits > 7) return false;
      text->remove_prefix(digits);
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *micros = (hour * 60 + minute) * kMicrosOfMinute + second * kMicrosOfSecond + fraction;
  return true;
}

// Z, +hh, +hhmm, +hh:mm and nothing behind it.
bool parse_offset(std::string_view text, int64_t* micros) {
  *micros = 0;
  if (text == "Z") return true;
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  int hours = 0, minutes = 0;
  if (!two_digits(text, 1, &hours)) return false;
  std::string_view rest = text.substr(3);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  if (!rest.empty() && (rest.size() != 2 || !two_digits(rest, 0, &minutes))) return false;
  if (rest.empty() && text.size() != 3) return false;
  if (hours > 15 || minutes > 59) return false;
  *micros = (hours * 60 + minutes) * kMicrosOfMinute * (text[0] == '-' ? -1 : 1);
  return true;
}

// A timestamp up to its zone, which stays in `rest`.
bool take_timestamp(std::string_view text, int64_t* micros, std::string_view* rest) {
  int32_t days = 0;
  int64_t time = 0;
  if (text.size() < 16 || (text[10] != ' ' && text[10] != 'T')) return false;
  if (!parse_csv_date(text.substr(0, 10), &days)) return false;
  *rest = text.substr(11);
  if (!take_time(rest, &time)) return false;
  *micros = days * 24LL * 60 * kMicrosOfMinute + time;
  return true;
}

bool is_kind(CsvKind kind, std::string_view text) {
  bool boolean;
  int64_t integer;
  double number;
  int32_t days;
  switch (kind) {
    case CsvKind::kBool:
      return parse_csv_bool(text, &boolean);
    case CsvKind::kInt64:
      return parse_csv_int64(text, &integer);
    case CsvKind::kFloat64:
      return parse_csv_float64(text, &number);
    case CsvKind::kDate:
      return parse_csv_date(text, &days);
    case CsvKind::kTimestamp:
      return parse_csv_timestamp(text, &integer);
    case CsvKind::kTimestampUtc:
      return parse_csv_timestamp_utc(text, &integer);
    case CsvKind::kText:
      return true;
  }
  return false;
}

}  // namespace

bool parse_csv_bool(std::string_view text, bool* out) {
  *out = equals_ignoring_case(text, "true");
  return *out || equals_ignoring_case(text, "false");
}

bool parse_csv_int64(std::string_view text, int64_t* out) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || !is_digit(digits[0]) ||
      (digits[0] == '0' && (digits.size() > 1 || negative)))
    return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_csv_float64(std::string_view text, double* out) {
  // from_chars also takes nan, inf and hexadecimal forms.
  if (text.empty() || !(is_digit(text.front()) || text.front() == '-' || text.front() == '.'))
    return false;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, *out);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(*out)) return false;
  Decimal written;
  if (!split_number(text, &written)) return false;
  if (written.digits.size() <= kExactDigits && *out != 0) return true;
  if (written.digits.empty()) return true;
  // More digits: exact only if they are those of the double itself, as programs print it.
  std::array<char, 32> shortest{};
  const auto printed = std::to_chars(shortest.data(), shortest.data() + shortest.size(), *out,
                                     std::chars_format::scientific);
  Decimal again;
  return split_number({shortest.data(), static_cast<size_t>(printed.ptr - shortest.data())},
                      &again) &&
         again.digits == written.digits && again.exponent == written.exponent;
}

bool parse_csv_date(std::string_view text, int32_t* out) {
  int century = 0, year = 0, month = 0, day = 0;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!two_digits(text, 0, &century) || !two_digits(text, 2, &year) ||
      !two_digits(text, 5, &month) || !two_digits(text, 8, &day)) {
    return false;
  }
  year += century * 100;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
    return false;
  *out = days_from_civil(year, month, day);
  return true;
}

bool parse_csv_timestamp(std::string_view text, int64_t* out) {
  std::string_view rest;
  return take_timestamp(text, out, &rest) && rest.empty();
}

bool parse_csv_timestamp_utc(std::string_view text, int64_t* out) {
  std::string_view rest;
  int64_t offset = 0;
  if (!take_timestamp(text, out, &rest) || !parse_offset(rest, &offset)) return false;
  *out -= offset;
  return true;
}

uint32_t csv_kinds_of(std::string_view text, uint32_t possible) {
  for (int i = 0; i < kCsvKindCount - 1; ++i) {
    const uint32_t bit = 1u << i;
    if ((possible & bit) != 0 && !is_kind(static_cast<CsvKind>(i), text)) possible &= ~bit;
  }
  return possible;
}

CsvKind most_specific(uint32_t kinds) {
  for (int i = 0; i < kCsvKindCount; ++i) {
    if ((kinds & (1u << i)) != 0) return static_cast<CsvKind>(i);
  }
  return CsvKind::kText;
}

DataType csv_kind_type(CsvKind kind) {
  DataType type;
  switch (kind) {
    case CsvKind::kBool:
      type.id = TypeId::kBool;
      break;
    case CsvKind::kInt64:
      type.id = TypeId::kInt64;
      break;
    case CsvKind::kFloat64:
      type.id = TypeId::kFloat64;
      break;
    case CsvKind::kDate:
      type.id = TypeId::kDate32;
      break;
    case CsvKind::kTimestampUtc:
      type.timezone = "UTC";
      [[fallthrough]];
    case CsvKind::kTimestamp:
      type.id = TypeId::kTimestamp;
      type.unit = TimeUnit::kMicro;
      break;
    case CsvKind::kText:
      type.id = TypeId::kUtf8;
      break;
  }
  return type;
}

}  // namespace headrace
