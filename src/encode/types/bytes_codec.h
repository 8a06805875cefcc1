// The codec of values that are stored as their own bytes: text and binary, in pg_binary and
// sqlite_record.
//
// Values with offsets lie one after the other, so a span is checked in one sweep over its bytes,
// and value by value only when the sweep finds something. Short values are copied as whole words
// where the words may be read past the value and written past the cell.
#pragma once

#include <algorithm>
#include <string_view>
#include <type_traits>

#include "encode/codec_helpers.h"
#include "encode/types/view_span.h"

namespace headrace {

template <typename Reader>
inline constexpr bool kHasOffsets = requires(const Reader& r) { r.offsets; };

// Copies kWidth bytes; the caller knows that they may be read and written.
template <int kWidth>
struct FixedCopy {
  void operator()(uint8_t* out, const char* in) const {
    struct {
      char bytes[kWidth];
    } block;
    std::memcpy(&block, in, kWidth);
    std::memcpy(out, &block, kWidth);
  }
};

// Rule says what is stored:
//   uint32_t cell(uint32_t n) const               cell of a value of n bytes
//   bool fits(std::string_view v) const           whether v is stored
//   bool all_fit(std::string_view all, size_t longest) const
//                                                 true only if every piece of `all` is stored that
//                                                 has at most `longest` bytes
//   std::string explain(std::string_view v) const
template <typename Reader, typename Rule, typename Cells>
class BytesCodec final : public Codec {
 public:
  explicit BytesCodec(Rule rule) : rule_(std::move(rule)) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const Reader values(column);
    null_free_ = is_null_free(column, rows);
    if (!measure_sizes(column, values, rows, cells)) {
      check_each(column, values, rows, cells, rejects);
    }
    shared_ = null_free_ && shortest_ == longest_ && rejects.empty();
    return shared_ ? rule_.cell(static_cast<uint32_t>(longest_)) : kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t*, uint8_t** cursors) override {
    switch (copy_width(column, rows)) {
      case 8:
        return write_rows(column, rows, cursors, FixedCopy<8>{});
      case 12:
        return write_rows(column, rows, cursors, FixedCopy<12>{});
      case 16:
        return write_rows(column, rows, cursors, FixedCopy<16>{});
      case 20:
        return write_rows(column, rows, cursors, FixedCopy<20>{});
      case 24:
        return write_rows(column, rows, cursors, FixedCopy<24>{});
      case 32:
        return write_rows(column, rows, cursors, FixedCopy<32>{});
      case 48:
        return write_rows(column, rows, cursors, FixedCopy<48>{});
      default:
        return write_rows(column, rows, cursors, nullptr);
    }
  }

 private:
  static constexpr bool kHasViews = std::is_same_v<Reader, ViewReader>;

  // Fills the cells and finds the shortest and longest value. Returns false when some value may not
  // be one that is stored.
  bool measure_sizes(const ColumnView& column, const Reader& values, RowSpan rows,
                     uint32_t* cells) {
    if constexpr (kHasViews) {
      if (null_free_) return measure_views(column, rows, cells);
    }
    const size_t most =
        null_free_
            ? fill_cells(
                  values, rows, [](int64_t) { return false; }, cells)
            : fill_cells(values, rows, [&](int64_t row) { return column.is_null(row); }, cells);
    if constexpr (kHasOffsets<Reader>) {
      if (most > kMaxCellBytes) return false;
      const auto begin = values.offsets[rows.begin], end = values.offsets[rows.begin + rows.count];
      return rule_.all_fit({values.data + begin, static_cast<size_t>(end - begin)}, longest_);
    } else {
      return false;
    }
  }

  bool measure_views(const ColumnView& column, RowSpan rows, uint32_t* cells) {
    const Rule rule = rule_;
    views_.sweep(column, rows, [&](uint32_t bytes) { return rule.cell(bytes); }, cells);
    longest_ = views_.longest();
    shortest_ = views_.shortest();
    return longest_ <= kMaxCellBytes && views_.short_are_plain() && views_.is_dense() &&
           rule_.all_fit(views_.long_range(column), longest_);
  }

  // Returns the most bytes of any slot, those of NULLs included: they lie in the sweep too.
  template <typename IsNull>
  size_t fill_cells(const Reader& values, RowSpan rows, IsNull is_null, uint32_t* cells) {
    const Rule rule = rule_;
    size_t longest = 0, shortest = kMaxCellBytes, most = 0;
    for (int i = 0; i < rows.count; ++i) {
      const size_t n = size_of(values, rows.begin + i);
      most = std::max(most, n);
      if (is_null(rows.begin + i)) {
        cells[i] = Cells::kNull;
        continue;
      }
      cells[i] = rule.cell(static_cast<uint32_t>(n));
      longest = std::max(longest, n);
      shortest = std::min(shortest, n);
    }
    longest_ = longest;
    shortest_ = shortest;
    return most;
  }

  void check_each(const ColumnView& column, const Reader& values, RowSpan rows, uint32_t* cells,
                  Rejects& rejects) const {
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      if (!null_free_ && column.is_null(row)) continue;
      const std::string_view v = values[row];
      if (rule_.fits(v)) [[likely]]
        continue;
      rejects.push_back({row, rule_.explain(v)});
      cells[i] = Cells::kNull;
    }
  }

  // Width of words that hold every value of the span and may be read and written whole; 0: none.
  int copy_width(const ColumnView& column, RowSpan rows) {
    for (const int step : {8, 12, 16, 20, 24, 32, 48}) {
      const auto width = static_cast<size_t>(step);
      if (longest_ > width) continue;
      return width - shortest_ <= room_ && may_read(column, rows, width) ? step : 0;
    }
    return 0;
  }

  // Whether `width` bytes may be read from the start of every value.
  bool may_read(const ColumnView& column, RowSpan rows, size_t width) {
    if constexpr (kHasOffsets<Reader>) {
      const Reader values(column);
      const auto last = values.offsets[rows.begin + rows.count];
      const auto behind = static_cast<size_t>(values.offsets[column.length] - last);
      // The last value may be empty: then all of the word lies behind it.
      return behind >= width - shortest_;
    } else if constexpr (kHasViews) {
      if (!null_free_ || !views_.is_dense()) return false;
      view_data_ = views_.long_data(column);
      return views_.may_read(column, rows, width);
    } else {
      return false;
    }
  }

  template <typename Copy>
  void write_rows(const ColumnView& column, RowSpan rows, uint8_t** cursors, Copy copy) const {
    const Reader values(column);
    const char* const view_data = view_data_;
    const auto write_one = [&](int i) {
      if constexpr (std::is_same_v<Copy, std::nullptr_t>) {
        const std::string_view v = values[rows.begin + i];
        uint8_t* at = Cells::open(cursors[i], static_cast<uint32_t>(v.size()));
        cursors[i] = put_bytes(at, v.data(), v.size());
      } else {
        const std::string_view v = value_at(values, rows.begin + i, view_data);
        uint8_t* at = Cells::open(cursors[i], static_cast<uint32_t>(v.size()));
        copy(at, v.data());
        cursors[i] = at + v.size();
      }
    };
    if (null_free_) {
      for (int i = 0; i < rows.count; ++i) write_one(i);
      return;
    }
    for (int i = 0; i < rows.count; ++i) {
      if (column.is_null(rows.begin + i)) {
        cursors[i] = Cells::put_null(cursors[i]);
      } else {
        write_one(i);
      }
    }
  }

  // A view's value without a branch on its length, when all long ones lie in one buffer.
  static std::string_view value_at(const Reader& values, int64_t row, const char* view_data) {
    if constexpr (kHasViews) {
      const ViewReader::View& view = values.views[row];
      const char* places[2] = {view.head, view_data + view.offset};
      return {places[view.length > 12], static_cast<size_t>(view.length)};
    } else {
      return values[row];
    }
  }

  static size_t size_of(const Reader& values, int64_t row) {
    if constexpr (kHasOffsets<Reader>) {
      return static_cast<size_t>(values.offsets[row + 1] - values.offsets[row]);
    } else if constexpr (kHasViews) {
      return static_cast<size_t>(values.views[row].length);
    } else {
      return values[row].size();
    }
  }

  Rule rule_;
  // Of the span measured last.
  bool null_free_ = false;
  bool shared_ = false;
  size_t shortest_ = 0;
  size_t longest_ = 0;
  ViewSpan views_;                    // of a column of views without NULL
  const char* view_data_ = nullptr;   // of the span that is written: where its long values lie
};

template <typename Reader, typename Cells, typename Rule>
std::unique_ptr<Codec> bytes_codec(Rule rule) {
  return std::make_unique<BytesCodec<Reader, Rule, Cells>>(std::move(rule));
}

}  // namespace headrace
