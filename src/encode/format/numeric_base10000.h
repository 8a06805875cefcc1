// PostgreSQL's numeric on the wire, as numeric_send writes it; here with the field's length before it:
//
//   OFFSET  SIZE  DESCRIPTION
//   0       4     length of what follows: 8 + 2n
//   4       2     n, the number of base-10000 digits
//   6       2     weight: power of 10000 of the first digit, signed
//   8       2     sign: 0x0000 plus, 0x4000 minus
//   10      2     dscale: decimals to show
//   12      2n    digits, 0..9999, most significant first; the first and the last are not 0
//
// Zero has no digits, weight 0 and plus. All integers are big-endian.
// 12345.67 is 1 2345 6700 with weight 1; 0.0005 is 5 with weight -1; 30000 is 3 with weight 1.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/endian.h"
#include "encode/format/wide_integer.h"

namespace headrace::numeric {

inline constexpr uint32_t kHeaderBytes = 12;  // with the length
inline constexpr uint32_t kSmallBytes = kHeaderBytes + 2 * 5;  // largest field of a 64-bit integer
inline constexpr uint32_t kRoomBytes = 24;  // what put_small may write
inline constexpr int kMaxDigits = 21;  // of a WideInteger with any scale
inline constexpr uint32_t kMaxBytes = kHeaderBytes + 2 * kMaxDigits;

// How an unscaled integer with `scale` decimals falls into base-10000 digits.
struct Layout {
  int scale = 0;
  // 10^k, the factor that moves the decimal point onto a border between digits.
  uint64_t align = 1;
  int last_weight = 0;  // of the last digit of value * align
  uint16_t dscale = 0;
};

constexpr Layout make_layout(int scale) {
  const int past_border = ((scale % 4) + 4) % 4;
  const int align = past_border == 0 ? 0 : 4 - past_border;
  const auto dscale = static_cast<uint16_t>(scale > 0 ? scale : 0);
  return {scale, kPowersOf10[align], -((scale + align) / 4), dscale};
}

inline uint64_t pack_header(int digits, int weight, bool negative, uint16_t dscale) {
  return static_cast<uint64_t>(digits) << 48 |
         static_cast<uint64_t>(static_cast<uint16_t>(weight)) << 32 |
         (negative ? 0x40000000ULL : 0) | dscale;
}

// Four base-10000 digits of v < 10^16 in the lanes of one word, most significant first.
[[gnu::always_inline]] inline uint64_t four_digits(uint64_t v) {
  const auto high = static_cast<uint32_t>(v / 100000000);
  const auto low = static_cast<uint32_t>(v % 100000000);
  const uint32_t d0 = high / 10000, d2 = low / 10000;
  return static_cast<uint64_t>(d0) << 48 | static_cast<uint64_t>(high - d0 * 10000) << 32 |
         static_cast<uint64_t>(d2) << 16 | (low - d2 * 10000);
}

// Field of an aligned value of 10^16 and more, which has a fifth digit.
inline uint32_t put_five_digits(uint8_t* out, uint64_t aligned, bool negative, const Layout& layout) {
  const uint64_t first = aligned / 10000000000000000ULL;
  const uint64_t rest = four_digits(aligned % 10000000000000000ULL);
  const int digits = rest == 0 ? 1 : 5 - (__builtin_ctzll(rest) >> 4);
  store_be32(out, static_cast<uint32_t>(8 + 2 * digits));
  store_be64(out + 4, pack_header(digits, layout.last_weight + 4, negative, layout.dscale));
  store_be16(out + 12, static_cast<uint16_t>(first));
  store_be64(out + 14, rest);
  return kHeaderBytes + 2 * static_cast<uint32_t>(digits);
}

// Writes the field of `aligned` = magnitude * layout.align and returns its bytes. No branch depends
// on the digits of usual values. REQUIRES: kRoomBytes at `out`.
[[gnu::always_inline]] inline uint32_t put_small(uint8_t* out, uint64_t aligned, bool negative, const Layout& layout) {
  if (aligned >= 10000000000000000ULL) [[unlikely]] {
    return put_five_digits(out, aligned, negative, layout);
  }
  const uint64_t lanes = four_digits(aligned);
  const int leading = __builtin_clzll(lanes | 1) >> 4;
  const int trailing = __builtin_ctzll(lanes | 1ULL << 63) >> 4;
  const int any = aligned != 0 ? -1 : 0;  // zero: all bits of count, weight and sign are 0
  const int digits = (4 - leading - trailing) & any;
  const int weight = (layout.last_weight + 3 - leading) & any;
  store_be32(out, static_cast<uint32_t>(8 + 2 * digits));
  store_be64(out + 4, pack_header(digits, weight, negative, layout.dscale));
  store_be64(out + 12, lanes << (16 * leading));
  return kHeaderBytes + 2 * static_cast<uint32_t>(digits);
}

// Any value. Digits are taken from the low end: first those below the border that the decimal point
// lies in, then sixteen decimals at a time. REQUIRES: kMaxBytes at `out`.
inline uint32_t put_wide(uint8_t* out, WideInteger v, const Layout& layout) {
  uint16_t digits[kMaxDigits + 4];
  int count = 0;
  const bool negative = v.negative && !v.is_zero();
  if (layout.align != 1) {
    digits[count++] = static_cast<uint16_t>(v.divide_by(10000 / layout.align) * layout.align);
  }
  while (!v.is_zero()) {
    const uint64_t lanes = four_digits(v.divide_by(10000000000000000ULL));
    for (int lane = 0; lane < 4; ++lane) digits[count++] = static_cast<uint16_t>(lanes >> (16 * lane));
  }
  int low = 0;
  while (count > 0 && digits[count - 1] == 0) --count;
  while (low < count && digits[low] == 0) ++low;
  const int kept = count - low;
  const int weight = kept == 0 ? 0 : layout.last_weight + count - 1;
  store_be32(out, static_cast<uint32_t>(8 + 2 * kept));
  store_be64(out + 4, pack_header(kept, weight, negative, layout.dscale));
  for (int i = 0; i < kept; ++i) store_be16(out + 12 + 2 * i, digits[count - 1 - i]);
  return kHeaderBytes + 2 * static_cast<uint32_t>(kept);
}

// Copies a field of put_small, 12 <= n <= 22 bytes, by three words that overlap.
inline uint8_t* copy_small(uint8_t* out, const uint8_t* field, uint32_t n) {
  uint64_t head, middle, tail;
  const uint32_t last = n - 8, half = last / 2;
  std::memcpy(&head, field, 8);
  std::memcpy(&middle, field + half, 8);
  std::memcpy(&tail, field + last, 8);
  std::memcpy(out, &head, 8);
  std::memcpy(out + half, &middle, 8);
  std::memcpy(out + last, &tail, 8);
  return out + n;
}

}  // namespace headrace::numeric
