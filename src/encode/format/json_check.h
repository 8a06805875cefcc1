// Whether a text is JSON by RFC 8259, which is what PostgreSQL's json takes; and whether jsonb can
// store it: no \u0000, no lone surrogate, no number beyond numeric.
//
// One pass without recursion: what stands open is one bit a level. Text is skipped 16 bytes at a
// time.
#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <string_view>

#include "encode/format/numeric_parse.h"
#include "encode/format/uuid_text.h"

namespace headrace {

// The server's own limit is the size of its stack (max_stack_depth), of which this uses a part.
inline constexpr int kMaxJsonDepth = 1000;

class JsonCheck {
 public:
  enum class Target : uint8_t { kJson, kJsonb };

  JsonCheck(std::string_view text, Target target)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), target_(target) {}

  // REQUIRES: once, and the text is UTF-8.
  bool run() {
    bool more = value();
    while (more && depth_ > 0) more = is_object() ? next_member() : next_item();
    if (problem_ != nullptr) return false;
    skip_blanks();
    return at_ == end_ || fail("text after the end of the value");
  }

  // After run() was false: what is wrong, and at which byte, counted from 1.
  const char* problem() const { return problem_; }
  size_t place() const { return static_cast<size_t>(at_ - begin_) + 1; }

 private:
  bool fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool is_object() const { return (open_[depth_ >> 6] >> (depth_ & 63) & 1) != 0; }

  bool open(bool object) {
    if (depth_ == kMaxJsonDepth) return fail("nested deeper than 1000 levels");
    ++at_;
    ++depth_;
    const uint64_t bit = uint64_t{1} << (depth_ & 63);
    open_[depth_ >> 6] = object ? open_[depth_ >> 6] | bit : open_[depth_ >> 6] & ~bit;
    is_first_ = true;
    return true;
  }
  bool close() {
    --depth_;
    is_first_ = false;
    return true;
  }

  // A value, of an object or array its beginning.
  bool value() {
    skip_blanks();
    if (at_ == end_) return fail("a value is missing");
    switch (*at_) {
      case '{':
        return open(true);
      case '[':
        return open(false);
      case '"':
        is_first_ = false;
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        is_first_ = false;
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(expected)) {
      return fail("not a value");
    }
    at_ += expected.size();
    is_first_ = false;
    return true;
  }

  bool next_item() {
    skip_blanks();
    if (take(']')) return close();
    if (!is_first_ && !take(',')) return fail("',' or ']' is missing");
    return value();
  }

  bool next_member() {
    skip_blanks();
    if (take('}')) return close();
    if (!is_first_ && !take(',')) return fail("',' or '}' is missing");
    skip_blanks();
    if (at_ == end_ || *at_ != '"') return fail("a name in quotes is missing");
    if (!string()) return false;
    skip_blanks();
    if (!take(':')) return fail("':' is missing");
    return value();
  }

  bool digits() {
    const char* before = at_;
    while (at_ != end_ && static_cast<uint8_t>(*at_ - '0') <= 9) ++at_;
    return at_ != before;
  }

  bool number() {
    const char* first = at_;
    take('-');
    if (!take('0') && !digits()) return fail("not a value");
    if (take('.') && !digits()) return fail("digits are missing");
    const bool has_exponent = take('e') || take('E');
    if (has_exponent) {
      if (!take('+')) take('-');
      if (!digits()) return fail("digits are missing");
    }
    constexpr int64_t kSurelyHeld = 10000;
    if (target_ == Target::kJson || (!has_exponent && at_ - first < kSurelyHeld)) return true;
    numeric::DecimalText decimal;
    if (!numeric::scan({first, static_cast<size_t>(at_ - first)}, &decimal) ||
        !numeric::is_held(numeric::measure_digits(decimal))) {
      at_ = first;
      return fail("a number that jsonb does not hold");
    }
    return true;
  }

  // REQUIRES: at a quote.
  bool string() {
    ++at_;
    for (;;) {
      skip_plain();
      if (at_ == end_) return fail("a string has no end");
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ != '\\') return fail("a control character in a string");
      if (!escape()) return false;
    }
  }

  // To the next quote, backslash or control character.
  void skip_plain() {
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);
    while (end_ - at_ >= 16) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v);
      const __m128i marked = _mm_or_si128(
          control, _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
      const int mask = _mm_movemask_epi8(marked);
      if (mask != 0) {
        at_ += __builtin_ctz(static_cast<unsigned>(mask));
        return;
      }
      at_ += 16;
    }
    while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<uint8_t>(*at_) > 0x1F) ++at_;
  }

  // REQUIRES: at a backslash.
  bool escape() {
    if (end_ - at_ < 2) return fail("a string has no end");
    switch (at_[1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        at_ += 2;
        return true;
      case 'u':
        return unicode();
      default:
        return fail("an unknown escape in a string");
    }
  }

  // The code unit of \uXXXX at `at`, or -1.
  int code_unit(const char* at) const {
    if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    const uint32_t high = uuid_text::hex_pair(at + 2), low = uuid_text::hex_pair(at + 4);
    return high > 0xFF || low > 0xFF ? -1 : static_cast<int>(high << 8 | low);
  }

  bool unicode() {
    const int unit = code_unit(at_);
    if (unit < 0) return fail("\\u without four hex digits");
    if (target_ == Target::kJson) {
      at_ += 6;
      return true;
    }
    if (unit == 0) return fail("\\u0000, which jsonb cannot store");
    if (unit < 0xD800 || unit > 0xDFFF) {
      at_ += 6;
      return true;
    }
    const int low = unit < 0xDC00 ? code_unit(at_ + 6) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return fail("a lone surrogate, which jsonb cannot store");
    at_ += 12;
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  Target target_;
  const char* problem_ = nullptr;
  int depth_ = 0;
  bool is_first_ = false;  // nothing stands yet in the innermost object or array
  uint64_t open_[kMaxJsonDepth / 64 + 1] = {};  // 1: the level is an object
};

}  // namespace headrace
