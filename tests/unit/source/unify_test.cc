#include "source/unify.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

DataType type_of(const std::string& name) {
  bool ok = false;
  DataType type = parse_type_name(name, &ok);
  EXPECT_TRUE(ok) << name;
  return type;
}

std::string common(const std::string& a, const std::string& b) {
  const auto forth = common_type(type_of(a), type_of(b));
  const auto back = common_type(type_of(b), type_of(a));
  EXPECT_EQ(forth.has_value(), back.has_value()) << a << " and " << b;
  if (forth && back) {
    EXPECT_EQ(type_name(*forth), type_name(*back));
  }
  return forth ? type_name(*forth) : "none";
}

TEST(CommonType, WidensWithoutLoss) {
  EXPECT_EQ(common("int8", "int64"), "int64");
  EXPECT_EQ(common("uint8", "int8"), "int16");
  EXPECT_EQ(common("uint32", "int32"), "int64");
  EXPECT_EQ(common("uint16", "uint64"), "uint64");
  EXPECT_EQ(common("float32", "float64"), "float64");
  EXPECT_EQ(common("float16", "float32"), "float32");
  EXPECT_EQ(common("int32", "float64"), "float64");
  EXPECT_EQ(common("null", "date32"), "date32");
  EXPECT_EQ(common("utf8", "large_utf8"), "large_utf8");
  EXPECT_EQ(common("utf8", "utf8_view"), "large_utf8");
  EXPECT_EQ(common("binary", "binary_view"), "large_binary");
  EXPECT_EQ(common("decimal64(10, 2)", "decimal64(12, 4)"), "decimal64(12, 4)");
  EXPECT_EQ(common("decimal64(18, 2)", "decimal64(12, 4)"), "decimal128(20, 4)");
  EXPECT_EQ(common("decimal32(9, 2)", "decimal128(15, 2)"), "decimal128(15, 2)");
  EXPECT_EQ(common("timestamp[ms]", "timestamp[us]"), "timestamp[us]");
  EXPECT_EQ(common("timestamp[us, tz=UTC]", "timestamp[us, tz=Europe/Berlin]"),
            "timestamp[us, tz=UTC]");
  EXPECT_EQ(common("time32[s]", "time64[ns]"), "time64[ns]");
}

TEST(CommonType, RefusesWhatWouldLose) {
  EXPECT_EQ(common("uint64", "int64"), "none");
  EXPECT_EQ(common("int64", "float64"), "none");
  EXPECT_EQ(common("int32", "float32"), "none");
  EXPECT_EQ(common("utf8", "int32"), "none");
  EXPECT_EQ(common("utf8", "binary"), "none");
  EXPECT_EQ(common("date32", "timestamp[us]"), "none");
  EXPECT_EQ(common("timestamp[us]", "timestamp[us, tz=UTC]"), "none");
  EXPECT_EQ(common("decimal256(76, 0)", "decimal128(10, 2)"), "none");
  EXPECT_EQ(common("bool", "int8"), "none");
}

FileSchema file(const std::string& uri,
                const std::vector<std::pair<std::string, std::string>>& columns) {
  FileSchema out{uri, {}};
  for (const auto& [name, type] : columns)
    out.schema.fields.push_back({name, type_of(type), false});
  return out;
}

std::vector<Partition> plain_partitions(size_t count) { return std::vector<Partition>(count); }

TEST(Unify, MatchesByNameAndFillsUp) {
  const auto unified = unify_schemas({file("a", {{"id", "int32"}, {"x", "utf8"}}),
                                      file("b", {{"y", "bool"}, {"id", "int64"}})},
                                     plain_partitions(2))
                           .value();
  ASSERT_EQ(unified.schema.fields.size(), 3u);
  EXPECT_EQ(unified.schema.fields[0], (Field{"id", type_of("int64"), false}));
  EXPECT_EQ(unified.schema.fields[1], (Field{"x", type_of("utf8"), true}));
  EXPECT_EQ(unified.schema.fields[2], (Field{"y", type_of("bool"), true}));
  EXPECT_EQ(unified.origins[1][0].position, 1);
  EXPECT_EQ(unified.origins[1][1].position, -1);
  EXPECT_EQ(unified.origins[1][2].position, 0);
}

TEST(Unify, ShowsEveryDifferenceWithBothFiles) {
  const auto unified = unify_schemas({file("one.parquet", {{"id", "int32"}, {"x", "utf8"}}),
                                      file("two.parquet", {{"id", "utf8"}, {"x", "date32"}})},
                                     plain_partitions(2));
  ASSERT_FALSE(unified.ok());
  EXPECT_EQ(unified.error().code, ErrorCode::kTypeMismatch);
  EXPECT_NE(unified.error().message.find("id: int32 in one.parquet, utf8 in two.parquet"),
            std::string::npos);
  EXPECT_NE(unified.error().message.find("x: utf8 in one.parquet, date32 in two.parquet"),
            std::string::npos);
}

TEST(Unify, ANameThatStandsTwice) {
  const auto two = file("a", {{"id", "int32"}, {"id", "int32"}});
  EXPECT_EQ(unify_schemas({two}, plain_partitions(1)).value().schema.fields.size(), 2u);
  EXPECT_EQ(unify_schemas({two, file("b", {{"id", "int32"}})}, plain_partitions(2)).error().code,
            ErrorCode::kTypeMismatch);
  EXPECT_EQ(unify_schemas({file("b", {{"id", "int32"}}), two}, plain_partitions(2)).error().code,
            ErrorCode::kTypeMismatch);
}

std::vector<Partition> hive(const std::vector<std::optional<std::string>>& values) {
  std::vector<Partition> out;
  for (const auto& value : values) out.emplace_back().hive = {{"p", value}};
  return out;
}

std::string hive_type(const std::vector<std::optional<std::string>>& values) {
  std::vector<FileSchema> files;
  for (size_t i = 0; i < values.size(); ++i)
    files.push_back(file(std::to_string(i), {{"a", "int32"}}));
  const auto unified = unify_schemas(files, hive(values)).value();
  EXPECT_TRUE(unified.origins[0].back().is_hive);
  const Field& field = unified.schema.fields.back();
  return type_name(field.type) + (field.nullable ? "" : " not null");
}

TEST(Unify, HiveColumns) {
  EXPECT_EQ(hive_type({"1", "-20"}), "int64 not null");
  EXPECT_EQ(hive_type({"1", std::nullopt}), "int64");
  EXPECT_EQ(hive_type({"01", "2"}), "dictionary<int32, utf8> not null");
  EXPECT_EQ(hive_type({"99999999999999999999"}), "dictionary<int32, utf8> not null");
  EXPECT_EQ(hive_type({std::nullopt}), "dictionary<int32, utf8>");
}

TEST(Unify, HiveFoldersMustAgree) {
  auto partitions = hive({"1", "2"});
  partitions[1].hive[0].first = "q";
  const std::vector<FileSchema> files = {file("a", {{"x", "int32"}}), file("b", {{"x", "int32"}})};
  EXPECT_EQ(unify_schemas(files, partitions).error().code, ErrorCode::kTypeMismatch);
  EXPECT_EQ(unify_schemas({file("a", {{"p", "int32"}})}, hive({"1"})).error().code,
            ErrorCode::kTypeMismatch);
}

}  // namespace
}  // namespace headrace
