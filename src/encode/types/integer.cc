// Signed integers: int8, int16, int32, int64.
//
//   PostgreSQL   smallint, integer, bigint: 2, 4, 8 bytes, big-endian; a value out of range is rejected
//   SQLite       INTEGER in the fewest bytes
#include <charconv>
#include <limits>

#include "encode/codec_helpers.h"
#include "encode/types/families.h"

#include <fmt/format.h>

namespace headrace {
namespace {

// To an integer of kBytes. Narrowing checks every value; otherwise all cells have one size.
template <typename T, int kBytes>
struct PgInteger {
  using Value = T;
  static constexpr bool kNarrows = sizeof(T) > kBytes;
  static constexpr uint32_t kShared = kNarrows ? 0 : kBytes;

  uint32_t measure(T v) const {
    constexpr int64_t kMax = static_cast<int64_t>((1ULL << (8 * kBytes - 1)) - 1);
    const auto wide = static_cast<int64_t>(v);
    return wide > kMax || wide < -kMax - 1 ? kRejectedCell : kBytes;
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    if constexpr (kBytes == 2) store_be16(out, static_cast<uint16_t>(v));
    if constexpr (kBytes == 4) store_be32(out, static_cast<uint32_t>(v));
    if constexpr (kBytes == 8) store_be64(out, static_cast<uint64_t>(static_cast<int64_t>(v)));
    return out + kBytes;
  }
  std::string explain(T v) const {
    return fmt::format("{} is out of range for {}", static_cast<int64_t>(v),
                       kBytes == 2 ? "smallint" : "integer");
  }
};

template <typename T>
struct DecimalDigits {
  using Value = T;
  static constexpr int kMaxBytes = 20;
  char* format(char* out, T v) const {
    return std::to_chars(out, out + kMaxBytes, static_cast<int64_t>(v)).ptr;
  }
};

template <typename T>
struct SqliteInteger {
  using Value = T;
  static constexpr uint32_t kShared = 0;
  uint32_t measure(T v) const { return sqlite_record::serial_of_integer(v); }
  uint8_t* put(uint8_t* out, T v, uint32_t serial) const {
    return sqlite_record::put_integer(out, v, serial);
  }
  std::string explain(T) const { return {}; }
};

template <typename T>
std::unique_ptr<Codec> make_pg(const std::string& base) {
  using Reader = FixedReader<T>;
  using pg_binary::Cells;
  if (base == "int2") return column_codec<Reader, Cells, PgInteger<T, 2>>();
  if (base == "int4") return column_codec<Reader, Cells, PgInteger<T, 4>>();
  if (base == "int8") return column_codec<Reader, Cells, PgInteger<T, 8>>();
  return nullptr;
}

template <typename T>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format) {
  using Reader = FixedReader<T>;
  if (format == RowFormat::kSqliteRecord) {
    return column_codec<Reader, sqlite_record::Cells, SqliteInteger<T>>();
  }
  // The text form goes through the same checks: only targets that the binary form has.
  auto binary = make_pg<T>(target.base);
  if (binary == nullptr) return type_mismatch(type, target);
  if (format == RowFormat::kPgBinary) return binary;
  return column_codec<Reader, text::Cells, FormattedText<DecimalDigits<T>, false>>();
}

bool handles(const DataType& type) {
  return type.id >= TypeId::kInt8 && type.id <= TypeId::kInt64;
}

TargetType default_target(const DataType& type, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"INTEGER", "INTEGER", -1};
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kInt16: return {"smallint", "int2", -1};
    case TypeId::kInt32: return {"integer", "int4", -1};
    default: return {"bigint", "int8", -1};
  }
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  switch (type.id) {
    case TypeId::kInt8: return make_for<int8_t>(type, target, format);
    case TypeId::kInt16: return make_for<int16_t>(type, target, format);
    case TypeId::kInt32: return make_for<int32_t>(type, target, format);
    default: return make_for<int64_t>(type, target, format);
  }
}

}  // namespace

const TypeFamily kIntegerFamily = {"integer", handles, default_target, make};

}  // namespace headrace
