// PostgreSQL arrays in COPY TEXT: {1,2}, {{a,b},{c,NULL}} (format/pg_array.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "encode/types/list_shape.h"
#include "encode/types/rendered_codec.h"

namespace headrace {

class RenderArrayText {
 public:
  // `items`: the codec of the innermost items, for RowFormat::kText.
  explicit RenderArrayText(std::unique_ptr<Codec> items) : items_(std::move(items)) {}

  void bind(const ColumnView& column) {
    shapes_.start(column);
    items_->bind(shapes_.leaf());
  }

  bool render(const ColumnView&, int64_t row, Buffer* out, std::string* reason) {
    runs_.clear();
    if (!shapes_.read(row, &shape_, &runs_, reason)) return false;
    put_repeated(out, '{', shape_.dimensions == 0 ? 1 : shape_.dimensions);
    int64_t item = 0;
    for (const ChildRows& run : runs_) {
      for (int64_t at = run.begin; at < run.end; at += kMaxSpanRows) {
        const int64_t count = std::min<int64_t>(run.end - at, kMaxSpanRows);
        const RowSpan span{at, static_cast<int>(count)};
        if (!measure(span, item, reason)) return false;
        put_span(span, item, out);
        if (out->size() > uint64_t{2} * kMaxCellBytes) return true;  // the caller rejects it
        item += count;
      }
    }
    put_repeated(out, '}', shape_.dimensions == 0 ? 1 : shape_.dimensions);
    return true;
  }

 private:
  static void put_repeated(Buffer* out, char c, int count) {
    const auto bytes = static_cast<size_t>(count);
    if (bytes > 0) std::memset(out->extend(bytes), c, bytes);
  }

  bool measure(RowSpan span, int64_t first_item, std::string* reason) {
    Rejects rejects;
    const uint32_t shared = items_->measure(shapes_.leaf(), span, cells_, rejects);
    if (!rejects.empty()) {
      const int64_t number = first_item + rejects[0].row - span.begin + 1;
      *reason = fmt::format("item {}: {}", number, rejects[0].reason);
      return false;
    }
    if (shared != kCellsDiffer) std::fill_n(cells_, span.count, shared);
    return true;
  }

  void put_span(RowSpan span, int64_t first_item, Buffer* out) {
    uint64_t total = 0;
    for (int k = 0; k < span.count; ++k) total += cells_[k];
    texts_.clear();
    uint8_t* at = texts_.extend(total);
    uint8_t* cursors[kMaxSpanRows];
    for (int k = 0; k < span.count; ++k) {
      cursors[k] = at;
      at += cells_[k];
    }
    items_->write(shapes_.leaf(), span, cells_, cursors);
    const char* text = reinterpret_cast<const char*>(texts_.data());
    for (int k = 0; k < span.count; ++k) {
      put_between(first_item + k, out);
      put_item({text, cells_[k] - 1}, out);  // without the tab
      text += cells_[k];
    }
  }

  // What stands before an item: a comma, and the braces of the dimensions that end there.
  void put_between(int64_t item, Buffer* out) const {
    if (item == 0) return;
    int ended = 0;
    int64_t items = 1;
    for (int d = shape_.dimensions - 1; d > 0; --d) {
      items *= shape_.sizes[static_cast<size_t>(d)];
      if (item % items != 0) break;
      ++ended;
    }
    put_repeated(out, '}', ended);
    put_repeated(out, ',', 1);
    put_repeated(out, '{', ended);
  }

  static void put_item(std::string_view text, Buffer* out) {
    // Text that is a backslash and N comes with its backslash doubled.
    if (text == "\\N") {
      out->append("NULL", 4);
      return;
    }
    out->reserve_more(pg_array::max_element_bytes(text.size()));
    char* begin = reinterpret_cast<char*>(out->data()) + out->size();
    const char* end = pg_array::put_element(begin, text);
    out->set_size(out->size() + static_cast<size_t>(end - begin));
  }

  std::unique_ptr<Codec> items_;
  ListShapes shapes_;
  pg_array::Shape shape_;
  std::vector<ChildRows> runs_;
  uint32_t cells_[kMaxSpanRows] = {};
  Buffer texts_;
};

inline std::unique_ptr<Codec> make_array_text(std::unique_ptr<Codec> items) {
  return rendered_codec<CopyText>(RenderArrayText(std::move(items)));
}

}  // namespace headrace
