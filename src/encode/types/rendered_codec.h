// The codec of values whose size is known only when they are made: measure makes them one after
// the other in scratch memory, write copies them from there. What goes past kKeptBytes is made
// again by write, so that a span of huge values does not need all their memory at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/buffer.h"
#include "encode/codec_helpers.h"

#include <fmt/format.h>

namespace headrace {

// What a rendered value becomes: Cells of a format, and how many bytes of it the value takes.
struct PgField {
  using Cells = pg_binary::Cells;
  static uint64_t bytes(std::string_view v) { return v.size(); }
  static uint32_t cell(uint32_t bytes) { return Cells::from_bytes(bytes); }
  static uint8_t* put(uint8_t* out, std::string_view v) {
    out = Cells::open(out, static_cast<uint32_t>(v.size()));
    return put_bytes(out, v.data(), v.size());
  }
};

// Rendered with COPY's escapes in it.
struct CopyText {
  using Cells = text::Cells;
  static uint64_t bytes(std::string_view v) { return v.size(); }
  static uint32_t cell(uint32_t bytes) { return Cells::from_bytes(bytes); }
  static uint8_t* put(uint8_t* out, std::string_view v) {
    return Cells::close(put_bytes(out, v.data(), v.size()));
  }
};

struct EscapedCopyText : CopyText {
  static uint64_t bytes(std::string_view v) { return text::escaped_size(v); }
  static uint8_t* put(uint8_t* out, std::string_view v) {
    return Cells::close(text::put_escaped(out, v));
  }
};

struct SqliteTextBody {
  using Cells = sqlite_record::Cells;
  static uint64_t bytes(std::string_view v) { return v.size(); }
  static uint32_t cell(uint32_t bytes) { return sqlite_record::serial_of_text(bytes); }
  static uint8_t* put(uint8_t* out, std::string_view v) {
    return put_bytes(out, v.data(), v.size());
  }
};

// Render:
//   void bind(const ColumnView& column)
//   bool render(const ColumnView& column, int64_t row, Buffer* out, std::string* reason)
//       appends the value of a row that is not NULL; false when it is rejected
template <typename Render, typename Frame>
class RenderedCodec final : public Codec {
 public:
  explicit RenderedCodec(Render render) : render_(std::move(render)) {}

  void bind(const ColumnView& column) override { render_.bind(column); }

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    kept_.clear();
    for (int i = 0; i < rows.count; ++i) {
      cells[i] = Frame::Cells::kNull;
      begins_[i] = kept_.size();
      if (column.is_null(rows.begin + i)) continue;
      std::string reason;
      if (!measure_one(column, rows.begin + i, &cells[i], &reason)) [[unlikely]] {
        rejects.push_back({rows.begin + i, std::move(reason)});
        kept_.set_size(begins_[i]);
      } else if (kept_.size() > kKeptBytes) {
        kept_.set_size(begins_[i]);
        begins_[i] = kNotKept;
      }
    }
    begins_[rows.count] = kept_.size();
    return kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t*, uint8_t** cursors) override {
    const std::string_view kept = kept_.view();
    for (int i = 0; i < rows.count; ++i) {
      if (column.is_null(rows.begin + i)) {
        cursors[i] = Frame::Cells::put_null(cursors[i]);
      } else if (begins_[i] == kNotKept) [[unlikely]] {
        write_again(column, rows.begin + i, &cursors[i]);
      } else {
        const size_t begin = begins_[i];
        cursors[i] = Frame::put(cursors[i], kept.substr(begin, end_of(i) - begin));
      }
    }
  }

 private:
  static constexpr size_t kKeptBytes = 1 << 20;
  static constexpr size_t kNotKept = SIZE_MAX;

  bool measure_one(const ColumnView& column, int64_t row, uint32_t* cell, std::string* reason) {
    const size_t begin = kept_.size();
    if (!render_.render(column, row, &kept_, reason)) return false;
    const uint64_t bytes = Frame::bytes(kept_.view().substr(begin));
    if (bytes > kMaxCellBytes) {
      *reason = fmt::format("the value needs {} bytes; the limit is 1 GiB", bytes);
      return false;
    }
    *cell = Frame::cell(static_cast<uint32_t>(bytes));
    return true;
  }

  // Where the next row begins that was kept.
  size_t end_of(int i) const {
    do ++i;
    while (begins_[i] == kNotKept);
    return begins_[i];
  }

  void write_again(const ColumnView& column, int64_t row, uint8_t** cursor) {
    Buffer again;
    std::string reason;
    render_.render(column, row, &again, &reason);
    *cursor = Frame::put(*cursor, again.view());
  }

  Render render_;
  // Of the span measured last.
  Buffer kept_;
  size_t begins_[kMaxSpanRows + 1] = {};
};

template <typename Frame, typename Render>
std::unique_ptr<Codec> rendered_codec(Render render) {
  return std::make_unique<RenderedCodec<Render, Frame>>(std::move(render));
}

}  // namespace headrace
