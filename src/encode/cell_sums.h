// Sums of cells over the columns of a span, several rows an instruction.
#pragma once

#include <emmintrin.h>

#include <cstdint>

#include "encode/codec.h"

namespace headrace {

// Bytes of each row of a span. Cells of usual size are added in 32 bits.
struct RowSums {
  alignas(16) uint32_t narrow[kMaxSpanRows];
  uint64_t wide[kMaxSpanRows];

  uint64_t total(int row) const { return wide[row] + narrow[row]; }
};

// Cells of one column, in whole blocks of eight rows: those past the span are older ones or 0.
// REQUIRES: `cells` has kMaxSpanRows items.
class CellBlock {
 public:
  static constexpr int kRows = 8;

  explicit CellBlock(const uint32_t* cells)
      : low_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(cells))),
        high_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(cells) + 1)) {}

  __m128i any_bits() const { return _mm_or_si128(low_, high_); }

  // The cells in 16 bits, larger ones as 32767.
  __m128i in_16_bits() const { return _mm_packs_epi32(low_, high_); }

 private:
  __m128i low_;
  __m128i high_;
};

inline uint32_t or_of_lanes(__m128i v) {
  v = _mm_or_si128(v, _mm_srli_si128(v, 8));
  v = _mm_or_si128(v, _mm_srli_si128(v, 4));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(v));
}

// Least of eight 16-bit lanes, none negative.
inline uint32_t least_of_lanes(__m128i v) {
  v = _mm_min_epi16(v, _mm_srli_si128(v, 8));
  v = _mm_min_epi16(v, _mm_srli_si128(v, 4));
  v = _mm_min_epi16(v, _mm_srli_si128(v, 2));
  return static_cast<uint32_t>(_mm_extract_epi16(v, 0));
}

// The bits that are set in any cell.
inline uint32_t bits_of_cells(const uint32_t* cells, int count) {
  __m128i bits = _mm_setzero_si128();
  for (int i = 0; i < count; i += CellBlock::kRows)
    bits = _mm_or_si128(bits, CellBlock(cells + i).any_bits());
  return or_of_lanes(bits);
}

// Whether one of the cells is 0.
inline bool has_zero_cell(const uint32_t* cells, int count) {
  const __m128i zero = _mm_setzero_si128();
  __m128i found = zero;
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(cells + i));
    found = _mm_or_si128(found, _mm_cmpeq_epi32(four, zero));
  }
  bool any = or_of_lanes(found) != 0;
  for (; i < count; ++i) any |= cells[i] == 0;
  return any;
}

// Adds 16-bit lanes to eight 32-bit sums.
inline void add_lanes(uint32_t* sums, __m128i v) {
  auto* at = reinterpret_cast<__m128i*>(sums);
  const __m128i zero = _mm_setzero_si128();
  _mm_store_si128(at, _mm_add_epi32(_mm_load_si128(at), _mm_unpacklo_epi16(v, zero)));
  _mm_store_si128(at + 1, _mm_add_epi32(_mm_load_si128(at + 1), _mm_unpackhi_epi16(v, zero)));
}

// Adds to[i] += map(cells[i]) where map works on 16-bit lanes; returns the least that was added.
// REQUIRES: cells and what map makes of them are below 32768.
template <typename Map>
uint32_t add_cells(const uint32_t* cells, int count, uint32_t* to, Map map) {
  __m128i least = _mm_set1_epi16(32767);
  for (int i = 0; i < count; i += CellBlock::kRows) {
    const __m128i v = map(CellBlock(cells + i).in_16_bits());
    least = _mm_min_epi16(least, v);
    add_lanes(to + i, v);
  }
  return least_of_lanes(least);
}

// Bytes of values of eight serial types below 128 (format/sqlite_record.h): 1 2 3 4 6 8 8 for 1 to
// 7, (n - 12) / 2 from 12 on, else none.
inline __m128i short_body_bytes(__m128i serials) {
  const auto above = [&](int16_t limit) { return _mm_cmpgt_epi16(serials, _mm_set1_epi16(limit)); };
  // A true compare is -1 in its lane.
  __m128i small = _mm_sub_epi16(serials, above(4));
  small = _mm_add_epi16(_mm_sub_epi16(small, above(5)), above(6));
  small = _mm_andnot_si128(above(7), small);
  const __m128i text = _mm_srli_epi16(_mm_sub_epi16(serials, _mm_set1_epi16(12)), 1);
  return _mm_or_si128(small, _mm_and_si128(above(11), text));
}

}  // namespace headrace
