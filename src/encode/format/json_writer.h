// JSON text, piece by piece, into a buffer.
// Source: RFC 8259.
#pragma once

#include <emmintrin.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/buffer.h"

namespace headrace {

// Which of 16 characters JSON escapes in a string: a bit each. They are those below the blank, the
// quote and the backslash.
inline uint32_t json_escapes_of_16(const char* at) {
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
  const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  return static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
}

// Belongs to one value at a time; the buffer is the caller's.
class JsonWriter {
 public:
  explicit JsonWriter(Buffer* out) : out_(out), begin_(out->size()) {}

  // Bytes of the value so far.
  size_t size() const { return out_->size() - begin_; }
  std::string_view since(size_t size) const { return out_->view().substr(begin_ + size); }

  void put(char c) { *out_->extend(1) = static_cast<uint8_t>(c); }
  void put(std::string_view text) { out_->append(text.data(), text.size()); }

  // Appends `count` bytes that the caller writes.
  char* extend(size_t count) { return reinterpret_cast<char*>(out_->extend(count)); }

  // format(char* at) writes at most kMost bytes and returns their end.
  template <size_t kMost, typename Format>
  void format(Format format) {
    out_->reserve_more(kMost);
    char* at = reinterpret_cast<char*>(out_->data()) + out_->size();
    out_->set_size(out_->size() + static_cast<size_t>(format(at) - at));
  }

  template <typename T>
  void put_number(T v) {
    format<32>([v](char* at) { return std::to_chars(at, at + 32, v).ptr; });
  }

  // A string. REQUIRES: `text` is valid UTF-8.
  void put_string(std::string_view text) {
    put('"');
    for (; text.size() > kPiece; text.remove_prefix(kPiece)) put_piece(text.substr(0, kPiece));
    put_piece(text);
    put('"');
  }

  // Puts quotes around what was written since then, unless it is a string already.
  void make_string(size_t size) {
    if (since(size).starts_with('"')) return;
    const size_t count = this->size() - size;
    out_->extend(2);
    uint8_t* at = out_->data() + begin_ + size;
    std::memmove(at + 1, at, count);
    at[0] = '"';
    at[count + 1] = '"';
  }

  // Why the value has no JSON text; the outer parts put their place before it.
  std::string reason;

 private:
  static constexpr size_t kPiece = 1024;
  static constexpr size_t kLongest = 6;  // of a character: \u001f

  void put_piece(std::string_view text) {
    out_->reserve_more(kLongest * text.size());
    char* at = reinterpret_cast<char*>(out_->data()) + out_->size();
    for (; text.size() >= 16; text.remove_prefix(16)) {
      if (json_escapes_of_16(text.data()) != 0) {
        at = put_each(at, text.substr(0, 16));
      } else {
        std::memcpy(at, text.data(), 16);
        at += 16;
      }
    }
    at = put_each(at, text);
    out_->set_size(static_cast<size_t>(reinterpret_cast<uint8_t*>(at) - out_->data()));
  }

  static char* put_each(char* at, std::string_view text) {
    for (const char c : text) at = put_character(at, c);
    return at;
  }

  static char* put_character(char* at, char c) {
    constexpr std::string_view kLetters = "btn?fr";  // of \b to \r; \v has none
    const auto code = static_cast<uint8_t>(c);
    if (code >= 0x20 && c != '"' && c != '\\') {
      *at++ = c;
      return at;
    }
    *at++ = '\\';
    if (code >= 0x20) {
      *at++ = c;
    } else if (code >= '\b' && code <= '\r' && code != '\v') {
      *at++ = kLetters[code - '\b'];
    } else {
      std::memcpy(at, "u00", 3);
      at[3] = "0123456789abcdef"[code >> 4];
      at[4] = "0123456789abcdef"[code & 15];
      at += 5;
    }
    return at;
  }

  Buffer* out_;
  size_t begin_;
};

}  // namespace headrace
