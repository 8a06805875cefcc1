#include <cmath>

#include "support/nested_types.h"
#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

constexpr TypeId kListIds[] = {TypeId::kList, TypeId::kLargeList, TypeId::kListView,
                               TypeId::kLargeListView};

TargetType array_target(const std::string& element, const std::string& base, int32_t typmod = -1) {
  return {element + "[]", "_" + base, typmod};
}

Raw ints(const std::vector<std::optional<int32_t>>& values) {
  std::vector<Raw> items;
  for (const auto& v : values) items.push_back(v ? Raw(raw(*v)) : Raw());
  return raw_items(items);
}

std::string array_hex(const DataType& type, const TargetType& target, const Raw& value) {
  return hex(encode_one(type, target, RowFormat::kPgBinary, value));
}

std::string array_text(const DataType& type, const TargetType& target, const Raw& value) {
  return encode_one(type, target, RowFormat::kText, value);
}

std::string rejected(const DataType& type, const Raw& value) {
  const TargetType target = default_target(type, Dialect::kPostgres);
  const std::string binary = encode_one(type, target, RowFormat::kPgBinary, value);
  EXPECT_EQ(encode_one(type, target, RowFormat::kText, value), binary);
  return binary;
}

TEST(List, NewTablesGetArraysOfTheItemsType) {
  const auto sql = [](const DataType& type) {
    const TargetType target = default_target(type, Dialect::kPostgres);
    return target.sql + " " + target.base;
  };
  EXPECT_EQ(sql(list_of(type_of("int32"))), "integer[] _int4");
  EXPECT_EQ(sql(list_of(list_of(type_of("utf8")))), "text[] _text");
  EXPECT_EQ(sql(fixed_list_of(type_of("float32"), 3)), "real[] _float4");
  EXPECT_EQ(sql(list_of(type_of("decimal128(15, 2)"))), "numeric(15,2)[] _numeric");
  EXPECT_EQ(sql(list_of(struct_of({{"a", type_of("int8")}}))), "jsonb[] _jsonb");
  EXPECT_EQ(sql(list_of(type_of("null"))), "text[] _text");
  DataType deep = type_of("int32");
  for (int i = 0; i < 6; ++i) deep = list_of(deep);
  EXPECT_EQ(sql(deep), "integer[] _int4");
  EXPECT_EQ(sql(list_of(deep)), "jsonb jsonb");
  EXPECT_EQ(default_target(deep, Dialect::kSqlite).sql, "TEXT");
}

// The bytes of array_send of PostgreSQL 15, after the field's length.
TEST(List, BytesOfTheServer) {
  for (const TypeId id : kListIds) {
    const DataType type = list_of(type_of("int32"), id);
    EXPECT_EQ(array_hex(type, array_target("integer", "int4"), ints({1, {}, -2})),
              "00000028" "00000001" "00000001" "00000017" "0000000300000001"
              "0000000400000001" "ffffffff" "00000004fffffffe");
    EXPECT_EQ(array_hex(type, array_target("integer", "int4"), ints({})),
              "0000000c" "00000000" "00000000" "00000017");
    EXPECT_EQ(array_hex(type, array_target("integer", "int4"), {}), "ffffffff");
  }
  EXPECT_EQ(array_hex(list_of(type_of("decimal128(15, 2)")),
                      array_target("numeric(15,2)", "numeric", 983046),
                      raw_items({raw_integer("150", 16), raw_integer("-2025", 16)})),
            "00000034" "00000001" "00000000" "000006a4" "0000000200000001"
            "0000000c" "00020000000000020001" "1388" "0000000c" "00020000400000020014" "09c4");
  EXPECT_EQ(array_hex(fixed_list_of(type_of("float32"), 2), array_target("real", "float4"),
                      raw_items({raw(1.5F), raw(std::nanf(""))})),
            "00000024" "00000001" "00000000" "000002bc" "0000000200000001"
            "000000043fc00000" "000000047fc00000");
}

TEST(List, TextItems) {
  const DataType type = list_of(type_of("utf8"));
  const TargetType target = array_target("text", "text");
  EXPECT_EQ(array_hex(type, target, raw_items({"a", "", {}, "x\"y"})),
            "00000028" "00000001" "00000001" "00000019" "0000000400000001"
            "0000000161" "00000000" "ffffffff" "00000003782279");
  // COPY doubles every backslash of the array's own text.
  EXPECT_EQ(array_text(type, target, raw_items({"a", "", {}, "x\"y", "b c", "{}", "p\\q", "1,2"})),
            "{a,\"\",NULL,\"x\\\\\"y\",\"b c\",\"{}\",\"p\\\\\\\\q\",\"1,2\"}\t");
  EXPECT_EQ(array_text(type, target, raw_items({"null", "NULL", "nulls", "\\N", "t\ty\n"})),
            "{\"null\",\"NULL\",nulls,\"\\\\\\\\N\",\"t\\ty\\n\"}\t");
  EXPECT_EQ(array_text(type, target, raw_items({})), "{}\t");
  EXPECT_EQ(array_text(type, target, {}), "\\N\t");
}

TEST(List, ListsOfListsAreDimensions) {
  for (const TypeId outer : kListIds) {
    for (const TypeId inner : kListIds) {
      const DataType type = list_of(list_of(type_of("int32"), inner), outer);
      const Raw value = raw_items({ints({1, 2, 3}), ints({4, 5, 6})});
      EXPECT_EQ(array_text(type, array_target("integer", "int4"), value), "{{1,2,3},{4,5,6}}\t");
      EXPECT_EQ(array_hex(type, array_target("integer", "int4"), value),
                "0000004c" "00000002" "00000000" "00000017" "0000000200000001" "0000000300000001"
                "0000000400000001" "0000000400000002" "0000000400000003"
                "0000000400000004" "0000000400000005" "0000000400000006");
    }
  }
  const DataType cube = list_of(fixed_list_of(list_of(type_of("int32")), 2));
  const Raw value = raw_items({raw_items({ints({1, 2}), ints({3, 4})}),
                               raw_items({ints({5, {}}), ints({7, 8})})});
  EXPECT_EQ(array_text(cube, array_target("integer", "int4"), value),
            "{{{1,2},{3,4}},{{5,NULL},{7,8}}}\t");
  EXPECT_EQ(array_text(cube, array_target("integer", "int4"), raw_items({})), "{}\t");
}

TEST(List, WhatNoArrayHoldsIsRejected) {
  const DataType type = list_of(list_of(type_of("int32")));
  EXPECT_EQ(rejected(type, raw_items({ints({1}), ints({2, 3})})),
            "rejected: inner lists of 1 and of 2 items; those of a PostgreSQL array have one size");
  EXPECT_EQ(rejected(type, raw_items({ints({1}), {}})),
            "rejected: holds an inner list that is NULL; a PostgreSQL array has none");
  EXPECT_EQ(rejected(type, raw_items({ints({}), ints({})})),
            "rejected: holds an empty inner list; a PostgreSQL array has none");
  EXPECT_EQ(rejected(type, raw_items({ints({1}), ints({})})),
            "rejected: holds an empty inner list; a PostgreSQL array has none");
}

TEST(List, ItemsThatCannotBeStoredAreRejectedWithTheirPlace) {
  EXPECT_EQ(rejected(list_of(type_of("utf8")), raw_items({"a", {}, "b\xFF"})),
            "rejected: item 3: invalid UTF-8 at byte 2");
  EXPECT_EQ(encode_one(list_of(type_of("int32")), array_target("smallint", "int2"),
                       RowFormat::kPgBinary, ints({1, 70000})),
            "rejected: item 2: 70000 is out of range for smallint");
  // Only the row that holds it; the item is the 300th of the third row.
  const DataType type = list_of(type_of("int64"));
  std::vector<Raw> many(400, raw<int64_t>(7));
  many[299] = raw<int64_t>(1LL << 40);
  const Encoded out = encode(type, array_target("integer", "int4"), RowFormat::kPgBinary,
                             {raw_items({raw<int64_t>(1)}), {}, raw_items(many), raw_items({})});
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_EQ(out.rejects.at(2), "item 300: 1099511627776 is out of range for integer");
  EXPECT_EQ(hex(out.cells[0]), "0000001c" "000000010000000000000017" "0000000100000001"
                               "0000000400000001");
}

// Items hidden under a NULL list are nobody's; so they cannot be wrong either.
TEST(List, NullListsMayHideItems) {
  const DataType type = list_of(type_of("int32"));
  const Encoded out = encode(type, array_target("smallint", "int2"), RowFormat::kText,
                             {ints({70000}), {}, ints({1})});
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_TRUE(out.rejects.contains(0));
  EXPECT_EQ(out.cells[1], "\\N\t");
  EXPECT_EQ(out.cells[2], "{1}\t");
}

// Spans of items go over the borders of lists, and long lists over several spans: the binary form
// must hold what the text form says, whatever the lengths.
TEST(List, ManyLengths) {
  for (const TypeId id : kListIds) {
    for (const char* item : {"int32", "int16", "int64", "float64", "date32", "decimal64(9, 0)"}) {
      const DataType type = list_of(type_of(item), id);
      const TargetType target = default_target(type, Dialect::kPostgres);
      std::vector<Raw> values;
      std::vector<std::string> fields, texts;
      const auto width = item == std::string("int16") ? 2u
                         : item == std::string("int32") || item == std::string("date32") ? 4u
                                                                                          : 8u;
      const TargetType one = default_target(type_of(item), Dialect::kPostgres);
      for (int i = 0; i < 300; ++i) {
        const int length = i % 7 == 0 ? 0 : i % 50 == 3 ? 700 : i % 5;
        std::vector<Raw> items;
        for (int k = 0; k < length; ++k) {
          const int64_t number = item == std::string("float64") ? 4607182418800017408LL + k : i + k;
          items.push_back(k == 3 && i % 2 == 0 ? Raw() : Raw(raw(number).substr(0, width)));
        }
        values.push_back(i % 11 == 5 ? Raw() : raw_items(items));
        const Encoded field = encode_array(
            *OwnedArray(std::make_unique<ArrowArray>(build_array(type_of(item), items)).get()).get(),
            type_of(item), one, RowFormat::kPgBinary);
        std::string body, header;
        bool nulls = false;
        for (const std::string& cell : field.cells) {
          body += hex(cell);
          nulls |= hex(cell) == "ffffffff";
        }
        const auto be32 = [](uint32_t v) {
          std::string out(4, '\0');
          store_be32(reinterpret_cast<uint8_t*>(out.data()), v);
          return hex(out);
        };
        const std::map<std::string, uint32_t> oids = {
            {"int2", 21}, {"int4", 23}, {"int8", 20}, {"float8", 701}, {"date", 1082}, {"numeric", 1700}};
        header = be32(length > 0 ? 1 : 0) + be32(nulls ? 1 : 0) + be32(oids.at(one.base));
        if (length > 0) header += be32(static_cast<uint32_t>(length)) + be32(1);
        const auto bytes = static_cast<uint32_t>((header.size() + body.size()) / 2);
        fields.push_back(values.back() ? be32(bytes) + header + body : "ffffffff");
      }
      const Encoded out = encode(type, target, RowFormat::kPgBinary, values);
      ASSERT_TRUE(out.rejects.empty());
      for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(hex(out.cells[i]), fields[i]) << item << i;
    }
  }
}

TEST(List, OfDictionaries) {
  const DataType type = list_of(dictionary_of(TypeId::kInt8, type_of("utf8")));
  const TargetType target = default_target(type, Dialect::kPostgres);
  const Raw value = raw_items({"red", {}, "green", "red"});
  EXPECT_EQ(array_text(type, target, value), "{red,NULL,green,red}\t");
  EXPECT_EQ(array_hex(type, target, value),
            array_hex(list_of(type_of("utf8")), target, value));
}

TEST(List, OfNull) {
  const DataType type = list_of(type_of("null"));
  const TargetType target = default_target(type, Dialect::kPostgres);
  EXPECT_EQ(array_text(type, target, raw_items({{}, {}})), "{NULL,NULL}\t");
  EXPECT_EQ(array_hex(type, target, raw_items({{}})),
            "00000018" "00000001" "00000001" "00000019" "0000000100000001" "ffffffff");
}

TEST(List, FixedSizeListsOfNoItems) {
  const DataType type = fixed_list_of(type_of("int32"), 0);
  EXPECT_EQ(array_text(type, array_target("integer", "int4"), raw_items({})), "{}\t");
}

TEST(List, EmptyBatch) {
  for (const RowFormat format :
       {RowFormat::kPgBinary, RowFormat::kText, RowFormat::kSqliteRecord}) {
    const DataType type = list_of(list_of(type_of("utf8")));
    const Dialect dialect =
        format == RowFormat::kSqliteRecord ? Dialect::kSqlite : Dialect::kPostgres;
    EXPECT_TRUE(encode(type, default_target(type, dialect), format, {}).cells.empty());
  }
}

TEST(List, OffsetsOutsideTheItemsAreRejected) {
  const DataType type = list_of(type_of("int32"));
  ArrowArray array = build_array(type, {ints({1, 2}), ints({3})});
  array.children[0]->length = 2;
  OwnedArray owned(&array);
  const Encoded out = encode_array(*owned.get(), type, array_target("integer", "int4"),
                                   RowFormat::kPgBinary);
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_EQ(out.rejects.at(1), "the list's offsets lie outside its items");
}

TEST(List, JsonTargets) {
  const DataType type = list_of(list_of(type_of("int32")));
  const Raw value = raw_items({ints({1, {}}), ints({}), {}});
  EXPECT_EQ(encode_one(type, {"jsonb", "jsonb", -1}, RowFormat::kPgBinary, value),
            std::string("\0\0\0\x13\1", 5) + "[[1,null],[],null]");
  EXPECT_EQ(array_text(type, {"json", "json", -1}, value), "[[1,null],[],null]\t");
  EXPECT_EQ(encode_one(type, {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, value),
            sqlite_text("[[1,null],[],null]"));
}

TEST(List, OtherTargetsAreRefused) {
  const DataType type = list_of(type_of("int32"));
  const auto refuses = [&](const TargetType& target, RowFormat format = RowFormat::kPgBinary) {
    auto codec = find_type_family(type)->make(type, target, format, {});
    EXPECT_FALSE(codec.ok()) << target.sql;
    if (!codec.ok()) {
      EXPECT_FALSE(codec.error().hint.empty());
    }
  };
  refuses({"integer", "int4", -1});
  refuses({"text", "text", -1});
  refuses(array_target("citext", "citext"));
  refuses({"shop.colour[]", "shop._colour", -1});
  refuses(array_target("boolean", "bool"));
  refuses(array_target("text", "text"), RowFormat::kText);
  DataType deep = type_of("int32");
  for (int i = 0; i < 7; ++i) deep = list_of(deep);
  EXPECT_FALSE(find_type_family(deep)
                   ->make(deep, array_target("integer", "int4"), RowFormat::kPgBinary, {})
                   .ok());
}

TEST(List, OfUnionsAndGeometriesCannotBeLoadedYet) {
  DataType unions;
  unions.id = TypeId::kUnion;
  EXPECT_EQ(find_type_family(list_of(unions)), nullptr);
  EXPECT_EQ(find_type_family(struct_of({{"a", unions}})), nullptr);
  DataType point = struct_of({{"x", type_of("float64")}, {"y", type_of("float64")}});
  point.extension = "geoarrow.point";
  EXPECT_EQ(find_type_family(list_of(point)), nullptr);
}

}  // namespace
}  // namespace headrace::test
