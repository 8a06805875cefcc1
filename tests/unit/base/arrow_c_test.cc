#include "base/arrow_c.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

DataType decimal(int bits, int precision, int scale) {
  DataType t;
  t.id = TypeId::kDecimal;
  t.bit_width = bits;
  t.precision = precision;
  t.scale = scale;
  return t;
}

DataType timestamp(TimeUnit unit, std::string zone) {
  DataType t;
  t.id = TypeId::kTimestamp;
  t.unit = unit;
  t.timezone = std::move(zone);
  return t;
}

DataType simple(TypeId id) {
  DataType t;
  t.id = id;
  return t;
}

TEST(ArrowC, SchemaSurvivesTheRoundTrip) {
  DataType dictionary = simple(TypeId::kDictionary);
  dictionary.index_id = TypeId::kInt8;
  dictionary.children = {{"", simple(TypeId::kUtf8View), true}};
  DataType list = simple(TypeId::kList);
  list.children = {{"item", decimal(256, 60, 10), true}};
  DataType uuid = simple(TypeId::kFixedSizeBinary);
  uuid.byte_width = 16;
  uuid.extension = "arrow.uuid";
  const Schema schema{{{"a", decimal(128, 15, 2), false},
                       {"b", timestamp(TimeUnit::kNano, "Europe/Berlin"), true},
                       {"c", dictionary, true},
                       {"d", list, true},
                       {"e", uuid, false},
                       {"f", simple(TypeId::kIntervalMonthDayNano), true}}};
  OwnedSchema exported = schema_to_arrow(schema);
  auto back = schema_from_arrow(*exported.get());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, schema);
}

TEST(ArrowC, UnknownFormatIsAnErrorThatShowsIt) {
  ArrowSchema schema{};
  schema.format = "qq";
  schema.name = "x";
  auto field = field_from_arrow(schema);
  ASSERT_FALSE(field.ok());
  EXPECT_NE(field.error().message.find("qq"), std::string::npos);
}

TEST(ArrowC, TypeNamesParseBack) {
  for (const DataType& type : {decimal(64, 9, 3), timestamp(TimeUnit::kMilli, ""),
                               timestamp(TimeUnit::kMicro, "UTC"), simple(TypeId::kLargeBinary)}) {
    bool ok = false;
    EXPECT_EQ(parse_type_name(type_name(type), &ok), type) << type_name(type);
    EXPECT_TRUE(ok);
  }
  bool ok = true;
  parse_type_name("varchar2", &ok);
  EXPECT_FALSE(ok);
}

}  // namespace
}  // namespace headrace
