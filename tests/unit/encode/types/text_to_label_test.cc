#include "unit/encode/text_targets.h"

namespace headrace::test {
namespace {

constexpr const char* kUuidHex = "a0eebc999c0b4ef8bb6d6bb9bd380a11";

TEST(TextToUuid, FormsOfTheServer) {
  const TargetType uuid = target_of("uuid");
  for (const char* text :
       {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}"}) {
    EXPECT_EQ(parsed(uuid, text), kUuidHex) << text;
  }
  for (const char* text :
       {"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
        "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0-eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a1",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-", "{}", "{",
        "a0eebc99 9c0b 4ef8 bb6d 6bb9bd380a11"}) {
    EXPECT_NE(rejection(uuid, text).find("is not a uuid"), std::string::npos) << text;
  }
}

TEST(TextToEnum, LabelsByteForByte) {
  TargetType mood{"mood", "enum", -1, {"sad", "ok", "very happy", ""}};
  EXPECT_EQ(parsed(mood, "sad"), hex("sad"));
  EXPECT_EQ(parsed(mood, "very happy"), hex("very happy"));
  EXPECT_EQ(parsed(mood, ""), "");
  EXPECT_EQ(rejection(mood, "Sad"),
            "'Sad' is not a label of mood, which has 'sad', 'ok', 'very happy', ''");
  EXPECT_NE(rejection(mood, "ok ").find("is not a label"), std::string::npos);
  EXPECT_NE(rejection(mood, std::string("ok\0", 3)).find("is not a label"), std::string::npos);
  mood.labels = {"1", "2", "3", "4", "5", "6"};
  EXPECT_EQ(rejection(mood, "0"),
            "'0' is not a label of mood, which has '1', '2', '3', '4', '5', ...");
  mood.labels.clear();
  EXPECT_EQ(rejection(mood, "0"), "'0' is not a label of mood, which has none");
}

TEST(TextToName, AtMost63Bytes) {
  const TargetType name = target_of("name");
  EXPECT_EQ(parsed(name, std::string(63, 'n')), hex(std::string(63, 'n')));
  EXPECT_EQ(rejection(name, std::string(64, 'n')),
            "text of 64 bytes is longer than 63, the most that name keeps");
  EXPECT_EQ(rejection(name, "\xff"), "invalid UTF-8 at byte 1");
}

TEST(TextToXml, EncodingsOtherThanUtf8) {
  const TargetType xml = target_of("xml");
  for (const char* text :
       {"<a/>", "<?xml version=\"1.0\"?><a/>",
        "<?xml version=\"1.0\" encoding='UTF-8'?><a>\xc3\xa4</a>", "<a encoding='latin1'/>"}) {
    EXPECT_EQ(parsed(xml, text), hex(text)) << text;
  }
  EXPECT_EQ(rejection(xml, "<?xml version='1.0' encoding='ISO-8859-1'?><a/>"),
            "the XML declares the encoding 'ISO-8859-1', but text is UTF-8; leave it out");
  EXPECT_EQ(rejection(xml, std::string("<a>\0</a>", 8)),
            "text holds a NUL byte at byte 4, which PostgreSQL cannot store");
}

TEST(ArrowUuid, SixteenBytes) {
  DataType type = type_of("binary");
  type.id = TypeId::kFixedSizeBinary;
  type.byte_width = 16;
  type.extension = "arrow.uuid";
  const std::string bytes = unhex(kUuidHex), text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  ASSERT_STREQ(find_type_family(type)->name, "uuid");
  EXPECT_EQ(default_target(type, Dialect::kPostgres), target_of("uuid"));
  const auto one = [&](const TargetType& target, RowFormat format) {
    return encode_one(type, target, format, bytes);
  };
  EXPECT_EQ(hex(one(target_of("uuid"), RowFormat::kPgBinary)), std::string("00000010") + kUuidHex);
  EXPECT_EQ(one(target_of("uuid"), RowFormat::kText), text + "\t");
  EXPECT_EQ(hex(one(target_of("text"), RowFormat::kPgBinary)), "00000024" + hex(text));
  EXPECT_EQ(one(target_of("varchar", 40), RowFormat::kText), text + "\t");
  EXPECT_EQ(one(target_of("bytea"), RowFormat::kText), std::string("\\\\x") + kUuidHex + "\t");
  EXPECT_EQ(one({"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord), sqlite_text(text));
  EXPECT_EQ(one({"BLOB", "BLOB", -1}, RowFormat::kSqliteRecord), "44:" + std::string(kUuidHex));
  for (const TargetType& target : {target_of("varchar", 39), target_of("int8")}) {
    EXPECT_FALSE(find_type_family(type)->make(type, target, RowFormat::kText, {}).ok());
  }
  const TargetType integer{"INTEGER", "INTEGER", -1};
  EXPECT_FALSE(find_type_family(type)->make(type, integer, RowFormat::kSqliteRecord, {}).ok());
}

TEST(BytesToUuid, OnlySixteenBytes) {
  for (const char* name : {"binary", "large_binary", "binary_view"}) {
    EXPECT_EQ(
        hex(encode_one(type_of(name), target_of("uuid"), RowFormat::kPgBinary, unhex(kUuidHex))),
        std::string("00000010") + kUuidHex);
    EXPECT_EQ(encode_one(type_of(name), target_of("uuid"), RowFormat::kText, unhex(kUuidHex)),
              "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\t");
    for (const size_t size : {0U, 15U, 17U}) {
      EXPECT_EQ(encode_one(type_of(name), target_of("uuid"), RowFormat::kPgBinary,
                           std::string(size, 'x')),
                "rejected: " + std::to_string(size) + " bytes; a uuid has 16");
    }
  }
}

// Offsets that go backwards: a broken producer must not crash the encoder.
TEST(TextParsed, OffsetsThatGoBackwardsAreRejected) {
  for (const char* base : {"date", "numeric", "jsonb", "enum", "uuid", "int4", "bool", "xml"}) {
    ArrowArray array = build_array(type_of("utf8"), {"abc", "def", "ghi"});
    static const int32_t offsets[] = {0, 3, 1, 9};
    array.buffers[1] = offsets;
    OwnedArray owned(&array);
    const Encoded out =
        encode_array(*owned.get(), type_of("utf8"), target_of(base), RowFormat::kPgBinary);
    ASSERT_TRUE(out.rejects.contains(1));
    EXPECT_NE(out.rejects.at(1).find("the limit is 1 GiB"), std::string::npos) << base;
  }
}

TEST(TextParsed, LongValuesAreShortenedInReasons) {
  const std::string reason =
      rejection(target_of("date"), std::string(59, 'x') + "\xc3\xa4\xc3\xa4");
  EXPECT_EQ(reason, "'" + std::string(59, 'x') + "...' is not a date; expected YYYY-MM-DD");
}

}  // namespace
}  // namespace headrace::test
