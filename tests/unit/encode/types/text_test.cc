#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

const TargetType kText{"text", "text", -1};
const char* const kTypes[] = {"utf8", "large_utf8", "utf8_view"};

TEST(Text, BytesOfEveryLength) {
  for (const char* name : kTypes) {
    std::vector<Raw> values;
    for (size_t n = 0; n < 70; ++n)
      values.push_back(std::string(n, static_cast<char>('a' + n % 26)));
    values.push_back(std::nullopt);
    const Encoded pg = encode(type_of(name), kText, RowFormat::kPgBinary, values);
    const Encoded lite =
        encode(type_of(name), {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, values);
    for (size_t n = 0; n < 70; ++n) {
      std::string length = "00000000";
      length[6] = "0123456789abcdef"[n >> 4];
      length[7] = "0123456789abcdef"[n & 15];
      ASSERT_EQ(hex(pg.cells[n]), length + hex(*values[n])) << name;
      ASSERT_EQ(lite.cells[n], sqlite_text(*values[n])) << name;
    }
    EXPECT_EQ(hex(pg.cells[70]), "ffffffff");
    EXPECT_EQ(lite.cells[70], "0:");
  }
}

// Spans whose values have one length, or short ones, take other loops.
TEST(Text, SpansOfShortAndOfEqualValues) {
  for (const char* name : kTypes) {
    for (const size_t most : {1U, 3U, 8U, 12U, 16U, 31U, 48U}) {
      std::vector<Raw> equal(300, std::string(most, 'q')), mixed;
      for (size_t i = 0; i < 300; ++i)
        mixed.push_back(std::string(i % (most + 1), static_cast<char>('a' + i % 7)));
      for (const auto& values : {equal, mixed}) {
        const Encoded out =
            encode(type_of(name), {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, values);
        for (size_t i = 0; i < values.size(); ++i)
          ASSERT_EQ(out.cells[i], sqlite_text(*values[i])) << name;
      }
    }
  }
}

TEST(Text, BadBytesAreRejectedWithTheirPlace) {
  for (const char* name : kTypes) {
    const std::vector<Raw> values = {
        "good",   std::string("a\0b", 3),
        "ab\xFF", "caf\xC3\xA9",
        {},       "a long value that ends in a broken character \xE2\x98",
        "good"};
    for (const RowFormat format : {RowFormat::kPgBinary, RowFormat::kText}) {
      const Encoded out = encode(type_of(name), kText, format, values);
      ASSERT_EQ(out.rejects.size(), 3u) << name;
      EXPECT_EQ(out.rejects.at(1),
                "text holds a NUL byte at byte 2, which PostgreSQL cannot store");
      EXPECT_EQ(out.rejects.at(2), "invalid UTF-8 at byte 3");
      EXPECT_EQ(out.rejects.at(5), "invalid UTF-8 at byte 46");
    }
    const Encoded lite =
        encode(type_of(name), {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, values);
    ASSERT_EQ(lite.rejects.size(), 2u);
    EXPECT_EQ(lite.cells[1], "19:610062");
    EXPECT_EQ(lite.cells[3], sqlite_text("caf\xC3\xA9"));
  }
}

TEST(Text, BadBytesUnderNullDoNotMatter) {
  const DataType type = type_of("utf8");
  ArrowArray array = build_array(type, {"ok", "\xFF\xFF\0", "fine"});
  static const uint8_t validity[] = {0b101};
  array.buffers[0] = validity;
  array.null_count = 1;
  OwnedArray owned(&array);
  const Encoded out = encode_array(*owned.get(), type, kText, RowFormat::kPgBinary);
  EXPECT_TRUE(out.rejects.empty());
  EXPECT_EQ(hex(out.cells[1]), "ffffffff");
  EXPECT_EQ(hex(out.cells[2]), "0000000466696e65");
}

TEST(Text, LimitsOfVarcharAndChar) {
  const TargetType varchar{"varchar(3)", "varchar", 7}, blank{"char(3)", "bpchar", 7};
  const DataType type = type_of("utf8");
  const auto one = [&](const TargetType& target, const char* value) {
    return encode_one(type, target, RowFormat::kPgBinary, value);
  };
  EXPECT_EQ(hex(one(varchar, "abc")), "00000003616263");
  EXPECT_EQ(hex(one(varchar, "\xC3\xA4\xC3\xB6\xC3\xBC")), "00000006c3a4c3b6c3bc");
  EXPECT_EQ(one(varchar, "abcd"), "rejected: text of 4 characters is longer than 3");
  EXPECT_EQ(one(varchar, "abc "), "rejected: text of 4 characters is longer than 3");
  EXPECT_EQ(hex(one(blank, "abc  ")), "000000056162632020");
  EXPECT_EQ(one(blank, "abcd"), "rejected: text of 4 characters is longer than 3");
  EXPECT_EQ(encode_one(type, varchar, RowFormat::kText, "abcd"),
            "rejected: text of 4 characters is longer than 3");
  EXPECT_EQ(hex(one({"varchar", "varchar", -1}, "abcd")), "0000000461626364");
}

// SQLite would store the number, and '007' would come back as 7.
TEST(Text, SqliteNumericColumnsRejectTextThatLooksLikeANumber) {
  const DataType type = type_of("utf8");
  for (const char* affinity : {"NUMERIC", "INTEGER", "REAL"}) {
    const TargetType target{affinity, affinity, -1};
    for (const char* value : {"0", "007", "-1.50", "+.5", "1.", "1e5", " 12 ", "3E-2", "\t9\n"}) {
      const std::string out = encode_one(type, target, RowFormat::kSqliteRecord, value);
      EXPECT_NE(out.find("the column would store it as a number"), std::string::npos) << value;
    }
    for (const char* value :
         {"", " ", ".", "-", "1e", "1e+", "0x10", "2020-01-01", "1 2", "12a", "e5", "Inf"}) {
      EXPECT_EQ(encode_one(type, target, RowFormat::kSqliteRecord, value), sqlite_text(value))
          << value;
    }
  }
}

TEST(Text, OtherTargetsAreRefused) {
  const DataType type = type_of("utf8");
  for (const char* base : {"bytea", "point", "_int4", "s.composite", "int4range"}) {
    EXPECT_FALSE(
        find_type_family(type)->make(type, {base, base, -1}, RowFormat::kPgBinary, {}).ok())
        << base;
  }
}

// A data buffer may be absent when every value is empty.
TEST(Text, EmptyValuesWithoutData) {
  for (const char* name : {"utf8", "large_utf8"}) {
    const DataType type = type_of(name);
    ArrowArray array = build_array(type, {"", "", ""});
    array.buffers[2] = nullptr;
    OwnedArray owned(&array);
    const Encoded out = encode_array(*owned.get(), type, kText, RowFormat::kPgBinary, {}, 64);
    for (const std::string& cell : out.cells) EXPECT_EQ(hex(cell), "00000000");
  }
}

// Offsets that go backwards: a broken producer must not crash the encoder.
TEST(Text, OffsetsThatGoBackwardsAreRejected) {
  const DataType type = type_of("utf8");
  ArrowArray array = build_array(type, {"abc", "def", "ghi"});
  static const int32_t offsets[] = {0, 3, 1, 9};
  array.buffers[1] = offsets;
  OwnedArray owned(&array);
  const Encoded out = encode_array(*owned.get(), type, kText, RowFormat::kPgBinary);
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_TRUE(out.rejects.contains(1));
}

}  // namespace
}  // namespace headrace::test
