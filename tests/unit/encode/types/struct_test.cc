#include <cmath>
#include <limits>

#include "support/nested_types.h"
#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

const TargetType kJsonb{"jsonb", "jsonb", -1};
const TargetType kJson{"json", "json", -1};
const TargetType kSqliteText{"TEXT", "TEXT", -1};

// The JSON of a value, which must be the same for every target.
std::string json(const DataType& type, const Raw& value) {
  const std::string text = encode_one(type, kJson, RowFormat::kPgBinary, value);
  const std::string versioned = encode_one(type, kJsonb, RowFormat::kPgBinary, value);
  if (text.starts_with("rejected: ")) {
    EXPECT_EQ(versioned, text);
    return text;
  }
  const std::string body = text.substr(4);
  EXPECT_EQ(hex(text), hex(raw(__builtin_bswap32(static_cast<uint32_t>(body.size())))) + hex(body));
  EXPECT_EQ(versioned.substr(4), "\1" + body);
  EXPECT_EQ(encode_one(type, kSqliteText, RowFormat::kSqliteRecord, value), sqlite_text(body));
  return body;
}

// The JSON of one value as the field of a struct.
std::string field(const DataType& type, const Raw& value) {
  const std::string text = json(struct_of({{"v", type}}), raw_items({value}));
  if (text.starts_with("rejected: ")) return text;
  EXPECT_TRUE(text.starts_with("{\"v\":") && text.ends_with("}")) << text;
  return text.substr(5, text.size() - 6);
}
std::string field(const char* type, const Raw& value) { return field(type_of(type), value); }

TEST(Struct, Targets) {
  const DataType type = struct_of({{"a", type_of("int32")}});
  EXPECT_EQ(default_target(type, Dialect::kPostgres), kJsonb);
  EXPECT_EQ(default_target(type, Dialect::kSqlite), kSqliteText);
  const auto codec =
      find_type_family(type)->make(type, {"text", "text", -1}, RowFormat::kPgBinary, {});
  ASSERT_FALSE(codec.ok());
  EXPECT_EQ(codec.error().code, ErrorCode::kTypeMismatch);
}

TEST(Struct, FieldsInOrderNullsAsNull) {
  const DataType type = struct_of({{"b", type_of("int32")}, {"a\"", type_of("utf8")}});
  EXPECT_EQ(json(type, raw_items({raw<int32_t>(-7), "x"})), "{\"b\":-7,\"a\\\"\":\"x\"}");
  EXPECT_EQ(json(type, raw_items({{}, {}})), "{\"b\":null,\"a\\\"\":null}");
  EXPECT_EQ(encode_one(type, kJsonb, RowFormat::kPgBinary, {}), "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(json(struct_of({}), raw_items({})), "{}");
}

TEST(Struct, CopyTextIsEscaped) {
  const DataType type = struct_of({{"a", type_of("utf8")}});
  EXPECT_EQ(encode_one(type, kJsonb, RowFormat::kText, raw_items({"p\\q\n\"r\""})),
            "{\"a\":\"p\\\\\\\\q\\\\n\\\\\"r\\\\\"\"}\t");
  EXPECT_EQ(encode_one(type, kJsonb, RowFormat::kText, {}), "\\N\t");
}

TEST(Struct, NestedInEachOther) {
  const DataType point = struct_of({{"x", type_of("float64")}, {"y", type_of("float64")}});
  const DataType type = struct_of({{"name", type_of("utf8_view")},
                                   {"path", list_of(point, TypeId::kLargeList)},
                                   {"tags", map_of(type_of("utf8"), list_of(type_of("bool")))}});
  const Raw value = raw_items(
      {"a name of more than twelve bytes",
       raw_items({raw_items({raw(1.5), raw(-0.25)}), {}, raw_items({raw(1e22), {}})}),
       raw_items({"k", raw_items({std::string(1, '\1'), std::string(1, '\0')}), "l", {}})});
  EXPECT_EQ(json(type, value),
            "{\"name\":\"a name of more than twelve bytes\","
            "\"path\":[{\"x\":1.5,\"y\":-0.25},null,{\"x\":1e+22,\"y\":null}],"
            "\"tags\":{\"k\":[true,false],\"l\":null}}");
}

TEST(Struct, Numbers) {
  EXPECT_EQ(field("int8", raw<int8_t>(-128)), "-128");
  EXPECT_EQ(field("uint8", raw<uint8_t>(255)), "255");
  EXPECT_EQ(field("int64", raw(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(field("uint64", raw(UINT64_MAX)), "18446744073709551615");
  EXPECT_EQ(field("float16", raw<uint16_t>(0x3E00)), "1.5");
  EXPECT_EQ(field("float32", raw(0.1F)), "0.1");
  EXPECT_EQ(field("float64", raw(0.1)), "0.1");
  EXPECT_EQ(field("float64", raw(5e-324)), "5e-324");
  EXPECT_EQ(field("float64", raw(std::numeric_limits<double>::max())), "1.7976931348623157e+308");
  EXPECT_EQ(field("float64", raw(std::nan(""))), "rejected: v: NaN, which JSON does not have");
  EXPECT_EQ(field("float32", raw(-INFINITY)), "rejected: v: -Infinity, which JSON does not have");
  ValueOptions options;
  options.nan_as_null = true;
  const DataType floats = struct_of({{"v", type_of("float64")}});
  EXPECT_EQ(encode_one(floats, kSqliteText, RowFormat::kSqliteRecord, raw_items({raw(std::nan(""))}), options),
            sqlite_text("{\"v\":null}"));
  EXPECT_EQ(encode_one(floats, kJsonb, RowFormat::kText, raw_items({raw(std::nan(""))}), options),
            "rejected: v: NaN, which JSON does not have");
  EXPECT_EQ(field("decimal128(15, 2)", raw_integer("-5", 16)), "-0.05");
  EXPECT_EQ(field("decimal256(76, 0)", raw_integer(std::string(76, '9'), 32)), std::string(76, '9'));
  EXPECT_EQ(field("decimal32(5, -200)", raw_integer("12", 4)), "12" + std::string(200, '0'));
  EXPECT_EQ(field("bool", std::string(1, '\1')), "true");
  DataType huge = struct_of({{"v", type_of("decimal32(5, -200000)")}});
  EXPECT_FALSE(find_type_family(huge)->make(huge, kJsonb, RowFormat::kText, {}).ok());
  EXPECT_EQ(field("null", {}), "null");
}

TEST(Struct, Strings) {
  EXPECT_EQ(field("utf8", ""), "\"\"");
  EXPECT_EQ(field("large_utf8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac"), "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac\"");
  EXPECT_EQ(field("utf8", "\t\x01\x1f\x7f\"\\/\b\f\n\r\v"),
            "\"\\t\\u0001\\u001f\x7f\\\"\\\\/\\b\\f\\n\\r\\u000b\"");
  // Past a whole piece, with and without something to escape.
  const std::string long_text = std::string(1500, 'x') + "\"" + std::string(40, 'y') + "\n";
  EXPECT_EQ(field("utf8", long_text),
            "\"" + std::string(1500, 'x') + "\\\"" + std::string(40, 'y') + "\\n\"");
  EXPECT_EQ(field("utf8", "a\xFF"), "rejected: v: invalid UTF-8 at byte 2");
  EXPECT_EQ(field("binary", std::string("\0\xff", 2)), "\"\\\\x00ff\"");
  EXPECT_EQ(field("fixed_size_binary[2]", "ab"), "\"\\\\x6162\"");
}

// PostgreSQL cannot hold \u0000, SQLite can.
TEST(Struct, Nul) {
  const DataType type = struct_of({{"v", type_of("utf8")}});
  const Raw value = raw_items({std::string("a\0b", 3)});
  for (const TargetType& target : {kJsonb, kJson}) {
    EXPECT_EQ(encode_one(type, target, RowFormat::kPgBinary, value),
              "rejected: v: text holds a NUL byte at byte 2, which PostgreSQL cannot store");
  }
  EXPECT_EQ(encode_one(type, kSqliteText, RowFormat::kSqliteRecord, value),
            sqlite_text("{\"v\":\"a\\u0000b\"}"));
}

// As to_json of PostgreSQL 15 gives them.
TEST(Struct, DatesAndTimes) {
  EXPECT_EQ(field("date32", raw<int32_t>(11016)), "\"2000-02-29\"");
  EXPECT_EQ(field("date32", raw<int32_t>(-735160)), "\"0044-03-15 BC\"");
  EXPECT_EQ(field("date64", raw<int64_t>(86400000)), "\"1970-01-02\"");
  EXPECT_EQ(field("date64", raw<int64_t>(1)),
            "rejected: v: date64 of 1 ms is not a whole number of days");
  EXPECT_EQ(field("time32[s]", raw<int32_t>(53760)), "\"14:56:00\"");
  EXPECT_EQ(field("time64[us]", raw<int64_t>(53760250000)), "\"14:56:00.25\"");
  EXPECT_EQ(field("time64[ns]", raw<int64_t>(1)), "\"00:00:00.000000001\"");
  EXPECT_EQ(field("time32[ms]", raw<int32_t>(-1)),
            "rejected: v: time of -1 ms is not within 00:00:00 to 24:00:00");
  EXPECT_EQ(field("timestamp[ms]", raw<int64_t>(979397760500)), "\"2001-01-13T14:56:00.5\"");
  EXPECT_EQ(field("timestamp[s, tz=UTC]", raw<int64_t>(979397760)), "\"2001-01-13T14:56:00+00:00\"");
  EXPECT_EQ(field("timestamp[s]", raw<int64_t>(327403468800)), "\"12345-01-02T00:00:00\"");
  EXPECT_EQ(field("timestamp[s, tz=UTC]", raw<int64_t>(-735160LL * 86400 + 43200)),
            "\"0044-03-15T12:00:00+00:00 BC\"");
  EXPECT_EQ(field("timestamp[ns]", raw<int64_t>(-1)), "\"1969-12-31T23:59:59.999999999\"");
  EXPECT_EQ(field("timestamp[s]", raw(INT64_MAX)),
            "rejected: v: timestamp of 9223372036854775807 s is out of range");
  EXPECT_EQ(field("duration[ms]", raw<int64_t>(-90500)), "\"PT-1M-30.5S\"");
  EXPECT_EQ(field("interval_months", raw<int32_t>(14)), "\"P1Y2M\"");
  EXPECT_EQ(field("interval_day_time", raw<int32_t>(3) + raw<int32_t>(1500)), "\"P3DT1.5S\"");
  EXPECT_EQ(field("interval_month_day_nano",
                  raw<int32_t>(14) + raw<int32_t>(3) + raw<int64_t>(14706700000000)),
            "\"P1Y2M3DT4H5M6.7S\"");
}

TEST(Struct, Dictionaries) {
  const DataType type = dictionary_of(TypeId::kInt16, type_of("utf8"));
  EXPECT_EQ(field(type, "red"), "\"red\"");
  EXPECT_EQ(field(type, {}), "null");
  ArrowArray array = build_array(struct_of({{"v", type}}), {raw_items({"red"})});
  array.children[0]->dictionary->length = 0;
  OwnedArray owned(&array);
  const Encoded out = encode_array(*owned.get(), struct_of({{"v", type}}), kJsonb, RowFormat::kText);
  EXPECT_EQ(out.rejects.at(0), "v: dictionary index 0 is outside the dictionary of 0 entries");
}

TEST(Struct, RejectsSayWhere) {
  const DataType type =
      struct_of({{"a", list_of(struct_of({{"b", type_of("float64")}}))}});
  EXPECT_EQ(json(type, raw_items({raw_items({raw_items({raw(1.0)}), raw_items({raw(std::nan(""))})})})),
            "rejected: a: item 2: b: NaN, which JSON does not have");
}

TEST(Struct, TwoFieldsOfOneNameAreRefused) {
  const DataType type = struct_of({{"a", type_of("int32")}, {"a", type_of("utf8")}});
  for (const RowFormat format : {RowFormat::kPgBinary, RowFormat::kSqliteRecord}) {
    const auto codec = find_type_family(type)->make(type, kJsonb, format, {});
    ASSERT_FALSE(codec.ok());
    EXPECT_EQ(codec.error().code, ErrorCode::kTypeMismatch);
    EXPECT_NE(codec.error().message.find("two fields have one name"), std::string::npos);
  }
}

TEST(Map, Objects) {
  const DataType type = map_of(type_of("utf8"), type_of("int32"));
  EXPECT_EQ(json(type, raw_items({})), "{}");
  EXPECT_EQ(json(type, raw_items({"b", raw<int32_t>(1), "a\n", {}})), "{\"b\":1,\"a\\n\":null}");
  EXPECT_EQ(json(map_of(type_of("int64"), type_of("utf8")),
                 raw_items({raw<int64_t>(-5), "x", raw<int64_t>(12), "y"})),
            "{\"-5\":\"x\",\"12\":\"y\"}");
  EXPECT_EQ(json(map_of(type_of("date32"), type_of("bool")),
                 raw_items({raw<int32_t>(0), std::string(1, '\1')})),
            "{\"1970-01-01\":true}");
  const DataType words = dictionary_of(TypeId::kInt32, type_of("utf8"));
  EXPECT_EQ(json(map_of(words, words), raw_items({"k", "v"})), "{\"k\":\"v\"}");
}

TEST(Map, KeysThatAnObjectDoesNotHoldAreRejected) {
  const DataType type = map_of(type_of("utf8"), type_of("int32"));
  const Raw one = raw<int32_t>(1);
  EXPECT_EQ(json(type, raw_items({"a", one, "b", one, "a", one})),
            "rejected: two keys of the map are \"a\"");
  EXPECT_EQ(json(type, raw_items({{}, one})),
            "rejected: a map key is NULL, which JSON does not have");
  // The word is a key like any other.
  EXPECT_EQ(json(type, raw_items({"null", one})), "{\"null\":1}");
  std::vector<Raw> many;
  for (int i = 0; i < 40; ++i) {
    many.push_back("key " + std::to_string(i % 39));
    many.push_back(one);
  }
  EXPECT_EQ(json(type, raw_items(many)), "rejected: two keys of the map are \"key 0\"");
  many.resize(78);
  EXPECT_TRUE(json(type, raw_items(many)).ends_with(",\"key 38\":1}"));
  const DataType by_list = map_of(list_of(type_of("utf8")), type_of("int32"));
  EXPECT_FALSE(find_type_family(by_list)->make(by_list, kJsonb, RowFormat::kPgBinary, {}).ok());
}

// NULL structs, lists and maps among others, over several spans, and values past what measure keeps.
TEST(Struct, ManyRows) {
  const DataType type = struct_of(
      {{"n", type_of("int32")}, {"t", type_of("utf8")}, {"m", map_of(type_of("utf8"), type_of("int32"))}});
  std::vector<Raw> values;
  std::vector<std::string> expected;
  for (int32_t i = 0; i < 600; ++i) {
    const std::string text(i % 90 == 7 ? 300000 : static_cast<size_t>(i % 40), 'z');
    values.push_back(i % 9 == 4 ? Raw()
                                : raw_items({i % 5 == 0 ? Raw() : raw(i), text,
                                             i % 3 == 0 ? Raw() : raw_items({"k", raw(i)})}));
    const std::string n = i % 5 == 0 ? "null" : std::to_string(i);
    const std::string m = i % 3 == 0 ? "null" : "{\"k\":" + std::to_string(i) + "}";
    expected.push_back(i % 9 == 4 ? "\\N\t"
                                  : "{\"n\":" + n + ",\"t\":\"" + text + "\",\"m\":" + m + "}\t");
  }
  EXPECT_EQ(encode(type, kJsonb, RowFormat::kText, values).cells, expected);
}

TEST(Struct, EmptyBatch) {
  const DataType type = struct_of({{"a", map_of(type_of("utf8"), type_of("int32"))}});
  EXPECT_TRUE(encode(type, kJsonb, RowFormat::kPgBinary, {}).cells.empty());
}

}  // namespace
}  // namespace headrace::test
