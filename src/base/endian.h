// Big-endian loads and stores: the byte order of PostgreSQL's binary format and of SQLite's file.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace headrace {

static_assert(std::endian::native == std::endian::little, "headrace is written for little-endian hosts");

inline void store_be16(uint8_t* out, uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(out, &v, 2);
}
inline void store_be32(uint8_t* out, uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(out, &v, 4);
}
inline void store_be64(uint8_t* out, uint64_t v) {
  v = __builtin_bswap64(v);
  std::memcpy(out, &v, 8);
}
inline uint16_t load_be16(const uint8_t* in) {
  uint16_t v;
  std::memcpy(&v, in, 2);
  return __builtin_bswap16(v);
}
inline uint32_t load_be32(const uint8_t* in) {
  uint32_t v;
  std::memcpy(&v, in, 4);
  return __builtin_bswap32(v);
}
inline uint64_t load_be64(const uint8_t* in) {
  uint64_t v;
  std::memcpy(&v, in, 8);
  return __builtin_bswap64(v);
}

}  // namespace headrace
