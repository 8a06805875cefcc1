// Record headers of many rows at once, from cells that are kept column by column.
// When every serial type takes one byte, the usual case, a header is a row of bytes: blocks of
// eight rows and eight columns are turned in registers.
#pragma once

#include <emmintrin.h>

#include <cstdint>

#include "encode/format/sqlite_record.h"

namespace headrace::sqlite_record {

// Bytes of a record's header whose serial types take `types` bytes: it counts itself.
inline uint32_t header_bytes(uint32_t types) {
  uint32_t total = types + 1;
  if (total > 127) ++total;
  if (total > 16383) ++total;
  return total;
}

// Two neighbouring columns of eight rows: their serial types as the two bytes of each lane.
inline __m128i load_two(const uint32_t* first, const uint32_t* second) {
  const auto load = [](const uint32_t* cells) {
    const auto* at = reinterpret_cast<const __m128i*>(cells);
    return _mm_packs_epi32(_mm_loadu_si128(at), _mm_loadu_si128(at + 1));
  };
  return _mm_or_si128(load(first), _mm_slli_epi16(load(second), 8));
}

inline void store_two(uint8_t* first, uint8_t* second, __m128i v) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(first), v);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(second), _mm_unpackhi_epi64(v, v));
}

// columns[0..8)[row..row+8) -> eight bytes at headers[row..row+8) + offset. REQUIRES: serials <
// 128.
inline void put_eight_by_eight(const uint32_t* const* columns, int row, uint8_t* const* headers,
                               int offset) {
  __m128i two[4];
  for (int i = 0; i < 4; ++i) two[i] = load_two(columns[2 * i] + row, columns[2 * i + 1] + row);
  const __m128i low0 = _mm_unpacklo_epi16(two[0], two[1]),
                low1 = _mm_unpacklo_epi16(two[2], two[3]);
  const __m128i high0 = _mm_unpackhi_epi16(two[0], two[1]),
                high1 = _mm_unpackhi_epi16(two[2], two[3]);
  const auto put = [&](int r, __m128i v) {
    store_two(headers[row + r] + offset, headers[row + r + 1] + offset, v);
  };
  put(0, _mm_unpacklo_epi32(low0, low1));
  put(2, _mm_unpackhi_epi32(low0, low1));
  put(4, _mm_unpacklo_epi32(high0, high1));
  put(6, _mm_unpackhi_epi32(high0, high1));
}

// Serial types of `rows` rows, one byte each, at headers[i].
inline void put_short_serials(const uint32_t* const* columns, int column_count, int rows,
                              uint8_t* const* headers) {
  int row = 0;
  if (column_count >= 8) {
    for (; row + 8 <= rows; row += 8) {
      for (int c = 0; c + 8 <= column_count; c += 8)
        put_eight_by_eight(columns + c, row, headers, c);
      const int last = column_count - 8;  // overlaps the block before it, with the same bytes
      if (column_count % 8 != 0) put_eight_by_eight(columns + last, row, headers, last);
    }
  }
  for (; row < rows; ++row) {
    for (int c = 0; c < column_count; ++c) headers[row][c] = static_cast<uint8_t>(columns[c][row]);
  }
}

}  // namespace headrace::sqlite_record
