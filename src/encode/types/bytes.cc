// Bytes: binary, large_binary, binary_view, fixed_size_binary.
//
//   PostgreSQL   bytea: the bytes as they are; in text \x and hex digits. Into uuid
//                values of 16 bytes
//   SQLite       BLOB
#include "encode/codec_helpers.h"
#include "encode/types/bytes_codec.h"
#include "encode/types/families.h"
#include "encode/types/geometry.h"
#include "encode/types/uuid_target.h"

#include <fmt/format.h>

namespace headrace {
namespace {

std::string explain_size(std::string_view v) {
  return fmt::format("{} bytes; the limit is 1 GiB", v.size());
}

struct PgBytes {
  static uint32_t cell(uint32_t n) { return pg_binary::Cells::from_bytes(n); }
  static bool fits(std::string_view v) { return v.size() <= kMaxCellBytes; }
  static bool all_fit(std::string_view, size_t) { return true; }
  static std::string explain(std::string_view v) { return explain_size(v); }
};

struct SqliteBlob : PgBytes {
  static uint32_t cell(uint32_t n) { return sqlite_record::serial_of_blob(n); }
};

// The backslash of \x is doubled, as every backslash in COPY TEXT.
struct HexBytes {
  using Value = std::string_view;
  static constexpr uint32_t kShared = 0;
  uint32_t measure(std::string_view v) const {
    return v.size() <= kMaxCellBytes / 2 - 3 ? static_cast<uint32_t>(3 + 2 * v.size())
                                             : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    std::memcpy(out, "\\\\x", 3);
    out += 3;
    for (const char c : v) {
      const auto byte = static_cast<uint8_t>(c);
      *out++ = static_cast<uint8_t>("0123456789abcdef"[byte >> 4]);
      *out++ = static_cast<uint8_t>("0123456789abcdef"[byte & 15]);
    }
    return out;
  }
  std::string explain(std::string_view v) const { return explain_size(v) + " as hex digits"; }
};

template <typename Reader>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  if (format == RowFormat::kSqliteRecord) {
    return bytes_codec<Reader, sqlite_record::Cells>(SqliteBlob{});
  }
  if (target.base == "uuid") return make_uuid_target<Reader>(format);
  if (target.base != "bytea") return type_mismatch(type, target);
  if (format == RowFormat::kPgBinary) return bytes_codec<Reader, pg_binary::Cells>(PgBytes{});
  return column_codec<Reader, text::Cells>(HexBytes{});
}

bool handles(const DataType& type) {
  return type.id >= TypeId::kBinary && type.id <= TypeId::kFixedSizeBinary;
}

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"BLOB", "BLOB", -1};
  return {"bytea", "bytea", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  if (is_geometry(target)) return geometry_codec(type, target, format, options);
  switch (type.id) {
    case TypeId::kBinary:
      return make_for<BytesReader<int32_t>>(type, target, format);
    case TypeId::kLargeBinary:
      return make_for<BytesReader<int64_t>>(type, target, format);
    case TypeId::kBinaryView:
      return make_for<ViewReader>(type, target, format);
    default:
      return make_for<FixedBytesReader>(type, target, format);
  }
}

}  // namespace

const TypeFamily kBytesFamily = {"bytes", handles, default_target, make};

}  // namespace headrace
