// Text: utf8, large_utf8, utf8_view.
//
//   PostgreSQL   text, varchar(n), char(n), name, citext: the bytes as they are. Invalid UTF-8 and NUL
//                bytes are rejected, and so are values longer than n
//   SQLite       TEXT; NUL is kept, invalid UTF-8 is rejected
#include <algorithm>
#include <fmt/format.h>

#include "encode/codec_helpers.h"
#include "encode/format/utf8.h"
#include "encode/types/families.h"

namespace headrace {
namespace {

std::string explain_text(std::string_view v, int max_chars, bool nul_allowed) {
  if (v.size() > kMaxCellBytes) return fmt::format("text of {} bytes; the limit is 1 GiB", v.size());
  if (const size_t bad = utf8::first_invalid(v); bad != v.size()) {
    return fmt::format("invalid UTF-8 at byte {}", bad + 1);
  }
  if (!nul_allowed && v.find('\0') != std::string_view::npos) {
    return fmt::format("text holds a NUL byte at byte {}, which PostgreSQL cannot store",
                       v.find('\0') + 1);
  }
  return fmt::format("text of {} characters is longer than {}", utf8::length(v), max_chars);
}

// Limit of varchar(n) and char(n) in characters; -1: none.
struct PgText {
  using Value = std::string_view;
  static constexpr uint32_t kShared = 0;
  int max_chars = -1;
  bool blank_padded = false;  // char(n): spaces past n are not part of the value

  bool fits(std::string_view v) const {
    if (max_chars < 0 || v.size() <= static_cast<size_t>(max_chars)) return true;
    if (blank_padded) {
      while (!v.empty() && v.back() == ' ') v.remove_suffix(1);
    }
    return utf8::length(v) <= static_cast<size_t>(max_chars);
  }
  bool stores(std::string_view v) const {
    return v.size() <= kMaxCellBytes && utf8::is_valid_without_nul(v) && fits(v);
  }
  uint32_t measure(std::string_view v) const {
    return stores(v) ? static_cast<uint32_t>(v.size()) : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    return put_bytes(out, v.data(), v.size());
  }
  std::string explain(std::string_view v) const { return explain_text(v, max_chars, false); }
};

struct EscapedText : PgText {
  uint32_t measure(std::string_view v) const {
    return stores(v) ? static_cast<uint32_t>(text::escaped_size(v)) : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    return text::put_escaped(out, v);
  }
};

struct SqliteText {
  using Value = std::string_view;
  static constexpr uint32_t kShared = 0;
  uint32_t measure(std::string_view v) const {
    if (v.size() > kMaxCellBytes || !utf8::is_valid(v)) return kRejectedCell;
    return sqlite_record::serial_of_text(static_cast<uint32_t>(v.size()));
  }
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    return put_bytes(out, v.data(), v.size());
  }
  std::string explain(std::string_view v) const { return explain_text(v, -1, true); }
};

bool is_text_target(const TargetType& target) {
  static constexpr std::string_view kBases[] = {"text", "varchar", "bpchar", "citext"};
  return std::find(std::begin(kBases), std::end(kBases), target.base) != std::end(kBases);
}

template <typename Reader>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  if (format == RowFormat::kSqliteRecord) {
    return column_codec<Reader, sqlite_record::Cells, SqliteText>();
  }
  if (!is_text_target(target)) return type_mismatch(type, target);
  PgText plain;
  // varchar(n) and char(n) store n + 4 as type modifier.
  if (target.base == "varchar" || target.base == "bpchar") {
    plain.max_chars = target.typmod >= 4 ? target.typmod - 4 : -1;
    plain.blank_padded = target.base == "bpchar";
  }
  if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(plain);
  return column_codec<Reader, text::Cells>(EscapedText{plain});
}

bool handles(const DataType& type) {
  return type.id == TypeId::kUtf8 || type.id == TypeId::kLargeUtf8 || type.id == TypeId::kUtf8View;
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"text", "text", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  switch (type.id) {
    case TypeId::kUtf8: return make_for<BytesReader<int32_t>>(type, target, format);
    case TypeId::kLargeUtf8: return make_for<BytesReader<int64_t>>(type, target, format);
    default: return make_for<ViewReader>(type, target, format);
  }
}

}  // namespace

const TypeFamily kTextFamily = {"text", handles, default_target, make};

}  // namespace headrace
