// Text into smallint, integer, bigint, real, double precision and boolean.
//
// Integers are digits with a sign: "42.0" is none. Real and double precision take the nearest
// value, which is what the types mean; a number that would become infinite, or 0 without being 0,
// is out of range, as for the server.
#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "encode/format/datetime_parse.h"
#include "encode/format/numeric_parse.h"
#include "encode/types/text_parsed.h"

namespace headrace {
namespace {

using datetime_text::equals_word;
using datetime_text::trim;

enum class Found : uint8_t { kNumber, kNone, kOutOfRange };

template <typename Integer>
struct TextToInteger {
  using Parsed = Integer;
  static constexpr uint32_t kBytes = sizeof(Integer);

  static Found read(std::string_view v, Integer* out) {
    v = trim(v);
    const bool negative = !v.empty() && v.front() == '-';
    if (!v.empty() && (negative || v.front() == '+')) v.remove_prefix(1);
    if (v.empty()) return Found::kNone;
    uint64_t magnitude = 0;
    bool beyond = false;
    for (const char c : v) {
      const auto digit = static_cast<uint8_t>(c - '0');
      if (digit > 9) return Found::kNone;
      beyond |= magnitude > (std::numeric_limits<uint64_t>::max() - digit) / 10;
      magnitude = magnitude * 10 + digit;
    }
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<Integer>::max());
    if (beyond || magnitude > kMax + (negative ? 1 : 0)) return Found::kOutOfRange;
    *out = static_cast<Integer>(negative ? 0 - magnitude : magnitude);
    return Found::kNumber;
  }
  bool parse(std::string_view v, Integer* out) const { return read(v, out) == Found::kNumber; }
  uint8_t* put(uint8_t* out, Integer v) const {
    if constexpr (sizeof(Integer) == 2) store_be16(out, static_cast<uint16_t>(v));
    if constexpr (sizeof(Integer) == 4) store_be32(out, static_cast<uint32_t>(v));
    if constexpr (sizeof(Integer) == 8) store_be64(out, static_cast<uint64_t>(v));
    return out + sizeof(Integer);
  }
  std::string explain(std::string_view v) const {
    Integer parsed;
    if (read(v, &parsed) == Found::kNone) {
      return fmt::format("{} is not an integer", quoted_value(v));
    }
    return fmt::format("{} is out of range for {}", quoted_value(v),
                       sizeof(Integer) == 2   ? "smallint"
                       : sizeof(Integer) == 4 ? "integer"
                                              : "bigint");
  }
};

template <typename F>
struct TextToFloat {
  using Parsed = F;
  static constexpr uint32_t kBytes = sizeof(F);

  static bool read_word(std::string_view v, F* out) {
    if (equals_word(v, "nan")) return *out = std::numeric_limits<F>::quiet_NaN(), true;
    const bool negative = !v.empty() && v.front() == '-';
    if (!v.empty() && (negative || v.front() == '+')) v.remove_prefix(1);
    if (!equals_word(v, "inf") && !equals_word(v, "infinity")) return false;
    *out = negative ? -std::numeric_limits<F>::infinity() : std::numeric_limits<F>::infinity();
    return true;
  }

  static bool has_digit_above_0(std::string_view v) {
    for (const char c : v) {
      if (c >= '1' && c <= '9') return true;
      if (c == 'e' || c == 'E') return false;
    }
    return false;
  }

  static Found read(std::string_view v, F* out) {
    v = trim(v);
    const std::string_view whole = v;
    if (!v.empty() && v.front() == '+') v.remove_prefix(1);
    const std::string_view digits = !v.empty() && v.front() == '-' ? v.substr(1) : v;
    const bool is_number =
        !digits.empty() && (static_cast<uint8_t>(digits[0] - '0') <= 9 || digits[0] == '.');
    if (!is_number || (v.size() != whole.size() && v.front() == '-')) {
      return read_word(whole, out) ? Found::kNumber : Found::kNone;
    }
    const char* end = v.data() + v.size();
    const auto result = fast_float::from_chars(v.data(), end, *out);
    if (result.ec == std::errc::invalid_argument || result.ptr != end) return Found::kNone;
    const bool lost = std::isinf(*out) || (*out == 0 && has_digit_above_0(digits));
    return lost ? Found::kOutOfRange : Found::kNumber;
  }
  bool parse(std::string_view v, F* out) const { return read(v, out) == Found::kNumber; }
  uint8_t* put(uint8_t* out, F v) const {
    if constexpr (sizeof(F) == 4) {
      store_be32(out, std::bit_cast<uint32_t>(v));
    } else {
      store_be64(out, std::bit_cast<uint64_t>(v));
    }
    return out + sizeof(F);
  }
  std::string explain(std::string_view v) const {
    F parsed;
    if (read(v, &parsed) == Found::kNone) {
      return fmt::format("{} is not a number", quoted_value(v));
    }
    return fmt::format("{} is out of range for {}", quoted_value(v),
                       sizeof(F) == 4 ? "real" : "double precision");
  }
};

struct TextToBoolean {
  using Parsed = bool;
  static constexpr uint32_t kBytes = 1;

  bool parse(std::string_view v, bool* out) const {
    v = trim(v);
    for (const std::string_view word : {"t", "true", "1", "y", "yes", "on"}) {
      if (equals_word(v, word)) return *out = true;
    }
    for (const std::string_view word : {"f", "false", "0", "n", "no", "off"}) {
      if (equals_word(v, word)) return *out = false, true;
    }
    return false;
  }
  uint8_t* put(uint8_t* out, bool v) const {
    *out = v ? 1 : 0;
    return out + 1;
  }
  std::string explain(std::string_view v) const {
    return fmt::format("{} is not a boolean; expected true or false", quoted_value(v));
  }
};

}  // namespace

std::unique_ptr<Codec> make_text_to_number(TypeId text, const TargetType& target,
                                           RowFormat format) {
  if (target.base == "int2") return parsed_codec(text, format, TextToInteger<int16_t>{});
  if (target.base == "int4") return parsed_codec(text, format, TextToInteger<int32_t>{});
  if (target.base == "int8") return parsed_codec(text, format, TextToInteger<int64_t>{});
  if (target.base == "float4") return parsed_codec(text, format, TextToFloat<float>{});
  if (target.base == "float8") return parsed_codec(text, format, TextToFloat<double>{});
  if (target.base == "bool") return parsed_codec(text, format, TextToBoolean{});
  return nullptr;
}

}  // namespace headrace
