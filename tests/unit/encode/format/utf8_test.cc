#include "encode/format/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace headrace::utf8 {
namespace {

TEST(Utf8, FirstInvalidByte) {
  const std::pair<std::string, size_t> cases[] = {{"abc", 3},
                                                  {"\xC3\xA9", 2},
                                                  {"\xE2\x98\x83", 3},
                                                  {"\xF0\x9D\x84\x9E", 4},
                                                  {"a\xFF", 1},
                                                  {"\xC0\x80", 0},
                                                  {"\xC1\xBF", 0},
                                                  {"\xE0\x80\x80", 0},
                                                  {"\xED\xA0\x80", 0},
                                                  {"\xF0\x80\x80\x80", 0},
                                                  {"\xF4\x90\x80\x80", 0},
                                                  {"\xF5\x80\x80\x80", 0},
                                                  {"ab\xE2\x98", 2},
                                                  {"\xF0\x9D\x84", 0},
                                                  {"\x80", 0},
                                                  {"\xED\x9F\xBF", 3},
                                                  {"\xF4\x8F\xBF\xBF", 4}};
  for (const auto& [text, position] : cases) EXPECT_EQ(first_invalid(text), position) << text;
}

// One odd byte at every place of strings of every length.
TEST(Utf8, PlainAsciiSeesEveryByte) {
  for (size_t length = 0; length < 70; ++length) {
    const std::string plain(length, 'x');
    EXPECT_TRUE(is_plain_ascii<true>(plain)) << length;
    EXPECT_TRUE(is_plain_ascii<false>(plain)) << length;
    for (size_t at = 0; at < length; ++at) {
      std::string odd = plain;
      odd[at] = '\0';
      EXPECT_TRUE(is_plain_ascii<true>(odd)) << length << " " << at;
      EXPECT_FALSE(is_plain_ascii<false>(odd)) << length << " " << at;
      odd[at] = '\x80';
      EXPECT_FALSE(is_plain_ascii<true>(odd)) << length << " " << at;
      EXPECT_FALSE(is_plain_ascii<false>(odd)) << length << " " << at;
      odd[at] = '\x01';
      EXPECT_TRUE(is_plain_ascii<false>(odd)) << length << " " << at;
      odd[at] = '\x7F';
      EXPECT_TRUE(is_plain_ascii<false>(odd)) << length << " " << at;
    }
  }
}

TEST(Utf8, ValidAndLength) {
  EXPECT_TRUE(is_valid("h\xC3\xA9llo, a text of more than sixteen bytes \xE2\x98\x83"));
  EXPECT_FALSE(is_valid("a text of more than sixteen bytes \xE2\x98"));
  EXPECT_TRUE(is_valid(std::string("a\0b", 3)));
  EXPECT_FALSE(is_valid_without_nul(std::string("a\0b", 3)));
  EXPECT_EQ(length("h\xC3\xA9\xE2\x98\x83\xF0\x9D\x84\x9E"), 4u);
}

}  // namespace
}  // namespace headrace::utf8
