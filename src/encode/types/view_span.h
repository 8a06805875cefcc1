// What one sweep over the views of a span of utf8_view or binary_view tells, without a branch on
// any value: short and long values come in any order.
//
// Values of more than 12 bytes lie in a data buffer, in most producers one after the other. The
// bytes between the first and the last of a span are then checked and copied as one range.
#pragma once

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "encode/codec.h"

namespace headrace {

inline constexpr uint32_t kInlineBytes = 12;

// For each number of inline bytes, the view's bytes that count, and 1 in all the others. A long
// value, the last entry, has none that count: its head and its place are no text to check.
struct ViewMasks {
  alignas(16) std::array<uint8_t, 16> counts;
  alignas(16) std::array<uint8_t, 16> ones;
};
inline constexpr auto kViewMasks = [] {
  std::array<ViewMasks, kInlineBytes + 2> masks{};
  for (size_t bytes = 0; bytes < masks.size(); ++bytes) {
    for (size_t i = 0; i < 16; ++i) {
      const bool counts = bytes <= kInlineBytes && i >= 4 && i < 4 + bytes;
      masks[bytes].counts[i] = counts ? 0xFF : 0;
      masks[bytes].ones[i] = counts ? 0 : 1;
    }
  }
  return masks;
}();

class ViewSpan {
 public:
  // Fills the cells of `rows`, none of which is NULL; to_cell(bytes) gives one.
  template <typename ToCell>
  void sweep(const ColumnView& column, RowSpan rows, ToCell to_cell, uint32_t* cells) {
    // As the span before: a column is usually all short, or not.
    if (!has_long()) sweep_views<false>(column, rows, to_cell, cells);
    if (longest_ > kInlineBytes) sweep_views<true>(column, rows, to_cell, cells);
  }

  size_t longest() const { return longest_; }
  size_t shortest() const { return shortest_; }
  bool has_long() const { return long_bytes_ > 0; }

  // Whether every value of up to 12 bytes is ASCII without NUL.
  bool short_are_plain() const { return short_are_plain_; }

  // Whether long_range() holds all long values and little else.
  bool is_dense() const {
    if (!has_long()) return true;
    return has_one_buffer_ && static_cast<uint64_t>(end_ - begin_) <= 2 * long_bytes_ + kSlack;
  }
  std::string_view long_range(const ColumnView& column) const {
    if (!has_long()) return {};
    const auto* data = static_cast<const char*>(column.view_buffers[buffer_]);
    return {data + begin_, static_cast<size_t>(end_ - begin_)};
  }

  // Whether `width` bytes may be read from the start of every value of `rows`, inline ones
  // included. REQUIRES: is_dense().
  bool may_read(const ColumnView& column, RowSpan rows, size_t width) const {
    const int64_t behind = column.length - rows.begin - rows.count;
    const auto readable = static_cast<size_t>(behind) * sizeof(ViewReader::View) + kInlineBytes;
    if (readable < width) return false;
    if (!has_long()) return true;
    const auto* sizes = static_cast<const int64_t*>(column.view_buffers[column.view_buffer_count]);
    if (sizes == nullptr) return false;
    const int64_t last_begin = end_ - kInlineBytes - 1;  // or before it
    return last_begin + static_cast<int64_t>(width) <= sizes[buffer_];
  }

  // Where the long values lie; nullptr when there is none. REQUIRES: is_dense().
  const char* long_data(const ColumnView& column) const {
    return has_long() ? static_cast<const char*>(column.view_buffers[buffer_]) : nullptr;
  }

 private:
  static constexpr uint64_t kSlack = 4096;

  template <bool kLong, typename ToCell>
  void sweep_views(const ColumnView& column, RowSpan rows, ToCell to_cell, uint32_t* cells) {
    const ViewReader::View* views = ViewReader(column).views + rows.begin;
    uint64_t long_bytes = 0;
    uint32_t longest = 0, shortest = kMaxCellBytes;
    int64_t begin = std::numeric_limits<int64_t>::max(), end = 0;
    int32_t first_buffer = std::numeric_limits<int32_t>::max(), last_buffer = -1;
    const __m128i zero = _mm_setzero_si128();
    __m128i odd = zero;
    for (int i = 0; i < rows.count; ++i) {
      __builtin_prefetch(views + i + kMaxSpanRows);  // of the next span: it lies on another page
      const ViewReader::View& view = views[i];
      const auto bytes = static_cast<uint32_t>(view.length);
      cells[i] = to_cell(bytes);
      longest = std::max(longest, bytes);
      shortest = std::min(shortest, bytes);
      const ViewMasks& masks = kViewMasks[std::min(bytes, kInlineBytes + 1)];
      const __m128i text = _mm_or_si128(
          _mm_and_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&view)),
                        _mm_load_si128(reinterpret_cast<const __m128i*>(masks.counts.data()))),
          _mm_load_si128(reinterpret_cast<const __m128i*>(masks.ones.data())));
      odd = _mm_or_si128(odd, _mm_or_si128(text, _mm_cmpeq_epi8(text, zero)));
      if constexpr (kLong) {
        const bool is_long = bytes > kInlineBytes;
        long_bytes += is_long ? bytes : 0;
        begin = std::min(begin, is_long ? int64_t{view.offset} : begin);
        end = std::max(end, is_long ? int64_t{view.offset} + bytes : end);
        first_buffer = std::min(first_buffer, is_long ? view.buffer : first_buffer);
        last_buffer = std::max(last_buffer, is_long ? view.buffer : last_buffer);
      }
    }
    longest_ = longest;
    shortest_ = shortest;
    short_are_plain_ = _mm_movemask_epi8(odd) == 0;
    long_bytes_ = long_bytes;
    begin_ = begin;
    end_ = end;
    has_one_buffer_ = first_buffer == last_buffer;
    buffer_ = has_one_buffer_ ? first_buffer : -1;
  }

  uint32_t longest_ = kInlineBytes + 1, shortest_ = 0;
  bool short_are_plain_ = false, has_one_buffer_ = false;
  uint64_t long_bytes_ = 0;
  int64_t begin_ = 0, end_ = 0;  // of the long values in their buffer
  int32_t buffer_ = -1;
};

}  // namespace headrace
