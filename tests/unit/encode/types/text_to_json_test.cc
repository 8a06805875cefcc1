#include "unit/encode/text_targets.h"

namespace headrace::test {
namespace {

const TargetType kJson = target_of("json"), kJsonb = target_of("jsonb");

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(TextToJson, DocumentsTravelAsTheyAre) {
  for (const char* text :
       {"{}", "[]", "null", "true", "false", "0", "-0", "-1.5e+10", "1E5", "\"\"", " \t\r\n1 \n",
        "{\"a\":1,\"b\":[1,2,{\"c\":null}],\"a\":\"again\"}", "[[],{},[{}]]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"", "\"\\ud83d\\ude00\"", "\"gr\xc3\xbc\xc3\x9f\"",
        "[ \"a longer string than sixteen bytes\" , \"with \\\" a quote after sixteen\" ]",
        "{ \"k\" : [ 1 , 2 ] }"}) {
    EXPECT_EQ(parsed(kJson, text), hex(text)) << text;
    EXPECT_EQ(parsed(kJsonb, text), "01" + hex(text)) << text;
  }
  EXPECT_EQ(parsed(kJsonb, nested(1000)), "01" + hex(nested(1000)));
}

TEST(TextToJson, WhatIsNoJson) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "True",
                           "undefined",
                           "NaN",
                           "Infinity",
                           "{",
                           "[",
                           "}",
                           "]",
                           "{]",
                           "[}",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{1:2}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":1 \"b\":2}",
                           "\"",
                           "\"abc",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\\"",
                           "\"tab\there\"",
                           "\"a long string with a newline \n in it\"",
                           "01",
                           "+1",
                           "-",
                           ".5",
                           "5.",
                           "1e",
                           "1e+",
                           "1.e5",
                           "--1",
                           "0x10",
                           "1 2",
                           "{} {}",
                           "[1]]",
                           "nullx",
                           "\xEF\xBB\xBF{}",
                           "/* */ 1",
                           "[1,,2]",
                           "{\"a\":1,,\"b\":2}",
                           "\"a\" \"b\"",
                           "tru"}) {
    EXPECT_NE(rejection(kJson, text).find("is not JSON that json takes: "), std::string::npos)
        << text;
    EXPECT_NE(rejection(kJsonb, text).find("is not JSON that jsonb takes: "), std::string::npos)
        << text;
  }
  EXPECT_EQ(rejection(kJson, "[1,]"), "'[1,]' is not JSON that json takes: not a value at byte 4");
  EXPECT_EQ(rejection(kJsonb, "{\"a\" 1}"),
            "'{\"a\" 1}' is not JSON that jsonb takes: ':' is missing at byte 6");
  EXPECT_NE(rejection(kJson, nested(1001)).find("nested deeper than 1000 levels"),
            std::string::npos);
  EXPECT_EQ(rejection(kJson, "\"\xff\""), "invalid UTF-8 at byte 2");
  EXPECT_EQ(rejection(kJson, std::string("\"a\0\"", 4)),
            "text holds a NUL byte at byte 3, which PostgreSQL cannot store");
}

TEST(TextToJson, WhatJsonTakesAndJsonbDoesNot) {
  const std::pair<const char*, const char*> cases[] = {
      {"\"\\u0000\"", "\\u0000, which jsonb cannot store at byte 2"},
      {"\"\\ud800\"", "a lone surrogate, which jsonb cannot store at byte 2"},
      {"\"\\ud800\\u0041\"", "a lone surrogate"},
      {"\"x\\udc00\"", "a lone surrogate, which jsonb cannot store at byte 3"},
      {"\"\\ud800\\ud800\"", "a lone surrogate"},
      {"[1e131072]", "a number that jsonb does not hold at byte 2"},
      {"1e-16384", "a number that jsonb does not hold"},
      {"1e999999999999999999999", "a number that jsonb does not hold"}};
  for (const auto& [text, reason] : cases) {
    EXPECT_EQ(parsed(kJson, text), hex(text)) << text;
    EXPECT_NE(rejection(kJsonb, text).find(reason), std::string::npos) << text;
  }
  EXPECT_EQ(parsed(kJsonb, "1e131071"), "01" + hex("1e131071"));
}

// Every place where a string may end, against the 16 bytes of a step.
TEST(TextToJson, StringsOfEveryLength) {
  for (size_t n = 0; n < 40; ++n) {
    const std::string inside(n, 'x');
    EXPECT_EQ(parsed(kJson, "\"" + inside + "\""), hex("\"" + inside + "\""));
    EXPECT_EQ(parsed(kJson, "\"" + inside + "\\n\""), hex("\"" + inside + "\\n\""));
    EXPECT_NE(rejection(kJson, "\"" + inside).find("a string has no end"), std::string::npos);
    EXPECT_NE(rejection(kJson, "\"" + inside + "\\").find("a string has no end"),
              std::string::npos);
    EXPECT_NE(rejection(kJson, "\"" + inside + "\x1f\"").find("a control character"),
              std::string::npos);
  }
}

TEST(ArrowJson, GoesToJsonbAndIsCheckedEverywhere) {
  DataType type = type_of("utf8");
  type.extension = "arrow.json";
  ASSERT_STREQ(find_type_family(type)->name, "json");
  EXPECT_EQ(default_target(type, Dialect::kPostgres), kJsonb);
  EXPECT_EQ(default_target(type, Dialect::kSqlite).sql, "TEXT");
  EXPECT_EQ(hex(encode_one(type, kJsonb, RowFormat::kPgBinary, "[1]")), "00000004015b315d");
  const TargetType lite{"TEXT", "TEXT", -1};
  EXPECT_EQ(encode_one(type, lite, RowFormat::kSqliteRecord, "[1]"), sqlite_text("[1]"));
  EXPECT_EQ(encode_one(type, lite, RowFormat::kSqliteRecord, "[1"),
            "rejected: '[1' is not JSON: ',' or ']' is missing at byte 3");
  EXPECT_EQ(hex(encode_one(type, target_of("text"), RowFormat::kPgBinary, "[1")), "000000025b31");
  EXPECT_FALSE(find_type_family(type)->make(type, target_of("bytea"), RowFormat::kText, {}).ok());
  const Encoded mixed =
      encode(type, lite, RowFormat::kSqliteRecord, {"{}", std::nullopt, "\"long enough text\""});
  EXPECT_EQ(mixed.cells[1], "0:");
}

}  // namespace
}  // namespace headrace::test
