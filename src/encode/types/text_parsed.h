// Text into PostgreSQL columns of other types: each value is read once, in measure, and kept until
// write puts it. In COPY TEXT the value travels as it stands once it is known to be one: the server
// then reads the same characters.
//
// What each target takes is in docs/formats/text_conversions.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "encode/codec_helpers.h"

namespace headrace {

// The codec of a text column of type `text` for a target that is no text type; nullptr when there
// is none. REQUIRES: format is kPgBinary or kText.
std::unique_ptr<Codec> make_text_parsed(TypeId text, const TargetType& target, RowFormat format);

// The groups of targets, one file each; nullptr when `target` is in another.
std::unique_ptr<Codec> make_text_to_time(TypeId text, const TargetType& target, RowFormat format);
std::unique_ptr<Codec> make_text_to_number(TypeId text, const TargetType& target, RowFormat format);
std::unique_ptr<Codec> make_text_to_numeric(TypeId text, const TargetType& target,
                                            RowFormat format);
std::unique_ptr<Codec> make_text_to_json(TypeId text, const TargetType& target, RowFormat format);
std::unique_ptr<Codec> make_text_to_label(TypeId text, const TargetType& target, RowFormat format);

// The value for a message, in quotes: shortened, and without what a terminal would act on.
std::string quoted_value(std::string_view v);

// What is wrong with any text that PostgreSQL stores; empty if nothing is.
std::string explain_pg_text(std::string_view v);

// Fills values[0, rows.count); those of NULLs are left as they are.
using GatherText = void (*)(const ColumnView& column, RowSpan rows, bool null_free,
                            std::string_view* values);
GatherText gather_text(TypeId text);

// Convert says how a value is read and written:
//
//   using Parsed = ...;                                   what is kept from measure to write
//   static constexpr uint32_t kBytes = 8;                 bytes of every value in pg_binary; 0:
//   uint32_t bytes(const Parsed&) const                   they differ
//   void start()                                          before the first value of a span; may be
//                                                         absent
//   bool parse(std::string_view v, Parsed* out)           false: rejected
//   uint8_t* put(uint8_t* out, const Parsed& p) const
//   std::string explain(std::string_view v) const         why v is rejected
template <typename Convert, typename Cells>
class ParsedCodec final : public Codec {
 public:
  using Parsed = typename Convert::Parsed;

  ParsedCodec(TypeId text, Convert convert)
      : gather_(gather_text(text)), convert_(std::move(convert)) {}

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    std::string_view values[kMaxSpanRows];
    null_free_ = is_null_free(column, rows);
    gather_(column, rows, null_free_, values);
    if constexpr (requires { convert_.start(); }) convert_.start();
    bool all = true;
    for (int i = 0; i < rows.count; ++i) {
      if (!null_free_ && column.is_null(rows.begin + i)) {
        cells[i] = Cells::kNull;
      } else if (values[i].size() <= kMaxCellBytes && convert_.parse(values[i], &parsed_[i]))
          [[likely]] {
        cells[i] = Cells::from_bytes(bytes_of(parsed_[i]));
      } else {
        rejects.push_back({rows.begin + i, explain(values[i])});
        cells[i] = Cells::kNull;
        all = false;
      }
    }
    shared_ = Convert::kBytes != 0 && null_free_ && all;
    return shared_ ? Cells::from_bytes(Convert::kBytes) : kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
             uint8_t** cursors) override {
    for (int i = 0; i < rows.count; ++i) {
      if (!null_free_ && column.is_null(rows.begin + i)) {
        cursors[i] = Cells::put_null(cursors[i]);
        continue;
      }
      const uint32_t bytes = shared_ ? Convert::kBytes : Cells::bytes(cells[i]);
      cursors[i] = Cells::close(convert_.put(Cells::open(cursors[i], bytes), parsed_[i]));
    }
  }

 private:
  uint32_t bytes_of(const Parsed& parsed) const {
    if constexpr (Convert::kBytes != 0)
      return Convert::kBytes;
    else
      return convert_.bytes(parsed);
  }

  std::string explain(std::string_view v) const {
    // Broken offsets make a size of which not a byte may be read.
    return v.size() > kMaxCellBytes ? explain_pg_text(v) : convert_.explain(v);
  }

  GatherText gather_;
  Convert convert_;
  // Of the span measured last.
  bool null_free_ = false;
  bool shared_ = false;
  Parsed parsed_[kMaxSpanRows];
};

// The text form: the value itself, when Convert reads it.
template <typename Convert>
struct CheckedText {
  using Parsed = std::string_view;
  static constexpr uint32_t kBytes = 0;
  Convert convert;

  void start() {
    if constexpr (requires { convert.start(); }) convert.start();
  }
  bool parse(std::string_view v, std::string_view* out) {
    typename Convert::Parsed parsed;
    *out = v;
    return convert.parse(v, &parsed);
  }
  uint32_t bytes(std::string_view v) const { return static_cast<uint32_t>(text::escaped_size(v)); }
  uint8_t* put(uint8_t* out, std::string_view v) const { return text::put_escaped(out, v); }
  std::string explain(std::string_view v) const { return convert.explain(v); }
};

template <typename Convert>
std::unique_ptr<Codec> parsed_codec(TypeId text, RowFormat format, Convert convert) {
  if (format == RowFormat::kPgBinary) {
    return std::make_unique<ParsedCodec<Convert, pg_binary::Cells>>(text, std::move(convert));
  }
  using Checked = CheckedText<Convert>;
  return std::make_unique<ParsedCodec<Checked, text::Cells>>(text, Checked{std::move(convert)});
}

}  // namespace headrace
