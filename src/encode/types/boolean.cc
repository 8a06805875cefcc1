// Booleans: one bit a value.
//
//   PostgreSQL   boolean: one byte, 0 or 1; in text t or f
//   SQLite       INTEGER 0 or 1, which the serial type holds; with --boolean text TEXT true, false
#include "encode/codec_helpers.h"
#include "encode/types/families.h"

namespace headrace {
namespace {

struct PgBoolean {
  using Value = bool;
  static constexpr uint32_t kShared = 1;
  uint8_t* put(uint8_t* out, bool v, uint32_t) const {
    *out = v ? 1 : 0;
    return out + 1;
  }
};

struct TextBoolean {
  using Value = bool;
  static constexpr uint32_t kShared = 1;
  uint8_t* put(uint8_t* out, bool v, uint32_t) const {
    *out = v ? 't' : 'f';
    return out + 1;
  }
};

struct SqliteBoolean {
  using Value = bool;
  static constexpr uint32_t kShared = 0;
  uint32_t measure(bool v) const { return sqlite_record::serial_of_integer(v ? 1 : 0); }
  uint8_t* put(uint8_t* out, bool, uint32_t) const { return out; }
};

struct SqliteBooleanText {
  using Value = bool;
  static constexpr uint32_t kShared = 0;
  uint32_t measure(bool v) const { return sqlite_record::serial_of_text(v ? 4 : 5); }
  uint8_t* put(uint8_t* out, bool v, uint32_t) const {
    return put_bytes(out, v ? "true" : "false", v ? 4 : 5);
  }
};

bool handles(const DataType& type) { return type.id == TypeId::kBool; }

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"INTEGER", "INTEGER", -1};
  return {"boolean", "bool", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  const bool as_text = options.boolean == ValueOptions::Boolean::kText;
  if (format == RowFormat::kSqliteRecord && as_text) {
    if (target.base != "TEXT") return type_mismatch(type, target);
    return column_codec<BoolReader, sqlite_record::Cells>(SqliteBooleanText{});
  }
  if (format == RowFormat::kSqliteRecord) {
    return column_codec<BoolReader, sqlite_record::Cells>(SqliteBoolean{});
  }
  if (target.base != "bool") return type_mismatch(type, target);
  if (format == RowFormat::kPgBinary)
    return column_codec<BoolReader, pg_binary::Cells>(PgBoolean{});
  return column_codec<BoolReader, text::Cells>(TextBoolean{});
}

}  // namespace

const TypeFamily kBooleanFamily = {"boolean", handles, default_target, make};

}  // namespace headrace
