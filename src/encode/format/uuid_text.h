// UUIDs as text: 8-4-4-4-12 hex digits in lower case when written. Read as PostgreSQL does: digits
// of any case, a hyphen or none after every fourth, and braces around it all or none.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace headrace::uuid_text {

inline constexpr int kBytes = 16;
inline constexpr uint32_t kTextBytes = 36;

// Value of a hex digit; 0xFF for all other characters.
inline constexpr std::array<uint8_t, 256> kHexValue = [] {
  std::array<uint8_t, 256> values{};
  for (uint8_t& v : values) v = 0xFF;
  for (uint8_t i = 0; i < 10; ++i) values[static_cast<size_t>('0') + i] = i;
  for (uint8_t i = 0; i < 6; ++i) {
    values[static_cast<size_t>('a') + i] = values[static_cast<size_t>('A') + i] =
        static_cast<uint8_t>(10 + i);
  }
  return values;
}();

// Two digits; more than 0xFF when one is none.
inline uint32_t hex_pair(const char* at) {
  const uint32_t high = kHexValue[static_cast<uint8_t>(at[0])];
  const uint32_t low = kHexValue[static_cast<uint8_t>(at[1])];
  return ((high | low) & 0xF0) != 0 ? 0x100 : high << 4 | low;
}

inline bool parse(std::string_view v, uint8_t* out) {
  // The usual form: every digit has its place.
  if (v.size() == kTextBytes && v[8] == '-' && v[13] == '-' && v[18] == '-' && v[23] == '-') {
    static constexpr uint8_t kPlaces[kBytes] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                19, 21, 24, 26, 28, 30, 32, 34};
    uint32_t bad = 0;
    for (int i = 0; i < kBytes; ++i) {
      const uint32_t byte = hex_pair(v.data() + kPlaces[i]);
      bad |= byte;
      out[i] = static_cast<uint8_t>(byte);
    }
    return bad < 0x100;
  }
  if (v.size() >= 2 && v.front() == '{' && v.back() == '}') v = v.substr(1, v.size() - 2);
  for (int i = 0; i < kBytes; ++i) {
    if (v.size() < 2) return false;
    const uint32_t byte = hex_pair(v.data());
    if (byte > 0xFF) return false;
    out[i] = static_cast<uint8_t>(byte);
    v.remove_prefix(2);
    if (i % 2 == 1 && i < kBytes - 1 && !v.empty() && v[0] == '-') v.remove_prefix(1);
  }
  return v.empty();
}

// Writes kTextBytes.
inline char* put(char* out, const uint8_t* bytes) {
  for (int i = 0; i < kBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = "0123456789abcdef"[bytes[i] >> 4];
    *out++ = "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

}  // namespace headrace::uuid_text
