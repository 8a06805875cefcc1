// PostgreSQL arrays in COPY BINARY, as array_send writes them; here after the field's length:
//
//   OFFSET  SIZE  DESCRIPTION
//   0       4     number of dimensions; 0: the empty array, which ends after the element type
//   4       4     1 when an element is NULL, else 0
//   8       4     OID of the element type
//   then for each dimension:
//   0       4     its size
//   4       4     its lower bound: 1
//   then for each element, the last dimension running fastest:
//   0       4     length of the element in bytes; -1 is NULL
//   4       n     the element, as its own send function writes it
//
// So an element is what the same value would be as a field of a tuple (format/pg_binary.h).
//
// In text an array is {a,b}, one pair of braces for each dimension and element of it. An element is
// put in quotes when it is empty, is the word NULL, or holds a brace, comma, quote, backslash or
// blank; in quotes, a backslash stands before every quote and backslash. COPY TEXT then doubles
// every backslash (format/text.h).
// Source: PostgreSQL documentation, Arrays, "Array Input and Output Syntax".
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/endian.h"

namespace headrace::pg_array {

inline constexpr int kMaxDimensions = 6;
inline constexpr int64_t kMaxElements = 134217727;
inline constexpr uint32_t kLowerBound = 1;

// Types of pg_catalog have the same OID in every database.
struct ElementType {
  std::string_view base;  // pg_type.typname
  uint32_t oid;
};
inline constexpr ElementType kElementTypes[] = {
    {"bool", 16},      {"bytea", 17},       {"int8", 20},       {"int2", 21},
    {"int4", 23},      {"text", 25},        {"json", 114},      {"float4", 700},
    {"float8", 701},   {"bpchar", 1042},    {"varchar", 1043},  {"date", 1082},
    {"time", 1083},    {"timestamp", 1114}, {"timestamptz", 1184}, {"interval", 1186},
    {"numeric", 1700}, {"uuid", 2950},      {"jsonb", 3802},
};

// 0: none that is known.
constexpr uint32_t element_oid(std::string_view base) {
  for (const ElementType& type : kElementTypes) {
    if (type.base == base) return type.oid;
  }
  return 0;
}

// Sizes of the dimensions, outermost first. A size of 0 is that of the empty array alone.
struct Shape {
  int dimensions = 0;
  std::array<int64_t, kMaxDimensions> sizes{};

  int64_t elements() const {
    int64_t count = dimensions > 0 ? 1 : 0;
    for (int i = 0; i < dimensions; ++i) count *= sizes[static_cast<size_t>(i)];
    return count;
  }
};

constexpr uint32_t header_bytes(int dimensions) {
  return 12 + 8 * static_cast<uint32_t>(dimensions);
}

// Where in the header the word lies that says whether an element is NULL.
inline constexpr uint32_t kHasNullAt = 4;

inline uint8_t* put_header(uint8_t* out, const Shape& shape, uint32_t oid) {
  store_be32(out, static_cast<uint32_t>(shape.dimensions));
  store_be32(out + kHasNullAt, 0);
  store_be32(out + 8, oid);
  out += 12;
  for (int i = 0; i < shape.dimensions; ++i, out += 8) {
    store_be32(out, static_cast<uint32_t>(shape.sizes[static_cast<size_t>(i)]));
    store_be32(out + 4, kLowerBound);
  }
  return out;
}

// ---- Numbers whose bytes are those of Arrow, turned round: one or two stores an element ----

inline uint8_t* put_elements_16(uint8_t* out, const void* values, int64_t begin, int64_t count) {
  const uint16_t* in = static_cast<const uint16_t*>(values) + begin;
  for (int64_t i = 0; i < count; ++i, out += 6) {
    store_be32(out, 2);
    store_be16(out + 4, in[i]);
  }
  return out;
}

inline uint8_t* put_elements_32(uint8_t* out, const void* values, int64_t begin, int64_t count) {
  const uint32_t* in = static_cast<const uint32_t*>(values) + begin;
  for (int64_t i = 0; i < count; ++i, out += 8) store_be64(out, uint64_t{4} << 32 | in[i]);
  return out;
}

inline uint8_t* put_elements_64(uint8_t* out, const void* values, int64_t begin, int64_t count) {
  const uint64_t* in = static_cast<const uint64_t*>(values) + begin;
  for (int64_t i = 0; i < count; ++i, out += 12) {
    store_be32(out, 8);
    store_be64(out + 4, in[i]);
  }
  return out;
}

// ---- Text ----

inline bool is_null_word(std::string_view s) {
  constexpr std::string_view kNull = "null";
  if (s.size() != kNull.size()) return false;
  for (size_t i = 0; i < s.size(); ++i) {
    if ((s[i] | 0x20) != kNull[i]) return false;
  }
  return true;
}

// `s` is escaped for COPY, so control characters show as a backslash.
inline bool needs_quotes(std::string_view s) {
  return s.empty() || is_null_word(s) || s.find_first_of("{}\", \\") != std::string_view::npos;
}

// Bytes of put_element at most.
inline size_t max_element_bytes(size_t escaped) { return 3 * escaped + 2; }

// Writes an element whose text is already escaped for COPY.
inline char* put_element(char* out, std::string_view escaped) {
  if (!needs_quotes(escaped)) {
    std::memcpy(out, escaped.data(), escaped.size());
    return out + escaped.size();
  }
  *out++ = '"';
  for (size_t i = 0; i < escaped.size(); ++i) {
    const char c = escaped[i];
    if (c == '"') {
      *out++ = '\\';
      *out++ = '\\';
    } else if (c == '\\') {
      // A backslash and what it escapes: the pair for a backslash is one of the element.
      *out++ = '\\';
      if (escaped[++i] == '\\') {
        *out++ = '\\';
        *out++ = '\\';
      }
    }
    *out++ = escaped[i];
  }
  *out++ = '"';
  return out;
}

}  // namespace headrace::pg_array
