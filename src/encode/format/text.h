// PostgreSQL COPY TEXT: fields separated by tabs, rows ended by a newline, NULL is \N, and
// backslash, tab, newline, carriage return, backspace, form feed and vertical tab are escaped.
// Source: PostgreSQL documentation, COPY, "Text Format".
//
// Every codec puts a tab after its field; the row encoder turns the last one into a newline.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace headrace::text {

struct Cells {
  static constexpr uint32_t kNull = 3;
  static constexpr uint32_t from_bytes(uint32_t bytes) { return bytes + 1; }
  static constexpr uint32_t bytes(uint32_t cell) { return cell - 1; }
  static uint8_t* open(uint8_t* at, uint32_t) { return at; }
  static uint8_t* close(uint8_t* end) {
    *end = '\t';
    return end + 1;
  }
  static uint8_t* put_null(uint8_t* at) {
    std::memcpy(at, "\\N\t", 3);
    return at + 3;
  }
};

// The letter after the backslash for a character that must be escaped, else 0.
inline char escape_letter(char c) {
  switch (c) {
    case '\\':
      return '\\';
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\v':
      return 'v';
    default:
      return 0;
  }
}

// Which of 16 characters must be escaped: a bit each. They are \b to \r and the backslash.
inline uint32_t escapes_of_16(const char* at) {
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i from_b = _mm_sub_epi8(v, _mm_set1_epi8('\b'));
  const __m128i last = _mm_set1_epi8('\r' - '\b');
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(from_b, last), from_b);
  const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(control, backslash)));
}

inline size_t escaped_size(std::string_view s) {
  size_t size = s.size();
  for (; s.size() >= 16; s.remove_prefix(16)) {
    size += static_cast<size_t>(__builtin_popcount(escapes_of_16(s.data())));
  }
  for (char c : s) size += escape_letter(c) != 0;
  return size;
}

inline uint8_t* put_escaped_each(uint8_t* out, std::string_view s) {
  for (char c : s) {
    if (char letter = escape_letter(c)) {
      *out++ = '\\';
      *out++ = static_cast<uint8_t>(letter);
    } else {
      *out++ = static_cast<uint8_t>(c);
    }
  }
  return out;
}

inline uint8_t* put_escaped(uint8_t* out, std::string_view s) {
  for (; s.size() >= 16; s.remove_prefix(16)) {
    if (escapes_of_16(s.data()) != 0) {
      out = put_escaped_each(out, s.substr(0, 16));
    } else {
      std::memcpy(out, s.data(), 16);
      out += 16;
    }
  }
  return put_escaped_each(out, s);
}

}  // namespace headrace::text
