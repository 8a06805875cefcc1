// Numbers from text, as PostgreSQL's numeric reads them:
//
//   [blanks] [+-] digits [. digits] [e [+-] digits] [blanks]      at least one digit; or NaN
//
// The digits stay where they are: a DecimalText points into the text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/endian.h"
#include "encode/format/datetime_parse.h"
#include "encode/format/numeric_base10000.h"

namespace headrace::numeric {

// Ends of PostgreSQL's numeric: digits before and after the point.
inline constexpr int64_t kMostIntegerDigits = 131072;
inline constexpr int64_t kMostDecimals = 16383;

struct DecimalText {
  std::string_view whole;     // digits before the point
  std::string_view fraction;  // and after it
  int64_t exponent = 0;
  bool negative = false;
  bool is_nan = false;
};

constexpr std::string_view take_digits(std::string_view* v) {
  size_t n = 0;
  while (n < v->size() && static_cast<uint8_t>((*v)[n] - '0') <= 9) ++n;
  const std::string_view digits = v->substr(0, n);
  v->remove_prefix(n);
  return digits;
}

// The exponent after its letter; false when there is none, or it is beyond every numeric.
constexpr bool take_exponent(std::string_view* v, int64_t* out) {
  const bool negative = !v->empty() && v->front() == '-';
  if (!v->empty() && (negative || v->front() == '+')) v->remove_prefix(1);
  const std::string_view digits = take_digits(v);
  if (digits.empty()) return false;
  constexpr int64_t kBeyond = 1000000;
  int64_t exponent = 0;
  for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), kBeyond);
  *out = negative ? -exponent : exponent;
  return exponent < kBeyond;
}

constexpr bool scan(std::string_view v, DecimalText* out) {
  *out = {};
  v = datetime_text::trim(v);
  if (datetime_text::equals_word(v, "nan")) return out->is_nan = true;
  if (v.empty()) return false;
  out->negative = v.front() == '-';
  if (out->negative || v.front() == '+') v.remove_prefix(1);
  out->whole = take_digits(&v);
  if (!v.empty() && v.front() == '.') {
    v.remove_prefix(1);
    out->fraction = take_digits(&v);
  }
  if (out->whole.empty() && out->fraction.empty()) return false;
  if (!v.empty() && (v.front() == 'e' || v.front() == 'E')) {
    v.remove_prefix(1);
    if (!take_exponent(&v, &out->exponent)) return false;
  }
  return v.empty();
}

// Where a number's digits other than leading and trailing zeros lie.
struct DigitRange {
  int64_t first = 0, last = -1;  // of whole and fraction in one row; last < first: the value is 0
  int64_t top = 0;               // digits before the point: |v| < 10^top; 0 or less: none
  int64_t decimals = 0;          // that are needed; below 0: v is a multiple of 10^-decimals
  int64_t shown_decimals = 0;    // as written, which numeric without (p,s) keeps

  bool is_zero() const { return last < first; }
};

inline char digit_at(const DecimalText& v, int64_t i) {
  const auto whole = static_cast<int64_t>(v.whole.size());
  return i < whole ? v.whole[static_cast<size_t>(i)] : v.fraction[static_cast<size_t>(i - whole)];
}

inline DigitRange measure_digits(const DecimalText& v) {
  const auto whole = static_cast<int64_t>(v.whole.size());
  const int64_t count = whole + static_cast<int64_t>(v.fraction.size());
  DigitRange range;
  range.shown_decimals = std::max<int64_t>(count - whole - v.exponent, 0);
  range.last = count - 1;
  while (range.first < count && digit_at(v, range.first) == '0') ++range.first;
  if (range.first == count) return range;
  while (digit_at(v, range.last) == '0') --range.last;
  range.top = whole + v.exponent - range.first;
  range.decimals = range.last + 1 - whole - v.exponent;
  return range;
}

// Whether numeric without (p,s) holds the number.
inline bool is_held(const DigitRange& range) {
  return range.top <= kMostIntegerDigits && range.shown_decimals <= kMostDecimals;
}

// Most bytes that put_digits writes.
inline size_t field_room(const DigitRange& range) {
  return kHeaderBytes + 2 * (static_cast<size_t>(range.last - range.first + 1) / 4 + 3);
}

inline uint32_t put_head(uint8_t* out, int digits, int weight, uint16_t sign, uint16_t dscale) {
  store_be32(out, static_cast<uint32_t>(8 + 2 * digits));
  store_be16(out + 4, static_cast<uint16_t>(digits));
  store_be16(out + 6, static_cast<uint16_t>(weight));
  store_be16(out + 8, sign);
  store_be16(out + 10, dscale);
  return kHeaderBytes + 2 * static_cast<uint32_t>(digits);
}

// The field of NaN, which has no digits and a sign of its own.
inline uint32_t put_nan(uint8_t* out) { return put_head(out, 0, 0, 0xC000, 0); }

// The field of any number that is_held, digit by digit; returns its bytes.
// REQUIRES: field_room(range) at `out`.
inline uint32_t put_digits(uint8_t* out, const DecimalText& v, const DigitRange& range,
                           uint16_t dscale) {
  if (range.is_zero()) return put_head(out, 0, 0, 0, dscale);
  const int64_t power = range.top - 1;  // of ten, of the first digit
  const int64_t weight = power >= 0 ? power / 4 : -((3 - power) / 4);
  auto place = static_cast<int>(power - 4 * weight);  // of the digit within its four
  uint8_t* at = out + kHeaderBytes;
  int count = 0;
  for (int64_t i = range.first; i <= range.last;) {
    uint32_t group = 0;
    for (; place >= 0; --place, ++i) {
      group = group * 10 + (i <= range.last ? static_cast<uint32_t>(digit_at(v, i) - '0') : 0);
    }
    store_be16(at, static_cast<uint16_t>(group));
    at += 2;
    ++count;
    place = 3;
  }
  return put_head(out, count, static_cast<int>(weight), v.negative ? 0x4000 : 0, dscale);
}

}  // namespace headrace::numeric
