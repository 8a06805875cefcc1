#include "plan/text_layout.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headrace {
namespace {

TEST(TextLayout, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1000), "-1,000");
  EXPECT_EQ(grouped(-100), "-100");
  EXPECT_EQ(grouped(6001215), "6,001,215");
  EXPECT_EQ(grouped(INT64_MIN), "-9,223,372,036,854,775,808");
  EXPECT_EQ(count_text(1, "row"), "1 row");
  EXPECT_EQ(count_text(0, "row"), "0 rows");
}

TEST(TextLayout, Sizes) {
  EXPECT_EQ(size_text(999), "999 B");
  EXPECT_EQ(size_text(215100000), "215.1 MB");
  EXPECT_EQ(size_text(INT64_MAX), "9223372.0 TB");
  EXPECT_EQ(memory_text(512LL << 20), "512.0 MiB");
  EXPECT_EQ(seconds_text(0.0341), "0.034 s");
  EXPECT_EQ(seconds_text(23.14), "23.1 s");
}

TEST(TextLayout, PrintableKeepsLettersOnly) {
  EXPECT_EQ(printable("straße 數據"), "straße 數據");
  EXPECT_EQ(printable("a\x1B[0m\n\t\x7F"), "a\\x1b[0m\\n\\t\\x7f");
  EXPECT_EQ(printable("\xC2\x9B\xC2"), "\\x9b\xC2");
}

TEST(TextLayout, ClippedCountsCharacters) {
  EXPECT_EQ(clipped("abcdef", 6), "abcdef");
  EXPECT_EQ(clipped("abcdefg", 6), "abc...");
  EXPECT_EQ(clipped("ääääää", 6), "ääääää");
  EXPECT_EQ(clipped("äääääää", 6), "äää...");
}

TEST(TextLayout, FieldsAreAligned) {
  std::string out;
  append_field(&out, "method", "copy\nbecause");
  append_field(&out, "empty", "");
  EXPECT_EQ(out, "method      copy\n            because\n");
}

TEST(TextLayout, TableAlignsAndDropsEmptyColumns) {
  TextTable table({{"#", true}, {"name"}, {"nothing"}, {"rows", true}});
  table.add_row({"1", "ä", "", "5"});
  table.add_row({"10", "long name", "", ""});
  EXPECT_EQ(table.render(),
            "   #  name       rows\n"
            "   1  ä             5\n"
            "  10  long name\n");
}

}  // namespace
}  // namespace headrace
