// PostgreSQL COPY BINARY: a tuple is
//
//   OFFSET  SIZE  DESCRIPTION
//   0       2     number of fields, big-endian
//   then for each field:
//   0       4     length of the value in bytes, big-endian; -1 is NULL
//   4       n     the value, as the type's send function writes it
//
// A file or stream is header, tuples, trailer.
// Source: PostgreSQL documentation, COPY, "Binary Format".
#pragma once

#include <cstdint>
#include <string_view>

#include "base/endian.h"

namespace headrace::pg_binary {

inline constexpr char kHeader[] = "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0";
inline constexpr std::string_view header() { return {kHeader, 19}; }
inline constexpr std::string_view trailer() { return {"\xff\xff", 2}; }

inline constexpr uint32_t kTupleHeaderBytes = 2;

// Days and microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
inline constexpr int32_t kEpochDays = 10957;
inline constexpr int64_t kEpochMicros = 946684800000000LL;

// How codec_helpers.h lays a value into a field of this format.
struct Cells {
  static constexpr uint32_t kNull = 4;
  static constexpr uint32_t from_bytes(uint32_t bytes) { return bytes + 4; }
  static constexpr uint32_t bytes(uint32_t cell) { return cell - 4; }
  static uint8_t* open(uint8_t* at, uint32_t value_bytes) {
    store_be32(at, value_bytes);
    return at + 4;
  }
  static uint8_t* close(uint8_t* end) { return end; }
  static uint8_t* put_null(uint8_t* at) {
    store_be32(at, 0xFFFFFFFF);
    return at + 4;
  }
};

}  // namespace headrace::pg_binary
