// Signed and unsigned integers into the targets that both have.
//
//   PostgreSQL   smallint, integer, bigint: 2, 4, 8 bytes, big-endian; a value out of range is
//   rejected.
//                numeric(p,s), real and double precision: when the target holds the value exactly
//   SQLite       INTEGER in the fewest bytes; past 2^63 - 1 rejected, and past 2^53 in a REAL
//   column
#pragma once

#include <charconv>
#include <limits>
#include <memory>
#include <string>

#include "encode/codec_helpers.h"
#include "encode/types/float_target.h"
#include "encode/types/numeric_target.h"

#include <fmt/format.h>

namespace headrace {

template <typename T, typename Target>
struct PgInteger {
  using Value = T;
  static constexpr uint32_t kShared = sizeof(Target);

  bool fits(T v) const
    requires(std::numeric_limits<T>::digits > std::numeric_limits<Target>::digits)
  {
    // By way of the target's type: a compare that vector code has for every width.
    return static_cast<T>(static_cast<Target>(v)) == v &&
           (std::is_signed_v<T> || static_cast<Target>(v) >= 0);
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    const auto value = static_cast<Target>(v);
    if constexpr (sizeof(Target) == 2) store_be16(out, static_cast<uint16_t>(value));
    if constexpr (sizeof(Target) == 4) store_be32(out, static_cast<uint32_t>(value));
    if constexpr (sizeof(Target) == 8) store_be64(out, static_cast<uint64_t>(value));
    return out + sizeof(Target);
  }
  std::string explain(T v) const {
    return fmt::format("{} is out of range for {}", v,
                       sizeof(Target) == 2   ? "smallint"
                       : sizeof(Target) == 4 ? "integer"
                                             : "bigint");
  }
};

template <typename T>
struct IntegerDigits {
  using Value = T;
  static constexpr int kMaxBytes = 20;
  char* format(char* out, T v) const { return std::to_chars(out, out + kMaxBytes, v).ptr; }
};

template <typename T>
struct SqliteInteger {
  using Value = T;
  static constexpr uint32_t kShared = 0;
  uint64_t limit;  // of the magnitude

  uint32_t measure(T v) const {
    const auto integer = static_cast<int64_t>(v);
    if constexpr (sizeof(T) == 8) {
      if ((std::is_signed_v<T> ? magnitude_of(integer) : static_cast<uint64_t>(v)) > limit) {
        return kRejectedCell;
      }
    }
    return sqlite_record::serial_of_integer(integer);
  }
  uint8_t* put(uint8_t* out, T v, uint32_t serial) const {
    return sqlite_record::put_integer(out, static_cast<int64_t>(v), serial);
  }
  static constexpr uint32_t kRoom = 8;
  uint8_t* put_over(uint8_t* out, T v, uint32_t serial) const {
    return sqlite_record::put_integer_over(out, static_cast<int64_t>(v), serial);
  }
  std::string explain(T v) const {
    return fmt::format("{} is out of range for {}", v,
                       limit == 1ULL << 53 ? "a REAL column, which holds integers up to 2^53"
                                           : "SQLite's INTEGER, which has 64 bits with sign");
  }
};

template <typename Reader>
std::unique_ptr<Codec> make_sqlite_integer(const TargetType& target) {
  using T = typename Reader::Value;
  const uint64_t limit = target.base == "REAL" ? 1ULL << 53
                         : std::is_signed_v<T> ? 1ULL << 63
                                               : (1ULL << 63) - 1;
  return column_codec<Reader, sqlite_record::Cells>(SqliteInteger<T>{limit});
}

// The codec of an integer column, or nullptr when the target holds no integers.
template <typename Reader>
std::unique_ptr<Codec> make_integer_codec(const TargetType& target, RowFormat format) {
  using T = typename Reader::Value;
  if (format == RowFormat::kSqliteRecord) return make_sqlite_integer<Reader>(target);
  const auto make = [&]<typename Target>(Target) -> std::unique_ptr<Codec> {
    const PgInteger<T, Target> binary;
    if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(binary);
    return text_codec<Reader>(binary, IntegerDigits<T>{});
  };
  if (target.base == "int2") return make(int16_t{});
  if (target.base == "int4") return make(int32_t{});
  if (target.base == "int8") return make(int64_t{});
  if (target.base == "numeric") return make_numeric_target<Reader>(0, target, format);
  return make_float_target<Reader>(target.base, format);
}

}  // namespace headrace
