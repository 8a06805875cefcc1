// IEEE 754 binary16 to binary32: exact for every bit pattern.
//
//   binary16  sign 1 | exponent 5, bias 15  | fraction 10
//   binary32  sign 1 | exponent 8, bias 127 | fraction 23
#pragma once

#include <bit>
#include <cstdint>

namespace headrace {

inline float float_from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1F;
  const uint32_t fraction = half & 0x3FF;
  if (exponent ==
      0) {  // zero or subnormal: fraction * 2^-24, which binary32 holds as a normal number
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide = exponent == 0x1F ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

}  // namespace headrace
