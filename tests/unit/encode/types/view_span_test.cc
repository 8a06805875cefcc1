// utf8_view: whatever a sweep over views finds, the cells are those of the same values in utf8.
#include "encode/types/view_span.h"

#include <random>

#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

const TargetType kText{"text", "text", -1};

// Views over several data buffers, with garbage behind short values and gaps between long ones.
struct Views {
  std::vector<ViewReader::View> views;
  std::vector<std::string> buffers;
  std::vector<const void*> pointers;
  std::vector<int64_t> sizes;
  DataType type = type_of("utf8_view");

  Views(const std::vector<std::string>& values, int buffer_count, size_t gap) : buffers(static_cast<size_t>(buffer_count)) {
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string& v = values[i];
      ViewReader::View view;
      std::memset(&view, 0xF7, sizeof view);
      view.length = static_cast<int32_t>(v.size());
      if (v.size() <= 12) {
        std::memcpy(reinterpret_cast<char*>(&view) + 4, v.data(), v.size());
      } else {
        std::string& buffer = buffers[i % buffers.size()];
        view.buffer = static_cast<int32_t>(i % buffers.size());
        view.offset = static_cast<int32_t>(buffer.size());
        std::memcpy(view.head, v.data(), 4);
        buffer += v + std::string(gap, '\xFE');
      }
      views.push_back(view);
    }
    for (const std::string& buffer : buffers) {
      pointers.push_back(buffer.data());
      sizes.push_back(static_cast<int64_t>(buffer.size()));
    }
    pointers.push_back(sizes.data());
  }

  ColumnView column() const {
    ColumnView column;
    column.type = &type;
    column.length = static_cast<int64_t>(views.size());
    column.values = views.data();
    column.view_buffers = pointers.data();
    column.view_buffer_count = static_cast<int64_t>(buffers.size());
    return column;
  }
};

Encoded encode_views(const Views& views, RowFormat format, uint32_t room) {
  const TargetType target = format == RowFormat::kSqliteRecord ? TargetType{"TEXT", "TEXT", -1} : kText;
  auto codec = find_type_family(views.type)->make(views.type, target, format, {});
  EXPECT_TRUE(codec.ok());
  const ColumnView column = views.column();
  Encoded out;
  out.cells.resize(views.views.size());
  SpanCheck check(**codec, column, format, room);
  for (int64_t at = 0; at < column.length; at += kMaxSpanRows) {
    check.run({at, static_cast<int>(std::min<int64_t>(kMaxSpanRows, column.length - at))}, &out);
  }
  return out;
}

// Mostly plain text; some rows hold a NUL, a broken byte or a character of several bytes.
std::vector<std::string> random_values(std::mt19937& random, int longest, int bad_percent) {
  std::uniform_int_distribution<int> length(0, longest), percent(0, 99), letter('a', 'z');
  std::vector<std::string> values(600);
  for (std::string& v : values) {
    v.resize(static_cast<size_t>(length(random)));
    for (char& c : v) c = static_cast<char>(letter(random));
    if (v.size() < 3 || percent(random) >= bad_percent) continue;
    const auto at = static_cast<size_t>(std::uniform_int_distribution<size_t>(0, v.size() - 2)(random));
    const int kind = percent(random) % 3;
    if (kind == 0) v[at] = '\0';
    if (kind == 1) v[at] = '\xFF';
    if (kind == 2) v.replace(at, 2, "\xC3\xA9");
  }
  return values;
}

TEST(ViewSpan, CellsAreThoseOfUtf8) {
  std::mt19937 random(20240607);
  for (const int longest : {1, 12, 13, 20, 48, 90}) {
    for (const int bad_percent : {0, 1, 30}) {
      const std::vector<std::string> values = random_values(random, longest, bad_percent);
      const std::vector<Raw> raw(values.begin(), values.end());
      for (const RowFormat format : {RowFormat::kPgBinary, RowFormat::kSqliteRecord, RowFormat::kText}) {
        OwnedArray array(std::make_unique<ArrowArray>(build_array(type_of("utf8"), raw)).get());
        const TargetType target = format == RowFormat::kSqliteRecord ? TargetType{"TEXT", "TEXT", -1} : kText;
        const Encoded wanted = encode_array(*array.get(), type_of("utf8"), target, format);
        for (const int buffers : {1, 3}) {
          for (const size_t gap : {size_t{0}, size_t{200}}) {
            const Views views(values, buffers, gap);
            for (const uint32_t room : {0U, 16U, 64U}) {
              EXPECT_EQ(encode_views(views, format, room), wanted)
                  << "longest " << longest << ", bad " << bad_percent << ", buffers " << buffers << ", gap " << gap;
            }
          }
        }
      }
    }
  }
}

TEST(ViewSpan, TellsLengthsAndRange) {
  const Views views({"ab", "a value of twenty byt", "another long value", ""}, 1, 0);
  ViewSpan span;
  uint32_t cells[4];
  span.sweep(views.column(), {0, 4}, [](uint32_t bytes) { return bytes; }, cells);
  EXPECT_EQ(std::vector<uint32_t>(cells, cells + 4), (std::vector<uint32_t>{2, 21, 18, 0}));
  EXPECT_EQ(span.longest(), 21u);
  EXPECT_EQ(span.shortest(), 0u);
  EXPECT_TRUE(span.short_are_plain());
  EXPECT_TRUE(span.is_dense());
  EXPECT_EQ(span.long_range(views.column()), "a value of twenty bytanother long value");
  // A long value begins 13 bytes before the end of its buffer at the latest; an inline one of the last row has 12.
  EXPECT_TRUE(span.may_read(views.column(), {0, 3}, 13));
  EXPECT_FALSE(span.may_read(views.column(), {0, 3}, 14));
  EXPECT_FALSE(span.may_read(views.column(), {0, 4}, 13));
  // A later span without long values forgets them.
  span.sweep(views.column(), {3, 1}, [](uint32_t bytes) { return bytes; }, cells);
  EXPECT_FALSE(span.has_long());
  EXPECT_EQ(span.longest(), 0u);
}

}  // namespace
}  // namespace headrace::test
