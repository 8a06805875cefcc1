// SQLite's record format and the table leaf cell around it.
// Source: SQLite documentation, "Database File Format", sections 1.6 and 2.1.
//
//   table leaf cell:  varint payload bytes | varint rowid | payload (one record)
//   record:           varint header bytes (itself included) | serial type of each column | values
//
//   SERIAL TYPE   BYTES   VALUE                    SERIAL TYPE   BYTES      VALUE
//   0             0       NULL                     7             8          IEEE 754 double
//   1 2 3 4       1 2 3 4 integer, big-endian      8 9           0          integer 0, integer 1
//   5 6           6 8     integer, big-endian      n>=12 even    (n-12)/2   blob
//                                                  n>=13 odd     (n-13)/2   text
//
//   varint: 7 bits a byte, high bits first, bit 7 set on all but the last; a ninth byte has 8 bits.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/endian.h"

namespace headrace::sqlite_record {

inline constexpr uint32_t kSerialNull = 0;
inline constexpr uint32_t kSerialReal = 7;

constexpr uint32_t serial_of_blob(uint32_t bytes) { return 12 + 2 * bytes; }
constexpr uint32_t serial_of_text(uint32_t bytes) { return 13 + 2 * bytes; }

constexpr uint8_t kSerialBytes[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};

constexpr uint32_t body_bytes(uint32_t serial) {
  return serial < 12 ? kSerialBytes[serial] : (serial - 12) / 2;
}

// Serial type of the shortest form of an integer. Small numbers come in any order, so no branch
// depends on them.
inline uint32_t serial_of_integer(int64_t v) {
  // Bits without the sign: v for v >= 0, ~v for v < 0.
  const auto magnitude = static_cast<uint64_t>(v ^ (v >> 63));
  const int bits = 65 - __builtin_clzll(magnitude | 1);  // with the sign bit
  static constexpr uint8_t kSerial[9] = {1, 1, 2, 3, 4, 5, 5, 6, 6};
  const uint32_t zero_or_one = static_cast<uint64_t>(v) <= 1 ? 1 : 0;  // 8 and 9 instead of 1
  return kSerial[(bits + 7) >> 3] + zero_or_one * (7 + static_cast<uint32_t>(v & 1));
}

// Writes the upper `bytes` bytes of a word, at most 8; returns their end.
inline uint8_t* put_top_bytes(uint8_t* out, uint64_t word, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(word >> (56 - 8 * i));
  return out + bytes;
}

// An integer's body at the top of a word.
inline uint64_t integer_body(int64_t v, uint32_t serial) {
  return static_cast<uint64_t>(v) << ((64 - 8 * kSerialBytes[serial]) & 63);
}

// Writes the body of an integer of that serial type; returns its end.
inline uint8_t* put_integer(uint8_t* out, int64_t v, uint32_t serial) {
  return put_top_bytes(out, integer_body(v, serial), kSerialBytes[serial]);
}

// The same by one store of eight bytes, whatever the serial type.
inline uint8_t* put_integer_over(uint8_t* out, int64_t v, uint32_t serial) {
  store_be64(out, integer_body(v, serial));
  return out + kSerialBytes[serial];
}

inline uint8_t* put_real(uint8_t* out, double v) {
  uint64_t bits;
  std::memcpy(&bits, &v, 8);
  store_be64(out, bits);
  return out + 8;
}

constexpr uint32_t varint_bytes(uint64_t v) {
  if (v < 1ULL << 28) return 1 + (v > 0x7F) + (v > 0x3FFF) + (v > 0x1FFFFF);
  uint32_t n = 5;
  for (v >>= 35; v != 0 && n < 9; v >>= 7) ++n;
  return n;
}

inline uint8_t* put_varint(uint8_t* out, uint64_t v) {
  if (v < 0x80) {
    *out = static_cast<uint8_t>(v);
    return out + 1;
  }
  const uint32_t n = varint_bytes(v);
  uint8_t* const end = out + n;
  uint8_t* at = end - 1;
  if (n == 9) {
    *at-- = static_cast<uint8_t>(v);
    v >>= 8;
  } else {
    *at-- = static_cast<uint8_t>(v & 0x7F);
    v >>= 7;
  }
  for (; at >= out; v >>= 7) *at-- = static_cast<uint8_t>(v | 0x80);
  return end;
}

// Two bytes are written whatever v is, so that no branch depends on it. REQUIRES: v < 16384.
inline uint8_t* put_short_varint(uint8_t* out, uint32_t v) {
  const bool two = v >= 0x80;
  out[0] = static_cast<uint8_t>(two ? (v >> 7) | 0x80 : v);
  out[1] = static_cast<uint8_t>(v & 0x7F);
  return out + (two ? 2 : 1);
}

// A varint of up to four bytes by one store of four. REQUIRES: v < 2^28.
inline uint8_t* put_varint_over(uint8_t* out, uint32_t v) {
  const uint32_t n = varint_bytes(v);
  const uint32_t spread =
      (v & 0x7F) | (v & 0x3F80) << 1 | (v & 0x1FC000) << 2 | (v & 0xFE00000) << 3;
  const uint32_t more = 0x808080U & ((1U << (8 * (n - 1))) - 1);  // on all bytes but the last
  const uint32_t word = __builtin_bswap32(spread) >> (8 * (4 - n)) | more;
  std::memcpy(out, &word, 4);
  return out + n;
}

// Reads a varint; returns the byte after it. REQUIRES: a whole varint is there.
inline const uint8_t* get_varint(const uint8_t* in, uint64_t* v) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = (value << 7) | (in[i] & 0x7F);
    if ((in[i] & 0x80) == 0) {
      *v = value;
      return in + i + 1;
    }
  }
  *v = (value << 8) | in[8];
  return in + 9;
}

// How codec_helpers.h lays a value into the body of a record; a cell is a serial type.
struct Cells {
  static constexpr uint32_t kNull = kSerialNull;
  static constexpr uint32_t from_bytes(uint32_t serial) { return serial; }
  static constexpr uint32_t bytes(uint32_t cell) { return cell; }
  static uint8_t* open(uint8_t* at, uint32_t) { return at; }
  static uint8_t* close(uint8_t* end) { return end; }
  static uint8_t* put_null(uint8_t* at) { return at; }
};

}  // namespace headrace::sqlite_record
