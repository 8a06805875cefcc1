// UTF-8 checks. ASCII, the usual case, takes 16 bytes a step.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace headrace::utf8 {

// Position of the first byte that is not part of valid UTF-8, or s.size().
inline size_t first_invalid(std::string_view s) {
  const auto* p = reinterpret_cast<const uint8_t*>(s.data());
  const size_t size = s.size();
  const auto continues = [&](size_t at) { return at < size && (p[at] & 0xC0) == 0x80; };
  for (size_t i = 0; i < size;) {
    const uint8_t c = p[i];
    if (c < 0x80) {
      ++i;
    } else if (c >= 0xC2 && c <= 0xDF) {
      if (!continues(i + 1)) return i;
      i += 2;
    } else if ((c & 0xF0) == 0xE0) {
      if (!continues(i + 1) || !continues(i + 2)) return i;
      if (c == 0xE0 && p[i + 1] < 0xA0) return i;  // overlong
      if (c == 0xED && p[i + 1] > 0x9F) return i;  // surrogate
      i += 3;
    } else if (c >= 0xF0 && c <= 0xF4) {
      if (!continues(i + 1) || !continues(i + 2) || !continues(i + 3)) return i;
      if (c == 0xF0 && p[i + 1] < 0x90) return i;  // overlong
      if (c == 0xF4 && p[i + 1] > 0x8F) return i;  // past U+10FFFF
      i += 4;
    } else {
      return i;
    }
  }
  return size;
}

// Characters, for valid UTF-8.
inline size_t length(std::string_view s) {
  size_t count = 0;
  for (char c : s) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

// Not 0 when one of eight bytes is not ASCII, or is NUL where that is not allowed.
template <bool kNulAllowed>
constexpr uint64_t odd_bytes(uint64_t v) {
  constexpr uint64_t kHigh = 0x8080808080808080ULL;
  if constexpr (kNulAllowed) return v & kHigh;
  return (v | (v - 0x0101010101010101ULL)) & kHigh;  // a NUL borrows
}

// True when every byte is ASCII and, if asked, none is NUL.
template <bool kNulAllowed>
inline bool is_plain_ascii(std::string_view s) {
  const char* p = s.data();
  size_t left = s.size();
  if (left >= 16) {
    const __m128i zero = _mm_setzero_si128();
    __m128i seen = zero;
    const auto check = [&](const char* at) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      seen = _mm_or_si128(seen, v);
      if constexpr (!kNulAllowed) seen = _mm_or_si128(seen, _mm_cmpeq_epi8(v, zero));
    };
    const char* last = p + left - 16;
    for (; p < last; p += 16) check(p);
    check(last);
    return _mm_movemask_epi8(seen) == 0;
  }
  const auto bad = [](uint64_t v) { return odd_bytes<kNulAllowed>(v); };
  if (left >= 8) {
    uint64_t head, tail;
    std::memcpy(&head, p, 8);
    std::memcpy(&tail, p + left - 8, 8);
    return (bad(head) | bad(tail)) == 0;
  }
  if (left >= 4) {
    uint32_t head, tail;
    std::memcpy(&head, p, 4);
    std::memcpy(&tail, p + left - 4, 4);
    return bad(static_cast<uint64_t>(tail) << 32 | head) == 0;
  }
  if (left == 0) return true;
  const auto byte = [p](size_t at) { return static_cast<uint64_t>(static_cast<uint8_t>(p[at])); };
  const uint64_t three = byte(0) | byte(left / 2) << 8 | byte(left - 1) << 16;
  return bad(three | 0x0101010101000000ULL) == 0;  // the other five bytes count as 1
}

inline bool is_valid(std::string_view s) {
  return is_plain_ascii<true>(s) || first_invalid(s) == s.size();
}

inline bool is_valid_without_nul(std::string_view s) {
  return is_plain_ascii<false>(s) ||
         (s.find('\0') == std::string_view::npos && first_invalid(s) == s.size());
}

}  // namespace headrace::utf8
