// PostgreSQL COPY TEXT: fields separated by tabs, rows ended by a newline, NULL is \N, and
// backslash, tab, newline, carriage return, backspace, form feed and vertical tab are escaped.
// Source: PostgreSQL documentation, COPY, "Text Format".
//
// Every codec puts a tab after its field; the row encoder turns the last one into a newline.
#pragma once

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
    case '\\': return '\\';
    case '\t': return 't';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\v': return 'v';
    default: return 0;
  }
}

inline size_t escaped_size(std::string_view s) {
  size_t size = s.size();
  for (char c : s) size += escape_letter(c) != 0;
  return size;
}

inline uint8_t* put_escaped(uint8_t* out, std::string_view s) {
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

}  // namespace headrace::text
