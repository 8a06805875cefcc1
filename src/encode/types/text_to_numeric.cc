// Text into numeric and numeric(p,s): exact, at any length. What the target would round is
// rejected; zeros past its decimals are not missed. Without (p,s) the decimals are kept as written,
// as the server does.
//
// Values of up to 16 digits without exponent, the usual ones, become one 64-bit integer and a field
// by table; all others are taken digit by digit.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/buffer.h"
#include "encode/format/numeric_parse.h"
#include "encode/types/numeric_target.h"
#include "encode/types/text_parsed.h"

namespace headrace {
namespace {

// What of the target decides whether a number fits.
class NumericFit {
 public:
  explicit NumericFit(NumericTypmod typmod) : typmod_(typmod) {}

  bool has_limit() const { return typmod_.precision >= 0; }
  const NumericTypmod& typmod() const { return typmod_; }
  bool has_room(const numeric::DigitRange& range) const {
    return !has_limit() || range.is_zero() || range.top <= typmod_.precision - typmod_.scale;
  }
  bool has_decimals(const numeric::DigitRange& range) const {
    return !has_limit() || range.is_zero() || range.decimals <= typmod_.scale;
  }
  bool holds(const numeric::DigitRange& range) const {
    return numeric::is_held(range) && has_room(range) && has_decimals(range);
  }
  uint16_t dscale(const numeric::DigitRange& range) const {
    return static_cast<uint16_t>(has_limit() ? std::max(typmod_.scale, 0) : range.shown_decimals);
  }

  std::string explain(std::string_view v) const {
    numeric::DecimalText decimal;
    if (!numeric::scan(v, &decimal)) return fmt::format("{} is not a number", quoted_value(v));
    const numeric::DigitRange range = numeric::measure_digits(decimal);
    const std::string type =
        has_limit() ? fmt::format("numeric({},{})", typmod_.precision, typmod_.scale) : "numeric";
    if (range.top > numeric::kMostIntegerDigits || !has_room(range)) {
      return fmt::format("{} is out of range for {}", quoted_value(v), type);
    }
    return fmt::format("{} has more decimals than {}", quoted_value(v), type);
  }

 private:
  NumericTypmod typmod_;
};

// Where a field lies among those of the span.
struct FieldPlace {
  uint32_t begin;
  uint32_t bytes;  // with the length before it
};

class TextToNumeric {
 public:
  using Parsed = FieldPlace;
  static constexpr uint32_t kBytes = 0;

  explicit TextToNumeric(NumericTypmod typmod) : fit_(typmod) {
    for (int scale = 0; scale <= kMostSmallDigits; ++scale) {
      numeric::Layout layout = numeric::make_layout(scale);
      if (fit_.has_limit()) layout.dscale = static_cast<uint16_t>(std::max(typmod.scale, 0));
      small_.push_back({numeric::SmallFields(layout), end_of_small(scale)});
    }
  }

  void start() { fields_.clear(); }

  bool parse(std::string_view v, FieldPlace* out) {
    numeric::DecimalText decimal;
    if (!numeric::scan(v, &decimal)) return false;
    if (put_small(decimal, out)) return true;
    if (decimal.is_nan) {
      return keep(numeric::put_nan(room(numeric::kHeaderBytes)), out);
    }
    const numeric::DigitRange range = numeric::measure_digits(decimal);
    if (!fit_.holds(range)) return false;
    uint8_t* at = room(numeric::field_room(range));
    return keep(numeric::put_digits(at, decimal, range, fit_.dscale(range)), out);
  }

  // The format puts the length itself.
  uint32_t bytes(const FieldPlace& field) const { return field.bytes - 4; }
  uint8_t* put(uint8_t* out, const FieldPlace& field) const {
    return put_bytes(out, reinterpret_cast<const char*>(fields_.data()) + field.begin + 4,
                     field.bytes - 4);
  }
  std::string explain(std::string_view v) const { return fit_.explain(v); }

 private:
  static constexpr int kMostSmallDigits = 16;

  struct Small {
    numeric::SmallFields fields;
    uint64_t end;  // of the magnitudes that the target holds
  };

  // 10^k for the digits that the target has room for at this scale; 0 when it would round.
  uint64_t end_of_small(int scale) const {
    if (!fit_.has_limit()) return std::numeric_limits<uint64_t>::max();
    if (scale > fit_.typmod().scale) return 0;
    const int digits = fit_.typmod().precision - fit_.typmod().scale + scale;
    return digits < 0 ? 0 : digits > 19 ? kPowersOf10[19] : kPowersOf10[digits];
  }

  bool put_small(const numeric::DecimalText& v, FieldPlace* out) {
    const size_t digits = v.whole.size() + v.fraction.size();
    if (v.exponent != 0 || digits > kMostSmallDigits || digits == 0) return false;
    uint64_t magnitude = 0;
    for (const char c : v.whole) magnitude = magnitude * 10 + static_cast<uint64_t>(c - '0');
    for (const char c : v.fraction) magnitude = magnitude * 10 + static_cast<uint64_t>(c - '0');
    const Small& small = small_[v.fraction.size()];
    if (magnitude >= small.end) return false;
    const uint64_t aligned = magnitude * small.fields.layout.align;
    const bool negative = v.negative && magnitude != 0;
    return keep(numeric::put_small(room(numeric::kRoomBytes), aligned, negative, small.fields),
                out);
  }

  uint8_t* room(size_t bytes) {
    fields_.reserve_more(bytes);
    return fields_.data() + fields_.size();
  }
  bool keep(uint32_t bytes, FieldPlace* out) {
    *out = {static_cast<uint32_t>(fields_.size()), bytes};
    fields_.set_size(fields_.size() + bytes);
    return true;
  }

  NumericFit fit_;
  std::vector<Small> small_;  // by decimals
  Buffer fields_;             // of the span
};

// COPY TEXT needs no field.
struct NumericTextCheck {
  using Parsed = std::string_view;
  static constexpr uint32_t kBytes = 0;
  NumericFit fit;

  bool parse(std::string_view v, std::string_view* out) const {
    numeric::DecimalText decimal;
    *out = v;
    return numeric::scan(v, &decimal) &&
           (decimal.is_nan || fit.holds(numeric::measure_digits(decimal)));
  }
  uint32_t bytes(std::string_view v) const { return static_cast<uint32_t>(text::escaped_size(v)); }
  uint8_t* put(uint8_t* out, std::string_view v) const { return text::put_escaped(out, v); }
  std::string explain(std::string_view v) const { return fit.explain(v); }
};

}  // namespace

std::unique_ptr<Codec> make_text_to_numeric(TypeId text, const TargetType& target,
                                            RowFormat format) {
  if (target.base != "numeric") return nullptr;
  const NumericTypmod typmod = read_numeric_typmod(target.typmod);
  if (format == RowFormat::kPgBinary) {
    return std::make_unique<ParsedCodec<TextToNumeric, pg_binary::Cells>>(text,
                                                                          TextToNumeric(typmod));
  }
  return std::make_unique<ParsedCodec<NumericTextCheck, text::Cells>>(
      text, NumericTextCheck{NumericFit(typmod)});
}

}  // namespace headrace
