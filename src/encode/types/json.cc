// JSON: the extension type arrow.json, stored as utf8, large_utf8 or utf8_view.
//
//   PostgreSQL   jsonb, checked here (types/text_to_json.cc). Into every target that text goes into
//                by the same rules: json as it is, text unchecked
//   SQLite       TEXT, checked to be JSON; in a column of another affinity text that SQLite would
//                turn into a number is rejected too
#include <fmt/format.h>

#include "encode/format/json_check.h"
#include "encode/format/utf8.h"
#include "encode/types/families.h"
#include "encode/types/text_parsed.h"

namespace headrace {
namespace {

struct SqliteJson {
  using Parsed = std::string_view;
  static constexpr uint32_t kBytes = 0;

  bool parse(std::string_view v, std::string_view* out) const {
    *out = v;
    return utf8::is_valid_without_nul(v) && JsonCheck(v, JsonCheck::Target::kJson).run();
  }
  uint32_t bytes(std::string_view v) const {
    return sqlite_record::serial_of_text(static_cast<uint32_t>(v.size()));
  }
  uint8_t* put(uint8_t* out, std::string_view v) const {
    return put_bytes(out, v.data(), v.size());
  }
  std::string explain(std::string_view v) const {
    if (const size_t bad = utf8::first_invalid(v); bad != v.size()) {
      return fmt::format("invalid UTF-8 at byte {}", bad + 1);
    }
    JsonCheck check(v, JsonCheck::Target::kJson);
    check.run();
    return fmt::format("{} is not JSON: {} at byte {}", quoted_value(v), check.problem(),
                       check.place());
  }
};

bool handles(const DataType& type) {
  return type.extension == "arrow.json" && kTextFamily.handles(type);
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"jsonb", "jsonb", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  const bool keeps_text = target.base == "TEXT" || target.base == "BLOB";
  if (format == RowFormat::kSqliteRecord && keeps_text) {
    std::unique_ptr<Codec> codec =
        std::make_unique<ParsedCodec<SqliteJson, sqlite_record::Cells>>(type.id, SqliteJson{});
    return codec;
  }
  return kTextFamily.make(type, target, format, options);
}

}  // namespace

const TypeFamily kJsonFamily = {"json", handles, default_target, make};

}  // namespace headrace
