#include "encode/format/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace headrace::text {
namespace {

TEST(CopyText, EscapesEveryByteAsTheServerReadsIt) {
  for (int byte = 1; byte < 256; ++byte) {
    for (size_t before : {0U, 3U, 15U, 16U, 31U}) {
      const std::string value = std::string(before, 'a') + static_cast<char>(byte) + "tail";
      std::string expected(before, 'a');
      switch (byte) {
        case '\b':
          expected += "\\b";
          break;
        case '\t':
          expected += "\\t";
          break;
        case '\n':
          expected += "\\n";
          break;
        case '\v':
          expected += "\\v";
          break;
        case '\f':
          expected += "\\f";
          break;
        case '\r':
          expected += "\\r";
          break;
        case '\\':
          expected += "\\\\";
          break;
        default:
          expected += static_cast<char>(byte);
      }
      expected += "tail";
      std::string out(expected.size() + 1, '#');
      ASSERT_EQ(escaped_size(value), expected.size()) << byte;
      auto* begin = reinterpret_cast<uint8_t*>(out.data());
      ASSERT_EQ(put_escaped(begin, value), begin + expected.size()) << byte;
      ASSERT_EQ(out, expected + "#") << byte;
    }
  }
}

TEST(CopyText, RandomText) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string value;
    for (size_t n = random() % 80; n > 0; --n) value += "ab\\\n\t\x80xyz\x0E"[random() % 10];
    std::string out(escaped_size(value), '#');
    put_escaped(reinterpret_cast<uint8_t*>(out.data()), value);
    std::string back;
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_NE(out[i], '\n');
      ASSERT_NE(out[i], '\t');
      if (out[i] == '\\') {
        ++i;
        back += out[i] == 'n' ? '\n' : out[i] == 't' ? '\t' : out[i];
      } else {
        back += out[i];
      }
    }
    ASSERT_EQ(back, value);
  }
}

}  // namespace
}  // namespace headrace::text
