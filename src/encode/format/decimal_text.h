// Decimal digits of an unscaled value with its point: -5 with scale 2 is "-0.05", 5 with scale -2
// is "500". Exactly `scale` decimals are written, which PostgreSQL and every reader take as they
// are.
#pragma once

#include <charconv>
#include <cstring>

#include "encode/format/wide_integer.h"

namespace headrace {

// Digits of the magnitude, most significant first; returns their end. At most kMaxDigits.
inline char* put_magnitude(char* out, WideInteger v) {
  if (v.fits_in_64_bits()) return std::to_chars(out, out + 20, v.limb[0]).ptr;
  constexpr uint64_t kPart = 10000000000000000000ULL;  // 19 digits at a time
  const uint64_t low = v.divide_by(kPart);
  out = put_magnitude(out, v);
  for (int i = 18; i >= 0; --i) *out++ = static_cast<char>('0' + low / kPowersOf10[i] % 10);
  return out;
}

// Decimal digits of the magnitude; 1 for zero.
inline int count_digits(const WideInteger& v) {
  char digits[WideInteger::kMaxDigits + 2];
  return static_cast<int>(put_magnitude(digits, v) - digits);
}

// Bytes that put_decimal writes.
inline uint32_t decimal_text_bytes(const WideInteger& v, int scale) {
  const int count = count_digits(v);
  const int sign = v.negative && !v.is_zero() ? 1 : 0;
  if (scale <= 0) return static_cast<uint32_t>(v.is_zero() ? 1 : sign + count - scale);
  return static_cast<uint32_t>(sign + (count > scale ? count : scale + 1) + 1);
}

inline char* put_decimal(char* out, const WideInteger& v, int scale) {
  char digits[WideInteger::kMaxDigits + 2];
  const auto count = static_cast<int>(put_magnitude(digits, v) - digits);
  if (v.negative && !v.is_zero()) *out++ = '-';
  const int whole = count - scale;  // digits before the point
  if (scale <= 0) {
    std::memcpy(out, digits, static_cast<size_t>(count));
    out += count;
    if (v.is_zero()) return out;
    std::memset(out, '0', static_cast<size_t>(-scale));
    return out - scale;
  }
  if (whole > 0) {
    std::memcpy(out, digits, static_cast<size_t>(whole));
    out += whole;
  } else {
    *out++ = '0';
  }
  *out++ = '.';
  const int zeros = whole < 0 ? -whole : 0;
  std::memset(out, '0', static_cast<size_t>(zeros));
  out += zeros;
  const int from = whole > 0 ? whole : 0;
  std::memcpy(out, digits + from, static_cast<size_t>(count - from));
  return out + (count - from);
}

}  // namespace headrace
