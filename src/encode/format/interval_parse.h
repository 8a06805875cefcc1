// Intervals from text, in the forms that PostgreSQL reads alike under every IntervalStyle:
//
//   ISO 8601   P1Y2M3W4DT5H6M7.8S, every number with its own minus; capitals only, no
//              blanks around it
//   clock      [N day[s]] [+-]H:MM[:SS[.fraction]], as PostgreSQL and pandas print them. After a
//              negative number of days the time needs its sign: IntervalStyle decides otherwise
#pragma once

#include <cstdint>
#include <string_view>

#include "encode/format/datetime_parse.h"

namespace headrace::interval_text {

struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
};

enum class Problem : uint8_t { kNone, kSyntax, kRange, kFiner };

using datetime_text::Cursor;

// Adds number * unit; false when Integer does not hold the sum.
template <typename Integer>
constexpr bool add(Integer* sum, int64_t number, int64_t unit) {
  int64_t product = 0, wide = 0;
  if (__builtin_mul_overflow(number, unit, &product)) return false;
  if (__builtin_add_overflow(static_cast<int64_t>(*sum), product, &wide)) return false;
  *sum = static_cast<Integer>(wide);
  return *sum == wide;
}

struct Number {
  int64_t whole = 0;   // with sign
  int64_t micros = 0;  // of the fraction, with sign
  bool has_sign = false;
  bool is_negative = false;
  bool has_fraction = false;
  bool is_finer = false;
};

// [+-]digits[.digits]. The server takes at most 15 digits.
constexpr bool take_number(Cursor& in, Number* out) {
  *out = {};
  out->is_negative = in.peek() == '-';
  out->has_sign = in.take('-') || in.take('+');
  const int digits = in.count_digits();
  if (digits == 0 || digits > 15) return false;
  for (int i = 0; i < digits; ++i) out->whole = out->whole * 10 + in.take_number(1);
  if (in.take('.')) {
    datetime_text::Parts fraction;
    if (!datetime_text::take_fraction(in, &fraction)) return false;
    out->has_fraction = true;
    out->micros = fraction.micros;
    out->is_finer = fraction.is_finer;
  }
  if (out->is_negative) {
    out->whole = -out->whole;
    out->micros = -out->micros;
  }
  return true;
}

constexpr Problem parse_iso(Cursor in, Interval* out) {
  constexpr std::string_view kDateUnits = "YMWD", kTimeUnits = "HMS";
  constexpr int64_t kSecond = datetime_text::kMicrosPerSecond;
  std::string_view units = kDateUnits;
  bool in_time = false, needs_more = true;
  while (!in.done()) {
    if (!in_time && in.take('T')) {
      in_time = needs_more = true;
      units = kTimeUnits;
      continue;
    }
    Number number;
    if (in.peek() == '+') return Problem::kSyntax;
    if (!take_number(in, &number) || in.done()) return Problem::kSyntax;
    const char letter = in.peek();
    const size_t unit = units.find(letter);
    if (unit == std::string_view::npos) return Problem::kSyntax;
    if (number.has_fraction && letter != 'S') return Problem::kSyntax;
    if (number.is_finer) return Problem::kFiner;
    units.remove_prefix(unit + 1);
    in.advance(1);
    needs_more = false;
    bool held = true;
    if (in_time) {
      const int64_t seconds = letter == 'H' ? 3600 : letter == 'M' ? 60 : 1;
      held =
          add(&out->micros, number.whole, seconds * kSecond) && add(&out->micros, number.micros, 1);
    } else if (letter == 'Y' || letter == 'M') {
      held = add(&out->months, number.whole, letter == 'Y' ? 12 : 1);
    } else {
      held = add(&out->days, number.whole, letter == 'W' ? 7 : 1);
    }
    if (!held) return Problem::kRange;
  }
  return needs_more ? Problem::kSyntax : Problem::kNone;
}

// [+-]H:MM[:SS[.fraction]] to the end of the text.
constexpr Problem parse_clock(Cursor in, Interval* out) {
  Number hours;
  if (!take_number(in, &hours) || hours.has_fraction || !in.take(':')) return Problem::kSyntax;
  int minutes = 0, seconds = 0;
  if (!in.take_two(&minutes) || minutes > 59) return Problem::kSyntax;
  datetime_text::Parts fraction;
  if (in.take(':')) {
    if (!in.take_two(&seconds) || seconds > 59) return Problem::kSyntax;
    if (in.take('.') && !datetime_text::take_fraction(in, &fraction)) return Problem::kSyntax;
  }
  if (!in.done()) return Problem::kSyntax;
  if (fraction.is_finer) return Problem::kFiner;
  const int64_t sign = hours.is_negative ? -1 : 1;
  const int64_t rest = (minutes * 60 + seconds) * datetime_text::kMicrosPerSecond + fraction.micros;
  return add(&out->micros, hours.whole, 3600 * datetime_text::kMicrosPerSecond) &&
                 add(&out->micros, rest, sign)
             ? Problem::kNone
             : Problem::kRange;
}

constexpr Problem parse(std::string_view text, Interval* out) {
  *out = {};
  Cursor in(text);
  if (in.take('P')) return parse_iso(in, out);
  text = datetime_text::trim(text);
  in = Cursor(text);
  Number number;
  Cursor ahead = in;
  if (!take_number(ahead, &number)) return Problem::kSyntax;
  if (ahead.peek() == ':') return parse_clock(in, out);
  if (number.has_fraction || !ahead.skip_blanks()) return Problem::kSyntax;
  std::string_view word = ahead.rest();
  word = word.substr(0, word.find_first_of(" \t\n\v\f\r"));
  if (!datetime_text::equals_word(word, "day") && !datetime_text::equals_word(word, "days")) {
    return Problem::kSyntax;
  }
  if (!add(&out->days, number.whole, 1)) return Problem::kRange;
  ahead.advance(word.size());
  ahead.skip_blanks();
  if (ahead.done()) return Problem::kNone;
  const bool has_sign = ahead.peek() == '-' || ahead.peek() == '+';
  if (number.is_negative && !has_sign) return Problem::kSyntax;
  return parse_clock(ahead, out);
}

}  // namespace headrace::interval_text
