// Numbers into real and double precision: any source type whose values are numbers of C++.
// A value that the target does not hold exactly is rejected.
#pragma once

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "encode/codec_helpers.h"

#include <fmt/format.h>

namespace headrace {

// Whether every T is an F.
template <typename T, typename F>
constexpr bool always_exact() {
  if constexpr (std::is_floating_point_v<T>) return sizeof(T) <= sizeof(F);
  return std::numeric_limits<T>::digits <= std::numeric_limits<F>::digits;
}

template <typename F, typename T>
bool is_exact(T v) {
  const F as_float = static_cast<F>(v);
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(as_float) == v || std::isnan(v);
  } else {
    // 2^digits is the first value that T does not hold: converting it back would be undefined.
    return as_float < static_cast<F>(std::ldexp(1.0, std::numeric_limits<T>::digits)) &&
           static_cast<T>(as_float) == v;
  }
}

// F is float for real, double for double precision.
template <typename T, typename F>
struct PgFloat {
  using Value = T;
  static constexpr uint32_t kShared = sizeof(F);

  bool fits(T v) const
    requires(!always_exact<T, F>())
  {
    return is_exact<F>(v);
  }
  uint8_t* put(uint8_t* out, T v, uint32_t) const {
    if constexpr (sizeof(F) == 4) {
      store_be32(out, std::bit_cast<uint32_t>(static_cast<float>(v)));
    } else {
      store_be64(out, std::bit_cast<uint64_t>(static_cast<double>(v)));
    }
    return out + sizeof(F);
  }
  std::string explain(T v) const {
    return fmt::format("{} has more digits than {} holds", v,
                       sizeof(F) == 4 ? "real" : "double precision");
  }
};

// The shortest digits that read back to the same value.
template <typename T, typename F>
struct FloatText {
  using Value = T;
  static constexpr int kMaxBytes = 32;
  char* format(char* out, T v) const {
    const F value = static_cast<F>(v);
    if (std::isnan(value)) return put_word(out, "NaN");
    if (std::isinf(value)) return put_word(out, value < 0 ? "-Infinity" : "Infinity");
    return std::to_chars(out, out + kMaxBytes, value).ptr;
  }
  static char* put_word(char* out, std::string_view word) {
    std::memcpy(out, word.data(), word.size());
    return out + word.size();
  }
};

// The codec for target "float4" or "float8"; nullptr for another target.
template <typename Reader>
std::unique_ptr<Codec> make_float_target(const std::string& base, RowFormat format) {
  using T = typename Reader::Value;
  const auto make = [&]<typename F>(F) -> std::unique_ptr<Codec> {
    if (format == RowFormat::kPgBinary) {
      return column_codec<Reader, pg_binary::Cells>(PgFloat<T, F>{});
    }
    return text_codec<Reader>(PgFloat<T, F>{}, FloatText<T, F>{});
  };
  if (base == "float4") return make(float{});
  if (base == "float8") return make(double{});
  return nullptr;
}

}  // namespace headrace
