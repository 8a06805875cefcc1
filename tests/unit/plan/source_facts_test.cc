#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "headrace/facts.h"

namespace headrace {
namespace {

using Json = nlohmann::ordered_json;

SourceFacts parquet_facts() {
  SourceFacts facts;
  facts.uri = "d";
  facts.format = "parquet";
  Field id{"id", {}, false};
  id.type.id = TypeId::kInt64;
  Field name{"na\x1Bme", {}, true};
  name.type.id = TypeId::kUtf8;
  facts.schema.fields = {id, name};
  ColumnFacts column;
  column.physical_type = "INT64";
  column.encodings = {"PLAIN", "RLE"};
  column.compression = "ZSTD";
  column.compressed_bytes = 1500;
  column.uncompressed_bytes = 3000;
  column.null_count = 0;
  column.min = "1";
  column.max = "a value of more than twenty-four letters";
  facts.columns = {column, {}};
  facts.partitions = {{0, "d/year=1/a.parquet", {0}, 0, 1000, 1500, {{"year", "1"}}},
                      {1, "d/year=2/b.parquet", {0}, -1, -1, -1, {{"year", {}}}}};
  facts.files = {"d/year=1/a.parquet", "d/year=2/b.parquet"};
  facts.row_count = 12345;
  facts.row_count_is_exact = true;
  facts.byte_count = 1500;
  return facts;
}

TEST(SourceFactsText, Parquet) {
  EXPECT_EQ(parquet_facts().to_text(),
            "source      d\n"
            "format      parquet\n"
            "rows        12,345\n"
            "size        1.5 kB\n"
            "files       2\n"
            "\n"
            "columns\n"
            "  #  column    type   null      stored as  encodings   compression  stored   plain"
            "  nulls  min  max\n"
            "  1  id        int64  not null  INT64      PLAIN, RLE  ZSTD         1.5 kB  3.0 kB"
            "      0  1    a value of more than ...\n"
            "  2  na\\x1bme  utf8   null\n"
            "\n"
            "partitions\n"
            "  #  file                row group  first row   rows   bytes  folders\n"
            "  0  d/year=1/a.parquet  0                  0  1,000  1.5 kB  year=1\n"
            "  1  d/year=2/b.parquet  0                                    year=NULL\n");
}

TEST(SourceFactsText, UnknownStatisticsAreLeftOut) {
  SourceFacts facts = parquet_facts();
  facts.columns.clear();
  facts.row_count = facts.byte_count = -1;
  const std::string text = facts.to_text();
  EXPECT_EQ(text.find("compression"), std::string::npos);
  EXPECT_NE(text.find("rows        not known\n"), std::string::npos);
}

TEST(SourceFactsText, LongListsAreCut) {
  SourceFacts facts = parquet_facts();
  facts.partitions.assign(1020, Partition{});
  EXPECT_NE(facts.to_text().find("  ... and 1,000 more\n"), std::string::npos);
  EXPECT_EQ(Json::parse(facts.to_json())["partitions"].size(), 1020u);
}

TEST(SourceFactsJson, Fields) {
  const Json json = Json::parse(parquet_facts().to_json());
  EXPECT_EQ(json["row_count"], 12345);
  EXPECT_EQ(json["columns"][0]["type"], "int64");
  EXPECT_EQ(json["columns"][0]["encodings"], Json::array({"PLAIN", "RLE"}));
  EXPECT_EQ(json["columns"][0]["max"], "a value of more than twenty-four letters");
  EXPECT_TRUE(json["columns"][1]["null_count"].is_null());
  EXPECT_TRUE(json["partitions"][1]["row_count"].is_null());
  EXPECT_TRUE(json["partitions"][1]["hive"]["year"].is_null());
  EXPECT_EQ(json["partitions"][0]["hive"]["year"], "1");
}

TEST(SourceFactsJson, BytesThatAreNotUtf8DoNotThrow) {
  SourceFacts facts = parquet_facts();
  facts.files = {"\xFF"};
  facts.columns[0].min = "\xFF";
  EXPECT_TRUE(Json::accept(facts.to_json()));
}

}  // namespace
}  // namespace headrace
