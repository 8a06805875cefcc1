// Text: utf8, large_utf8, utf8_view.
//
//   PostgreSQL   text, varchar(n), char(n), citext: the bytes as they are. Invalid UTF-8 and NUL
//   bytes are
//                rejected, and so are values longer than n. Other types: types/text_parsed.h
//   SQLite       TEXT; NUL is kept, invalid UTF-8 is rejected. So is, in a column of numeric
//   affinity,
//                text that looks like a number: SQLite would store the number instead ('007' as 7)
#include <fmt/format.h>
#include <algorithm>

#include "encode/codec_helpers.h"
#include "encode/format/utf8.h"
#include "encode/types/bytes_codec.h"
#include "encode/types/families.h"
#include "encode/types/geometry.h"
#include "encode/types/text_parsed.h"

namespace headrace {
namespace {

// What is wrong with text of any target; empty if nothing is.
std::string explain_text(std::string_view v, bool nul_allowed) {
  if (v.size() > kMaxCellBytes)
    return fmt::format("text of {} bytes; the limit is 1 GiB", v.size());
  if (const size_t bad = utf8::first_invalid(v); bad != v.size()) {
    return fmt::format("invalid UTF-8 at byte {}", bad + 1);
  }
  if (const size_t nul = v.find('\0'); !nul_allowed && nul != std::string_view::npos) {
    return fmt::format("text holds a NUL byte at byte {}, which PostgreSQL cannot store", nul + 1);
  }
  return {};
}

// Limit of varchar(n) and char(n) in characters; -1: none.
struct PgText {
  int max_chars = -1;
  bool blank_padded = false;  // char(n): spaces past n are not part of the value

  static uint32_t cell(uint32_t n) { return pg_binary::Cells::from_bytes(n); }
  bool is_short(size_t bytes) const {
    return max_chars < 0 || bytes <= static_cast<size_t>(max_chars);
  }
  bool is_within_limit(std::string_view v) const {
    if (is_short(v.size())) return true;
    if (blank_padded) {
      while (!v.empty() && v.back() == ' ') v.remove_suffix(1);
    }
    return utf8::length(v) <= static_cast<size_t>(max_chars);
  }
  bool fits(std::string_view v) const {
    return v.size() <= kMaxCellBytes && utf8::is_valid_without_nul(v) && is_within_limit(v);
  }
  bool all_fit(std::string_view all, size_t longest) const {
    return is_short(longest) && utf8::is_plain_ascii<false>(all);
  }
  std::string explain(std::string_view v) const {
    std::string reason = explain_text(v, false);
    if (!reason.empty()) return reason;
    return fmt::format("text of {} characters is longer than {}", utf8::length(v), max_chars);
  }
};

struct EscapedText {
  using Value = std::string_view;
  static constexpr uint32_t kShared = 0;
  PgText plain;

  uint32_t measure(std::string_view v) const {
    return plain.fits(v) ? static_cast<uint32_t>(text::escaped_size(v)) : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    return text::put_escaped(out, v);
  }
  std::string explain(std::string_view v) const { return plain.explain(v); }
};

// Whether SQLite would turn the text into a number in a column of numeric affinity: blanks, sign,
// digits with a point among them, exponent, blanks.
bool looks_numeric(std::string_view v) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  v.remove_prefix(std::min(v.find_first_not_of(kBlanks), v.size()));
  v = v.substr(0, v.find_last_not_of(kBlanks) + 1);
  const auto skip_sign = [&v] {
    if (!v.empty() && (v[0] == '+' || v[0] == '-')) v.remove_prefix(1);
  };
  const auto skip_digits = [&v] {
    const size_t count = std::min(v.find_first_not_of("0123456789"), v.size());
    v.remove_prefix(count);
    return count;
  };
  skip_sign();
  size_t digits = skip_digits();
  if (!v.empty() && v[0] == '.') {
    v.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (v.empty()) return true;
  if (v[0] != 'e' && v[0] != 'E') return false;
  v.remove_prefix(1);
  skip_sign();
  return skip_digits() > 0 && v.empty();
}

struct SqliteText {
  bool numeric_affinity;

  static uint32_t cell(uint32_t n) { return sqlite_record::serial_of_text(n); }
  bool fits(std::string_view v) const {
    return v.size() <= kMaxCellBytes && utf8::is_valid(v) &&
           !(numeric_affinity && looks_numeric(v));
  }
  bool all_fit(std::string_view all, size_t) const {
    return !numeric_affinity && utf8::is_plain_ascii<true>(all);
  }
  std::string explain(std::string_view v) const {
    std::string reason = explain_text(v, true);
    if (!reason.empty()) return reason;
    return fmt::format("'{}' is text; the column would store it as a number", v);
  }
};

bool is_text_target(const TargetType& target) {
  static constexpr std::string_view kBases[] = {"text", "varchar", "bpchar", "citext"};
  return std::find(std::begin(kBases), std::end(kBases), target.base) != std::end(kBases);
}

template <typename Reader>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  if (format == RowFormat::kSqliteRecord) {
    const std::string& affinity = target.base;
    const bool numeric = affinity == "NUMERIC" || affinity == "INTEGER" || affinity == "REAL";
    return bytes_codec<Reader, sqlite_record::Cells>(SqliteText{numeric});
  }
  if (!is_text_target(target)) {
    if (auto codec = make_text_parsed(type.id, target, format)) return codec;
    return type_mismatch(type, target);
  }
  PgText plain;
  // varchar(n) and char(n) store n + 4 as type modifier.
  if (target.base == "varchar" || target.base == "bpchar") {
    plain.max_chars = target.typmod >= 4 ? target.typmod - 4 : -1;
    plain.blank_padded = target.base == "bpchar";
  }
  if (format == RowFormat::kPgBinary) return bytes_codec<Reader, pg_binary::Cells>(plain);
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
                                    RowFormat format, const ValueOptions& options) {
  if (is_geometry(target)) return geometry_codec(type, target, format, options);
  switch (type.id) {
    case TypeId::kUtf8:
      return make_for<BytesReader<int32_t>>(type, target, format);
    case TypeId::kLargeUtf8:
      return make_for<BytesReader<int64_t>>(type, target, format);
    default:
      return make_for<ViewReader>(type, target, format);
  }
}

}  // namespace

const TypeFamily kTextFamily = {"text", handles, default_target, make};

}  // namespace headrace
