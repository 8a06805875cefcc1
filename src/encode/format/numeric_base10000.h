// PostgreSQL's numeric on the wire, as numeric_send writes it; here with the field's length before
// it:
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

inline constexpr uint32_t kHeaderBytes = 12;                   // with the length
inline constexpr uint32_t kSmallBytes = kHeaderBytes + 2 * 5;  // largest field of a 64-bit integer
inline constexpr uint32_t kRoomBytes = 24;                     // what put_small may write
inline constexpr int kMaxDigits = 21;                          // of a WideInteger with any scale
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

// Length, ndigits and weight: the first eight bytes of a field.
inline uint64_t field_head(int digits, int weight) {
  const auto length = static_cast<uint64_t>(8 + 2 * digits);
  return __builtin_bswap64(length << 32 | static_cast<uint64_t>(digits) << 16 |
                           static_cast<uint16_t>(weight));
}
// Sign and dscale: the next four.
inline uint32_t field_sign(bool negative, uint16_t dscale) {
  return __builtin_bswap32((negative ? 0x40000000U : 0) | dscale);
}

// Fields of values below 10^16 when aligned, which are four digits. A field begins in one of few
// ways, told by the zero digits before the first and after the last other one.
struct SmallFields {
  static constexpr uint64_t kEnd = 10000000000000000ULL;

  Layout layout;
  uint64_t heads[16];  // [4 * leading zeros + trailing zeros]; [15] is zero
  uint32_t bytes[16];
  uint32_t signs[2];

  explicit SmallFields(const Layout& of) : layout(of) {
    for (int leading = 0; leading < 4; ++leading) {
      for (int trailing = 0; trailing < 4; ++trailing) {
        const int digits = leading + trailing < 4 ? 4 - leading - trailing : 0;
        const int weight = digits > 0 ? layout.last_weight + 3 - leading : 0;
        heads[4 * leading + trailing] = field_head(digits, weight);
        bytes[4 * leading + trailing] = kHeaderBytes + 2 * static_cast<uint32_t>(digits);
      }
    }
    signs[0] = field_sign(false, layout.dscale);
    signs[1] = field_sign(true, layout.dscale);
  }
};

// Four base-10000 digits of v < 10^16 in the lanes of one word, most significant first.
[[gnu::always_inline]] inline uint64_t four_digits(uint64_t v) {
  const auto high = static_cast<uint32_t>(v / 100000000);
  const auto low = static_cast<uint32_t>(v % 100000000);
  const uint32_t d0 = high / 10000, d2 = low / 10000;
  return static_cast<uint64_t>(d0) << 48 | static_cast<uint64_t>(high - d0 * 10000) << 32 |
         static_cast<uint64_t>(d2) << 16 | (low - d2 * 10000);
}

// Field of an aligned value of 10^16 and more, which has a fifth digit.
[[gnu::noinline]] inline uint32_t put_five_digits(uint8_t* out, uint64_t aligned, bool negative,
                                                  const Layout& layout) {
  const uint64_t rest = four_digits(aligned % SmallFields::kEnd);
  const int digits = rest == 0 ? 1 : 5 - (__builtin_ctzll(rest) >> 4);
  const uint64_t head = field_head(digits, layout.last_weight + 4);
  const uint32_t sign = field_sign(negative, layout.dscale);
  std::memcpy(out, &head, 8);
  std::memcpy(out + 8, &sign, 4);
  store_be16(out + 12, static_cast<uint16_t>(aligned / SmallFields::kEnd));
  store_be64(out + 14, rest);
  return kHeaderBytes + 2 * static_cast<uint32_t>(digits);
}

// Writes the field of `aligned` = magnitude * layout.align and returns its bytes. No branch depends
// on the digits of usual values. REQUIRES: kRoomBytes at `out`.
[[gnu::always_inline]] inline uint32_t put_small(uint8_t* out, uint64_t aligned, bool negative,
                                                 const SmallFields& fields) {
  if (aligned >= SmallFields::kEnd) [[unlikely]] {
    return put_five_digits(out, aligned, negative, fields.layout);
  }
  const uint64_t last_first = four_digits(aligned);
  const uint64_t first_first = __builtin_bswap64(last_first);  // as stored
  constexpr uint64_t kGuard = 1ULL << 63;  // zero counts as three zero digits at each end
  const int leading_bits = __builtin_ctzll(first_first | kGuard) & 0x30;
  const int trailing = __builtin_ctzll(last_first | kGuard) >> 4;
  const int form = leading_bits / 4 + trailing;
  const uint64_t digits = first_first >> leading_bits;
  std::memcpy(out, &fields.heads[form], 8);
  std::memcpy(out + 8, &fields.signs[negative ? 1 : 0], 4);
  std::memcpy(out + 12, &digits, 8);
  return fields.bytes[form];
}

inline constexpr uint64_t kTinyEnd = 100000000;

// put_small for aligned < kTinyEnd, which are two digits.
[[gnu::always_inline]] inline uint32_t put_tiny(uint8_t* out, uint32_t aligned, bool negative,
                                                const SmallFields& fields) {
  const uint32_t high = aligned / 10000, low = aligned - high * 10000;
  const auto leading = static_cast<uint32_t>(high == 0), trailing = static_cast<uint32_t>(low == 0);
  const uint32_t form = 8 + 4 * leading + trailing;  // after two digits that are always 0
  const uint32_t digits = __builtin_bswap32(high << 16 | low) >> (16 * leading);
  std::memcpy(out, &fields.heads[form], 8);
  std::memcpy(out + 8, &fields.signs[negative ? 1 : 0], 4);
  std::memcpy(out + 12, &digits, 4);
  return fields.bytes[form];
}

// Any value. Digits are taken from the low end: first those below the border that the decimal point
// lies in, then sixteen decimals at a time. REQUIRES: kMaxBytes at `out`.
inline uint32_t put_wide(uint8_t* out, WideInteger v, const Layout& layout) {
  uint16_t digits[kMaxDigits + 4];
  int count = 0;
  if (layout.align != 1) {
    digits[count++] = static_cast<uint16_t>(v.divide_by(10000 / layout.align) * layout.align);
  }
  while (!v.is_zero()) {
    const uint64_t lanes = four_digits(v.divide_by(10000000000000000ULL));
    for (int lane = 0; lane < 4; ++lane)
      digits[count++] = static_cast<uint16_t>(lanes >> (16 * lane));
  }
  int low = 0;
  while (count > 0 && digits[count - 1] == 0) --count;
  while (low < count && digits[low] == 0) ++low;
  const int kept = count - low;
  const int weight = kept == 0 ? 0 : layout.last_weight + count - 1;
  const uint64_t head = field_head(kept, weight);
  const uint32_t sign = field_sign(v.negative && kept > 0, layout.dscale);
  std::memcpy(out, &head, 8);
  std::memcpy(out + 8, &sign, 4);
  out += kHeaderBytes;
  for (int i = count; i-- > low; out += 2) store_be16(out, digits[i]);
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
