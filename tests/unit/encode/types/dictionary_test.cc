#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

const TargetType kText{"text", "text", -1};
const TypeId kIndexTypes[] = {TypeId::kInt8,  TypeId::kInt16,  TypeId::kInt32,  TypeId::kInt64,
                              TypeId::kUint8, TypeId::kUint16, TypeId::kUint32, TypeId::kUint64};

// A dictionary array of indexes (nullopt is NULL) and entries.
OwnedArray dictionary_array(const DataType& type,
                            const std::vector<std::optional<int64_t>>& indexes,
                            const std::vector<Raw>& entries) {
  DataType index;
  index.id = type.index_id;
  std::vector<Raw> values;
  for (const auto& i : indexes) {
    values.push_back(i ? Raw(raw(*i).substr(0, value_bytes(index))) : Raw());
  }
  ArrowArray array = build_array(index, values);
  auto* node = static_cast<ArrayNode*>(array.private_data);
  node->dictionary = build_array(type.children[0].type, entries);
  array.dictionary = &node->dictionary;
  return OwnedArray(&array);
}

TEST(Dictionary, SameBytesAsThePlainValues) {
  const std::vector<Raw> words = {"AIR", "a longer entry than sixteen bytes", "", "RAIL",
                                  "twenty-one characters"};
  for (const RowFormat format :
       {RowFormat::kPgBinary, RowFormat::kText, RowFormat::kSqliteRecord}) {
    for (const TypeId index : kIndexTypes) {
      const DataType type = dictionary_of(index, type_of("utf8"));
      std::vector<std::optional<int64_t>> indexes;
      std::vector<Raw> plain;
      for (int64_t i = 0; i < 600; ++i) {
        indexes.push_back(i % 11 == 4 ? std::nullopt : std::optional<int64_t>(i * 7 % 5));
        plain.push_back(i % 11 == 4 ? Raw() : words[static_cast<size_t>(i * 7 % 5)]);
      }
      const Encoded expected = encode(type_of("utf8"), kText, format, plain);
      OwnedArray array = dictionary_array(type, indexes, words);
      for (const uint32_t room : {0U, 8U, 64U}) {
        EXPECT_EQ(encode_array(*array.get(), type, kText, format, {}, room), expected);
      }
    }
  }
}

// Entries of one size make the whole span one cell; short ones are copied as words.
TEST(Dictionary, EntriesOfOneSize) {
  for (const size_t size : {0U, 1U, 4U, 12U, 16U, 20U, 40U}) {
    const DataType type = dictionary_of(TypeId::kInt32, type_of("utf8"));
    const std::vector<Raw> words = {std::string(size, 'a'), std::string(size, 'b'),
                                    std::string(size, 'c')};
    std::vector<std::optional<int64_t>> indexes;
    for (int64_t i = 0; i < 300; ++i) indexes.push_back(i % 3);
    OwnedArray array = dictionary_array(type, indexes, words);
    for (const uint32_t room : {0U, 4U, 30U}) {
      const Encoded out = encode_array(*array.get(), type, {"TEXT", "TEXT", -1},
                                       RowFormat::kSqliteRecord, {}, room);
      for (size_t i = 0; i < 300; ++i) ASSERT_EQ(out.cells[i], sqlite_text(*words[i % 3]));
    }
  }
}

TEST(Dictionary, LargerThanTheBatchIsEncodedOnUse) {
  const DataType type = dictionary_of(TypeId::kInt32, type_of("utf8"));
  std::vector<Raw> words;
  for (int i = 0; i < 5000; ++i) words.push_back("entry " + std::to_string(i));
  words[7] = "\xFF";
  const std::vector<std::optional<int64_t>> indexes = {4999, 0, 4999, std::nullopt, 7, 1234};
  OwnedArray array = dictionary_array(type, indexes, words);
  const Encoded out = encode_array(*array.get(), type, kText, RowFormat::kText);
  EXPECT_EQ(out.cells[0], "entry 4999\t");
  EXPECT_EQ(out.cells[1], "entry 0\t");
  EXPECT_EQ(out.cells[2], "entry 4999\t");
  EXPECT_EQ(out.cells[3], "\\N\t");
  EXPECT_EQ(out.cells[5], "entry 1234\t");
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_EQ(out.rejects.at(4), "invalid UTF-8 at byte 1");
}

TEST(Dictionary, NullEntriesAreNull) {
  const DataType type = dictionary_of(TypeId::kInt8, type_of("int64"));
  OwnedArray array =
      dictionary_array(type, {0, 1, std::nullopt, 2}, {raw<int64_t>(5), {}, raw<int64_t>(300)});
  const Encoded pg = encode_array(*array.get(), type, {"bigint", "int8", -1}, RowFormat::kPgBinary);
  EXPECT_EQ(hex(pg.cells[0]), "000000080000000000000005");
  EXPECT_EQ(hex(pg.cells[1]), "ffffffff");
  EXPECT_EQ(hex(pg.cells[2]), "ffffffff");
  const Encoded lite =
      encode_array(*array.get(), type, {"INTEGER", "INTEGER", -1}, RowFormat::kSqliteRecord);
  EXPECT_EQ(lite.cells, (std::vector<std::string>{"1:05", "0:", "0:", "2:012c"}));
}

TEST(Dictionary, BadEntriesAreRejectedOnlyWhereTheyAreUsed) {
  const DataType type = dictionary_of(TypeId::kInt32, type_of("utf8"));
  OwnedArray unused = dictionary_array(type, {0, 2, 0}, {"good", "\xFF", "fine"});
  EXPECT_TRUE(encode_array(*unused.get(), type, kText, RowFormat::kPgBinary).rejects.empty());
  OwnedArray used = dictionary_array(type, {0, 1, 1}, {"good", "\xFF", "fine"});
  const Encoded out = encode_array(*used.get(), type, kText, RowFormat::kPgBinary);
  EXPECT_EQ(out.rejects.size(), 2u);
  EXPECT_EQ(hex(out.cells[0]), "00000004676f6f64");
}

TEST(Dictionary, IndexesOutsideAreRejected) {
  for (const TypeId index : kIndexTypes) {
    const DataType type = dictionary_of(index, type_of("utf8"));
    const bool is_signed = index <= TypeId::kInt64;
    OwnedArray array = dictionary_array(type, {0, 2, is_signed ? -1 : 127, 1}, {"a", "b"});
    const Encoded out = encode_array(*array.get(), type, kText, RowFormat::kPgBinary);
    ASSERT_EQ(out.rejects.size(), 2u);
    EXPECT_EQ(out.rejects.at(1), "dictionary index 2 is outside the dictionary of 2 entries");
    EXPECT_EQ(hex(out.cells[3]), "0000000162");
  }
  // int8 -1 must not become entry 255.
  const DataType type = dictionary_of(TypeId::kInt8, type_of("int32"));
  OwnedArray array = dictionary_array(type, std::vector<std::optional<int64_t>>(300, -1),
                                      std::vector<Raw>(300, raw<int32_t>(7)));
  EXPECT_EQ(encode_array(*array.get(), type, {"integer", "int4", -1}, RowFormat::kPgBinary)
                .rejects.size(),
            300u);
}

TEST(Dictionary, EmptyDictionaryOfNullRows) {
  const DataType type = dictionary_of(TypeId::kInt32, type_of("utf8"));
  OwnedArray array = dictionary_array(type, {std::nullopt, std::nullopt}, {});
  const Encoded out = encode_array(*array.get(), type, kText, RowFormat::kText);
  EXPECT_EQ(out.cells, (std::vector<std::string>{"\\N\t", "\\N\t"}));
}

TEST(Dictionary, OfEveryKindOfValue) {
  const std::tuple<const char*, Raw, const char*> cases[] = {
      {"decimal128(15, 2)", raw_integer("12345", 16),
       "0000000c"
       "0002"
       "0000"
       "0000"
       "0002"
       "007b"
       "1194"},
      {"date32", raw<int32_t>(10958), "0000000400000001"},
      {"bool", std::string(1, '\1'), "0000000101"},
      {"float64", raw(1.5), "000000083ff8000000000000"},
      {"large_utf8", "x", "0000000178"},
      {"utf8_view", "thirteen byte", "0000000d746869727465656e2062797465"}};
  for (const auto& [name, value, expected] : cases) {
    const DataType type = dictionary_of(TypeId::kUint16, type_of(name));
    OwnedArray array = dictionary_array(type, {0, 0}, {value});
    const Encoded out = encode_array(*array.get(), type, default_target(type, Dialect::kPostgres),
                                     RowFormat::kPgBinary);
    EXPECT_EQ(hex(out.cells[1]), expected) << name;
  }
}

// The codec is used for batch after batch, each with its own dictionary.
TEST(Dictionary, BindForgetsTheBatchBefore) {
  const DataType type = dictionary_of(TypeId::kInt32, type_of("utf8"));
  auto codec = find_type_family(type)->make(type, kText, RowFormat::kText, {});
  ASSERT_TRUE(codec.ok());
  for (const char* word : {"first", "second"}) {
    OwnedArray array = dictionary_array(type, {0}, {word});
    auto view = make_column_view(*array.get(), type);
    ASSERT_TRUE(view.ok());
    (*codec)->bind(*view);
    Encoded out;
    out.cells.resize(1);
    SpanCheck(**codec, *view, RowFormat::kText, 0).run({0, 1}, &out);
    EXPECT_EQ(out.cells[0], std::string(word) + "\t");
  }
}

}  // namespace
}  // namespace headrace::test
