// Text of every kind into one target: what a test of a conversion asks.
#pragma once

#include "encode/format/text.h"
#include "unit/encode/codec_check.h"

namespace headrace::test {

inline TargetType target_of(const std::string& base, int32_t typmod = -1) {
  return {base, base, typmod};
}

// Hex of the value in COPY BINARY without its length, or "rejected: reason". All types of text, a
// dictionary among them, must agree, and COPY TEXT must take the same values as they stand.
inline std::string parsed(const TargetType& target, const std::string& value) {
  std::string first;
  for (const char* name : {"utf8", "large_utf8", "utf8_view"}) {
    const std::string cell = encode_one(type_of(name), target, RowFormat::kPgBinary, value);
    const std::string out = cell.starts_with("rejected: ") ? cell : hex(cell.substr(4));
    if (first.empty()) first = out;
    EXPECT_EQ(out, first) << name;
  }
  const DataType dictionary = dictionary_of(TypeId::kInt32, type_of("utf8"));
  const std::string entry = encode_one(dictionary, target, RowFormat::kPgBinary, value);
  EXPECT_EQ(entry.starts_with("rejected: ") ? entry : hex(entry.substr(4)), first);
  const std::string copy_text = encode_one(type_of("utf8"), target, RowFormat::kText, value);
  if (first.starts_with("rejected: ")) {
    EXPECT_EQ(copy_text, first);
  } else {
    std::string escaped(text::escaped_size(value), '\0');
    text::put_escaped(reinterpret_cast<uint8_t*>(escaped.data()), value);
    EXPECT_EQ(copy_text, escaped + "\t");
  }
  return first;
}

inline std::string rejection(const TargetType& target, const std::string& value) {
  const std::string out = parsed(target, value);
  EXPECT_TRUE(out.starts_with("rejected: ")) << value << " became " << out;
  return out.substr(std::min<size_t>(out.size(), 10));
}

}  // namespace headrace::test
