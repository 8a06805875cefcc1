// Unscaled values of decimals: 128 and 256 bits as Arrow stores them (little-endian two's
// complement), and a sign-and-magnitude form with the few operations that encoding needs.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace headrace {

// Not __int128: Arrow promises an alignment of 8 bytes only.
struct Int128 {
  uint64_t low;
  uint64_t high;
};

struct Int256 {
  uint64_t limb[4];
};

inline constexpr uint64_t kPowersOf10[20] = {1ULL,
                                             10ULL,
                                             100ULL,
                                             1000ULL,
                                             10000ULL,
                                             100000ULL,
                                             1000000ULL,
                                             10000000ULL,
                                             100000000ULL,
                                             1000000000ULL,
                                             10000000000ULL,
                                             100000000000ULL,
                                             1000000000000ULL,
                                             10000000000000ULL,
                                             100000000000000ULL,
                                             1000000000000000ULL,
                                             10000000000000000ULL,
                                             100000000000000000ULL,
                                             1000000000000000000ULL,
                                             10000000000000000000ULL};

// Magnitudes up to 2^256 - 1, which has 78 decimal digits.
struct WideInteger {
  std::array<uint64_t, 4> limb{};
  bool negative = false;

  static constexpr int kMaxDigits = 78;

  constexpr bool is_zero() const { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }

  constexpr bool fits_in_64_bits() const { return (limb[1] | limb[2] | limb[3]) == 0; }

  // Divides the magnitude by `divisor`; returns the remainder.
  constexpr uint64_t divide_by(uint64_t divisor) {
    unsigned __int128 rest = 0;
    int top = 3;
    while (top > 0 && limb[top] == 0) --top;
    for (int i = top; i >= 0; --i) {
      rest = (rest << 64) | limb[i];
      limb[i] = static_cast<uint64_t>(rest / divisor);
      rest %= divisor;
    }
    return static_cast<uint64_t>(rest);
  }

  constexpr void multiply_by(uint64_t factor) {
    unsigned __int128 carry = 0;
    for (uint64_t& part : limb) {
      carry += static_cast<unsigned __int128>(part) * factor;
      part = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
  }

  // Compares magnitudes.
  constexpr bool less_than(const WideInteger& o) const {
    for (int i = 3; i > 0; --i) {
      if (limb[i] != o.limb[i]) return limb[i] < o.limb[i];
    }
    return limb[0] < o.limb[0];
  }

  constexpr void negate_bits() {
    bool carry = true;
    for (uint64_t& part : limb) {
      part = ~part + (carry ? 1 : 0);
      carry = carry && part == 0;
    }
  }
};

template <std::integral T>
constexpr WideInteger widen(T v) {
  const bool negative = v < 0;
  const auto bits = static_cast<uint64_t>(static_cast<int64_t>(v));
  return {{negative ? 0 - bits : bits, 0, 0, 0}, negative};
}

constexpr WideInteger widen(const Int256& v) {
  WideInteger wide{{v.limb[0], v.limb[1], v.limb[2], v.limb[3]}, (v.limb[3] >> 63) != 0};
  if (wide.negative) wide.negate_bits();
  return wide;
}

constexpr WideInteger widen(const Int128& v) {
  const uint64_t sign = (v.high >> 63) != 0 ? ~0ULL : 0;
  return widen(Int256{{v.low, v.high, sign, sign}});
}

// 10^exponent. REQUIRES: 0 <= exponent <= 77.
constexpr WideInteger wide_power_of_10(int exponent) {
  WideInteger power = widen(uint64_t{1});
  for (; exponent > 0; --exponent) power.multiply_by(10);
  return power;
}

// True when `v` is a multiple of 10^exponent.
constexpr bool is_multiple_of_power(WideInteger v, int exponent) {
  for (; exponent > 0 && !v.is_zero(); --exponent) {
    if (v.divide_by(10) != 0) return false;
  }
  return true;
}

// The value as int64 when it fits: the fast path of every decimal.
template <std::integral T>
constexpr bool narrow(T v, int64_t* out) {
  *out = static_cast<int64_t>(v);
  return sizeof(T) < 8 || std::is_signed_v<T> || *out >= 0;
}
constexpr bool narrow(const Int128& v, int64_t* out) {
  *out = static_cast<int64_t>(v.low);
  return v.high == static_cast<uint64_t>(*out >> 63);
}
constexpr bool narrow(const Int256& v, int64_t* out) {
  *out = static_cast<int64_t>(v.limb[0]);
  const auto sign = static_cast<uint64_t>(*out >> 63);
  return ((v.limb[1] ^ sign) | (v.limb[2] ^ sign) | (v.limb[3] ^ sign)) == 0;
}

}  // namespace headrace
