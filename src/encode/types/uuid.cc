// UUIDs: the extension type arrow.uuid, 16 bytes a value.
//
//   PostgreSQL   uuid: the bytes as they are. Into bytea too, and as text into text, citext and
//                varchar that has room
//   SQLite       TEXT, 8-4-4-4-12 hex digits in lower case; in a column of BLOB affinity the bytes
#include "encode/types/bytes_codec.h"
#include "encode/types/families.h"
#include "encode/types/uuid_target.h"

namespace headrace {
namespace {

using Reader = FixedBytesReader;

struct PgUuidString {
  using Value = std::string_view;
  static constexpr uint32_t kShared = uuid_text::kTextBytes;
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    return reinterpret_cast<uint8_t*>(UuidText{}.format(reinterpret_cast<char*>(out), v));
  }
};

struct SqliteUuidString : PgUuidString {
  static constexpr uint32_t kShared = sqlite_record::serial_of_text(uuid_text::kTextBytes);
};

// typmod of varchar(n) is n + 4.
bool holds_uuid_text(const TargetType& target) {
  if (target.base == "text" || target.base == "citext") return true;
  return target.base == "varchar" &&
         (target.typmod < 0 || target.typmod >= static_cast<int32_t>(uuid_text::kTextBytes) + 4);
}

bool handles(const DataType& type) {
  return type.id == TypeId::kFixedSizeBinary && type.byte_width == uuid_text::kBytes &&
         type.extension == "arrow.uuid";
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"uuid", "uuid", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  const bool sqlite = format == RowFormat::kSqliteRecord;
  if (sqlite && target.base == "TEXT") {
    return column_codec<Reader, sqlite_record::Cells>(SqliteUuidString{});
  }
  if (target.base == (sqlite ? "BLOB" : "bytea")) {
    return kBytesFamily.make(type, target, format, options);
  }
  if (!sqlite && target.base == "uuid") return make_uuid_target<Reader>(format);
  if (sqlite || !holds_uuid_text(target)) return type_mismatch(type, target);
  if (format == RowFormat::kPgBinary) {
    return column_codec<Reader, pg_binary::Cells>(PgUuidString{});
  }
  return column_codec<Reader, text::Cells>(PgUuidString{});
}

}  // namespace

const TypeFamily kUuidFamily = {"uuid", handles, default_target, make};

}  // namespace headrace
