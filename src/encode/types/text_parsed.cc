#include "encode/types/text_parsed.h"

#include <fmt/format.h>

#include "encode/format/utf8.h"

namespace headrace {
namespace {

template <typename Reader>
void gather(const ColumnView& column, RowSpan rows, bool null_free, std::string_view* values) {
  const Reader reader(column);
  for (int i = 0; i < rows.count; ++i) {
    if (null_free || !column.is_null(rows.begin + i)) values[i] = reader[rows.begin + i];
  }
}

}  // namespace

GatherText gather_text(TypeId text) {
  switch (text) {
    case TypeId::kUtf8:
      return gather<BytesReader<int32_t>>;
    case TypeId::kLargeUtf8:
      return gather<BytesReader<int64_t>>;
    default:
      return gather<ViewReader>;
  }
}

std::unique_ptr<Codec> make_text_parsed(TypeId text, const TargetType& target, RowFormat format) {
  for (const auto make : {make_text_to_time, make_text_to_number, make_text_to_numeric,
                          make_text_to_json, make_text_to_label}) {
    if (auto codec = make(text, target, format)) return codec;
  }
  return nullptr;
}

std::string quoted_value(std::string_view v) {
  constexpr size_t kMostBytes = 60;
  std::string shown(v.substr(0, kMostBytes));
  if (v.size() > kMostBytes) {
    // Not in the middle of a character.
    while (!shown.empty() && (static_cast<uint8_t>(v[shown.size()]) & 0xC0) == 0x80) {
      shown.pop_back();
    }
    shown += "...";
  }
  const bool valid = utf8::first_invalid(shown) == shown.size();
  for (char& c : shown) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F || (!valid && byte >= 0x80)) c = '?';
  }
  return "'" + shown + "'";
}

std::string explain_pg_text(std::string_view v) {
  if (v.size() > kMaxCellBytes)
    return fmt::format("text of {} bytes; the limit is 1 GiB", v.size());
  if (const size_t bad = utf8::first_invalid(v); bad != v.size()) {
    return fmt::format("invalid UTF-8 at byte {}", bad + 1);
  }
  if (const size_t nul = v.find('\0'); nul != std::string_view::npos) {
    return fmt::format("text holds a NUL byte at byte {}, which PostgreSQL cannot store", nul + 1);
  }
  return {};
}

}  // namespace headrace
