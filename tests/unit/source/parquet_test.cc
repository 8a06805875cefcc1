// Parquet through open_source(): every layout that a writer may choose gives the rows it was given.
#include <gtest/gtest.h>
#include <parquet/properties.h>

#include "unit/source/arrow_tables.h"

namespace headrace {
namespace {

using arrow::field;
using test::Column;
using test::error_of;
using test::names_and_types;
using test::request_of;
using test::Rows;
using test::rows_of;
using test::schema_of;
using test::table_of;
using test::TempFolder;
using test::write_parquet;

std::unique_ptr<Source> open_one(const std::string& path) {
  auto source = open_source(request_of({path}));
  EXPECT_TRUE(source.ok()) << source.error().message;
  return std::move(*source);
}

std::shared_ptr<arrow::Table> small_table() {
  return table_of({{field("id", arrow::int64(), false), "[1, 2, 3, 4, 5]"},
                   {field("name", arrow::utf8()), R"(["a", null, "c", "a", ""])"},
                   {field("price", arrow::decimal128(9, 2)),
                    R"(["1.50", "2.00", null, "-0.01", "9999999.99"])"}});
}

TEST(Parquet, FactsAndRows) {
  TempFolder folder;
  const std::string path = folder.at("a.parquet");
  auto properties = parquet::WriterProperties::Builder()
                        .enable_store_decimal_as_integer()
                        ->compression(parquet::Compression::SNAPPY)
                        ->build();
  write_parquet(path, *small_table(), 2, properties);
  auto source = open_one(path);
  const SourceFacts& facts = source->facts();
  EXPECT_EQ(facts.format, "parquet");
  EXPECT_EQ(names_and_types(facts.schema),
            "id int64 not null, name dictionary<int32, utf8>, price decimal32(9, 2)");
  EXPECT_EQ(facts.row_count, 5);
  EXPECT_TRUE(facts.row_count_is_exact);
  EXPECT_EQ(facts.byte_count, static_cast<int64_t>(std::filesystem::file_size(path)));
  ASSERT_EQ(facts.partitions.size(), 3u);
  EXPECT_EQ(facts.partitions[2].first_row, 4);
  EXPECT_EQ(facts.partitions[2].row_count, 1);
  EXPECT_EQ(facts.partitions[2].row_groups, std::vector<int>{2});
  EXPECT_GT(facts.partitions[2].byte_count, 0);
  ASSERT_EQ(facts.columns.size(), 3u);
  EXPECT_EQ(facts.columns[0].physical_type, "INT64");
  EXPECT_EQ(facts.columns[0].compression, "snappy");
  EXPECT_EQ(facts.columns[0].min, "1");
  EXPECT_EQ(facts.columns[0].max, "5");
  EXPECT_EQ(facts.columns[1].null_count, 1);
  EXPECT_TRUE(facts.columns[1].all_dictionary);
  EXPECT_EQ(facts.columns[2].min, "-0.01");
  EXPECT_EQ(facts.columns[2].max, "9999999.99");
  EXPECT_EQ(rows_of(request_of({path}), 1),
            (Rows{"1|a|1.50", "2|NULL|2.00", "3|c|NULL", "4|a|-0.01", "5||9999999.99"}));
  EXPECT_EQ(rows_of(request_of({path})), rows_of(request_of({path}), 1));
}

TEST(Parquet, ChosenColumnsInAnyKindOfReader) {
  TempFolder folder;
  const std::string path = folder.at("a.parquet");
  write_parquet(path, *table_of({{field("a", arrow::int32()), "[1, 2]"},
                                 {field("b", arrow::list(arrow::int32())), "[[1], null]"},
                                 {field("c", arrow::utf8()), R"(["x", "y"])"},
                                 {field("d", arrow::float64()), "[0.5, 1.5]"}}));
  auto source = open_one(path);
  ReadOptions options;
  const auto rows = [&](std::vector<int> columns) {
    options.columns = std::move(columns);
    return test::read_rows(*source, options).value();
  };
  EXPECT_EQ(rows({1, 3}), (Rows{"list<element: int32>[1]|0.5", "NULL|1.5"}));
  EXPECT_EQ(rows({2}), (Rows{"x", "y"}));
  EXPECT_EQ(rows({0, 2}), (Rows{"1|x", "2|y"}));
}

TEST(Parquet, DictionariesOnlyWhereAllRowGroupsHaveSmallOnes) {
  TempFolder folder;
  arrow::StringBuilder few, many;
  for (int i = 0; i < 20000; ++i) {
    ASSERT_TRUE(few.Append(i % 3 == 0 ? "odd" : "even").ok());
    ASSERT_TRUE(
        many.Append("a value that is long and unlike any other " + std::to_string(i * 7919)).ok());
  }
  auto table =
      arrow::Table::Make(arrow::schema({field("few", arrow::utf8()), field("many", arrow::utf8())}),
                         {few.Finish().ValueOrDie(), many.Finish().ValueOrDie()});
  write_parquet(folder.at("a/1.parquet"), *table, 5000);
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path() + "/a"}))),
            "few dictionary<int32, utf8>, many large_utf8");
  // One file without dictionary is enough for plain text everywhere.
  auto plain = parquet::WriterProperties::Builder().disable_dictionary()->build();
  write_parquet(folder.at("a/2.parquet"), *table, 5000, plain);
  auto source = open_one(folder.path() + "/a");
  EXPECT_EQ(names_and_types(source->facts().schema), "few large_utf8, many large_utf8");
  EXPECT_FALSE(source->facts().columns[0].all_dictionary);
  const auto rows = rows_of(request_of({folder.path() + "/a"}), 3000);
  ASSERT_EQ(rows.size(), 40000u);
  EXPECT_EQ(rows[20003], "odd|a value that is long and unlike any other 23757");
}

TEST(Parquet, ColumnThatFallsBackFromItsDictionary) {
  TempFolder folder;
  arrow::StringBuilder values;
  for (int i = 0; i < 30000; ++i) ASSERT_TRUE(values.Append("v" + std::to_string(i)).ok());
  auto table = arrow::Table::Make(arrow::schema({field("v", arrow::utf8())}),
                                  {values.Finish().ValueOrDie()});
  auto small = parquet::WriterProperties::Builder()
                   .dictionary_pagesize_limit(1000)
                   ->data_pagesize(2000)
                   ->write_batch_size(100)
                   ->build();
  write_parquet(folder.at("a.parquet"), *table, 1 << 20, small);
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))), "v large_utf8");
  const auto rows = rows_of(request_of({folder.path()}), 777);
  ASSERT_EQ(rows.size(), 30000u);
  for (size_t i = 0; i < rows.size(); i += 997) EXPECT_EQ(rows[i], "v" + std::to_string(i));
}

TEST(Parquet, TextTypesOfTheWriterDoNotMatter) {
  TempFolder folder;
  auto plain = parquet::WriterProperties::Builder().disable_dictionary()->build();
  const auto table =
      table_of({{field("u", arrow::utf8()), R"(["a", null])"},
                {field("l", arrow::large_utf8()), R"(["b", null])"},
                {field("v", arrow::utf8_view()), R"([null, "a text longer than twelve bytes"])"},
                {field("d", arrow::dictionary(arrow::int8(), arrow::utf8())), R"(["x", "y"])"},
                {field("b", arrow::binary_view()), R"(["x", "y"])"}});
  write_parquet(folder.at("a.parquet"), *table, 100, plain);
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))),
            "u large_utf8, l large_utf8, v large_utf8, d large_utf8, b large_binary");
  EXPECT_EQ(rows_of(request_of({folder.path()})),
            (Rows{"a|b|NULL|x|x", "NULL|NULL|a text longer than twelve bytes|y|y"}));
}

TEST(Parquet, NestedColumnsArriveIntact) {
  TempFolder folder;
  const auto item = arrow::struct_({field("x", arrow::int32()), field("s", arrow::utf8())});
  const auto table = table_of(
      {{field("l", arrow::list(arrow::large_utf8())), R"([["a", null], [], null])"},
       {field("s", item), R"([{"x": 1, "s": "one"}, null, {"x": null, "s": "three"}])"},
       {field("ls", arrow::list(item)), R"([[{"x": 1, "s": "p"}, null], null, []])"},
       {field("m", arrow::map(arrow::utf8(), arrow::int64())), R"([[["k", 1]], null, []])"},
       {field("id", arrow::int8()), "[1, null, 3]"}});
  write_parquet(folder.at("a.parquet"), *table, 2);
  auto source = open_one(folder.path());
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const Partition& partition : source->facts().partitions) {
    const auto read =
        test::read_partition(*source, partition, test::all_columns(source->facts(), 1)).value();
    batches.insert(batches.end(), read.begin(), read.end());
  }
  ASSERT_EQ(batches.size(), 3u);
  for (int c = 0; c < table->num_columns(); ++c) {
    for (int64_t row = 0; row < 3; ++row) {
      const auto wanted = table->column(c)->GetScalar(row).ValueOrDie();
      const auto got = batches[static_cast<size_t>(row)]->column(c)->GetScalar(0).ValueOrDie();
      EXPECT_EQ(got->is_valid, wanted->is_valid);
      if (got->is_valid && c != 0 && c != 2) {
        EXPECT_EQ(got->ToString(), wanted->ToString()) << c << " " << row;
      }
    }
  }
  EXPECT_EQ(batches[0]->column(0)->GetScalar(0).ValueOrDie()->ToString(),
            "list<element: large_string>[a, null]");
  EXPECT_EQ(source->facts().columns[0].physical_type, "nested");
}

TEST(Parquet, EmptyFilesAndRowGroups) {
  TempFolder folder;
  const auto empty =
      table_of({{field("id", arrow::int64()), "[]"}, {field("t", arrow::utf8()), "[]"}});
  write_parquet(folder.at("a.parquet"), *empty);
  EXPECT_EQ(rows_of(request_of({folder.path()})), Rows{});
  auto source = open_one(folder.path());
  EXPECT_EQ(source->facts().row_count, 0);
  EXPECT_TRUE(source->facts().partitions.empty());
  write_parquet(folder.at("b.parquet"), *table_of({{field("id", arrow::int64()), "[7]"},
                                                   {field("t", arrow::utf8()), R"(["x"])"}}));
  EXPECT_EQ(rows_of(request_of({folder.path()})), Rows{"7|x"});
}

TEST(Parquet, OnlyNulls) {
  TempFolder folder;
  write_parquet(folder.at("a.parquet"),
                *table_of({{field("i", arrow::int32()), "[null, null]"},
                           {field("t", arrow::utf8()), "[null, null]"},
                           {field("n", arrow::null()), "[null, null]"},
                           {field("b", arrow::boolean()), "[null, null]"},
                           {field("d", arrow::decimal128(20, 3)), "[null, null]"}}));
  EXPECT_EQ(rows_of(request_of({folder.path()})),
            (Rows{"NULL|NULL|NULL|NULL|NULL", "NULL|NULL|NULL|NULL|NULL"}));
}

TEST(Parquet, DamagedFilesSaySo) {
  TempFolder folder;
  const std::string path = folder.at("a.parquet");
  write_parquet(path, *small_table());
  const std::string whole = TempFolder::read(path);
  const auto error = [&](const std::string& name, const std::string& content) {
    Error e = error_of(request_of({folder.write(name, content)}));
    EXPECT_EQ(e.where.file, folder.at(name));
    return e;
  };
  EXPECT_NE(error("zero.parquet", "").message.find("is empty (0 bytes)"), std::string::npos);
  EXPECT_NE(error("cut.parquet", whole.substr(0, whole.size() - 20)).message.find("is cut off"),
            std::string::npos);
  EXPECT_NE(error("text.parquet", "id,name\n1,this is a CSV file\n")
                .message.find("is not a Parquet file"),
            std::string::npos);
  EXPECT_NE(error("short.parquet", "PAR1").message.find("is not a Parquet file"),
            std::string::npos);
  EXPECT_EQ(error("locked.parquet", whole.substr(0, whole.size() - 4) + "PARE").code,
            ErrorCode::kUnsupported);
  std::string footer = whole;
  footer[whole.size() - 12] ^= '\x7f';
  footer[whole.size() - 40] ^= '\x7f';
  for (size_t i = whole.size() - 300; i < whole.size() - 200; ++i) footer[i] = '\xff';
  EXPECT_EQ(error("footer.parquet", footer).code, ErrorCode::kSource);
  std::string pages = whole;
  for (size_t i = 4; i < 40; ++i) pages[i] = '\xff';
  EXPECT_EQ(error("pages.parquet", pages).code, ErrorCode::kSource);
  std::string length = whole;
  length[whole.size() - 5] = '\x7f';
  EXPECT_EQ(error("length.parquet", length).code, ErrorCode::kSource);
}

TEST(Parquet, ChecksumsOfPagesAreChecked) {
  TempFolder folder;
  const auto properties = parquet::WriterProperties::Builder()
                              .enable_page_checksum()
                              ->disable_dictionary()
                              ->compression(parquet::Compression::UNCOMPRESSED)
                              ->build();
  // One column for each of the two readers.
  for (const auto& type : {arrow::utf8(), arrow::list(arrow::utf8())}) {
    const bool list = type->id() == arrow::Type::LIST;
    const auto table = table_of({{field("t", type), list ? R"([["needle"]])" : R"(["needle"])"}});
    const std::string path = folder.at("a.parquet");
    write_parquet(path, *table, 100, properties);
    EXPECT_EQ(rows_of(request_of({path})).size(), 1u);
    std::string content = TempFolder::read(path);
    content[content.find("needle")] = 'N';
    EXPECT_EQ(error_of(request_of({folder.write("a.parquet", content)})).code, ErrorCode::kSource);
  }
}

TEST(Parquet, AFileThatChangesBetweenPlanAndLoad) {
  TempFolder folder;
  const std::string path = folder.at("a.parquet");
  write_parquet(path, *small_table());
  auto source = open_one(path);
  folder.write("a.parquet", "something else");
  auto reader = source->open(source->facts().partitions[0], test::all_columns(source->facts()));
  ASSERT_FALSE(reader.ok());
  EXPECT_NE(reader.error().message.find("changed"), std::string::npos);
}

TEST(Parquet, HiveColumnsAreAppended) {
  TempFolder folder;
  write_parquet(folder.at("year=2024/kind=a b/x.parquet"),
                *table_of({{field("id", arrow::int64()), "[1, 2]"}}), 1);
  write_parquet(folder.at("year=2025/kind=__HIVE_DEFAULT_PARTITION__/x.parquet"),
                *table_of({{field("id", arrow::int64()), "[3]"}}));
  folder.write("_SUCCESS", "");
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))),
            "id int64, year int64 not null, kind dictionary<int32, utf8>");
  EXPECT_EQ(rows_of(request_of({folder.path()}), 1),
            (Rows{"1|2024|a b", "2|2024|a b", "3|2025|NULL"}));
  // Only the folders' columns: rows are counted by the footer.
  auto source = open_one(folder.path());
  ReadOptions options;
  options.columns = {2};
  EXPECT_EQ(test::read_rows(*source, options).value(), (Rows{"a b", "a b", "NULL"}));
}

TEST(Parquet, FilesOfDifferentSchemas) {
  TempFolder folder;
  write_parquet(folder.at("1.parquet"),
                *table_of({{field("id", arrow::int32(), false), "[1, 2]"},
                           {field("v", arrow::float32()), "[0.5, null]"},
                           {field("n", arrow::null()), "[null, null]"},
                           {field("d", arrow::decimal128(9, 2)), R"(["1.25", "2.50"])"}}));
  write_parquet(folder.at("2.parquet"),
                *table_of({{field("t", arrow::list(arrow::utf8())), R"([["x"]])"},
                           {field("d", arrow::decimal128(20, 3)), R"(["3.125"])"},
                           {field("n", arrow::date32()), "[1]"},
                           {field("v", arrow::float64()), "[0.1]"},
                           {field("id", arrow::int64(), false), "[9000000000]"}}));
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))),
            "id int64 not null, v float64, n date32, d decimal128(20, 3), t list<element: utf8>");
  EXPECT_EQ(rows_of(request_of({folder.path()})),
            (Rows{"1|0.5|NULL|1.250|NULL", "2|NULL|NULL|2.500|NULL",
                  "9000000000|0.1|1970-01-02|3.125|list<element: string>[x]"}));
  write_parquet(folder.at("3.parquet"), *table_of({{field("id", arrow::utf8()), R"(["x"])"}}));
  const Error error = error_of(request_of({folder.path()}));
  EXPECT_EQ(error.code, ErrorCode::kTypeMismatch);
  EXPECT_NE(error.message.find("3.parquet"), std::string::npos);
}

TEST(Parquet, Int96) {
  TempFolder folder;
  const auto type = arrow::timestamp(arrow::TimeUnit::NANO);
  write_parquet(folder.at("a.parquet"),
                *table_of({{field("t", type),
                            R"(["2024-05-06 07:08:09.123456", null, "1969-12-31 23:59:59"])"}}),
                100, parquet::default_writer_properties(), /*store_schema=*/false, /*int96=*/true);
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))), "t timestamp[us]");
  EXPECT_EQ(rows_of(request_of({folder.path()})),
            (Rows{"2024-05-06 07:08:09.123456", "NULL", "1969-12-31 23:59:59.000000"}));
  // Nanoseconds are reported, not dropped.
  write_parquet(folder.at("a.parquet"),
                *table_of({{field("t", type), R"([null, "2024-05-06 07:08:09.123456789"])"}}), 100,
                parquet::default_writer_properties(), true, true);
  const Error error = error_of(request_of({folder.path()}));
  EXPECT_EQ(error.code, ErrorCode::kRejectedValue);
  EXPECT_EQ(error.where.row, 2);
  EXPECT_EQ(error.where.column, "t");
}

TEST(Parquet, EveryCompression) {
  TempFolder folder;
  for (const auto codec : {parquet::Compression::UNCOMPRESSED, parquet::Compression::SNAPPY,
                           parquet::Compression::GZIP, parquet::Compression::BROTLI,
                           parquet::Compression::ZSTD, parquet::Compression::LZ4}) {
    write_parquet(folder.at("a.parquet"), *small_table(), 2,
                  parquet::WriterProperties::Builder().compression(codec)->build());
    EXPECT_EQ(rows_of(request_of({folder.path()})).size(), 5u);
  }
}

TEST(Parquet, TypesOutsideTheFlatReader) {
  TempFolder folder;
  write_parquet(
      folder.at("a.parquet"),
      *table_of(
          {{field("big", arrow::decimal256(50, 1)),
            R"(["123456789012345678901234567890.5", null])"},
           {field("wide", arrow::decimal128(30, 2)), R"(["-1.25", null])"},
           {field("half", arrow::float16()), "[1.5, null]"},
           {field("time", arrow::time64(arrow::TimeUnit::NANO)), "[1, null]"},
           {field("seconds", arrow::timestamp(arrow::TimeUnit::SECOND)), "[1, null]"},
           {field("zoned", arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Berlin")), "[1, null]"},
           {field("took", arrow::duration(arrow::TimeUnit::MILLI)), "[1, null]"},
           {field("fixed", arrow::fixed_size_binary(3)), R"(["abc", null])"},
           {field("u32", arrow::uint32()), "[4294967295, null]"}}));
  EXPECT_EQ(names_and_types(schema_of(request_of({folder.path()}))),
            "big decimal256(50, 1), wide decimal128(30, 2), half float16, time time64[ns], seconds "
            "timestamp[ms], "
            "zoned timestamp[us, tz=Europe/Berlin], took duration[ms], fixed fixed_size_binary[3], "
            "u32 uint32");
  const Rows rows = rows_of(request_of({folder.path()}));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].substr(0, 43), "123456789012345678901234567890.5|-1.25|1.5|");
  EXPECT_EQ(rows[1], "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL");
}

TEST(Parquet, LongValuesMakeSmallBatches) {
  TempFolder folder;
  arrow::StringBuilder values;
  const std::string text(2 << 20, 'x');
  for (int i = 0; i < 24; ++i) ASSERT_TRUE(values.Append(text + std::to_string(i)).ok());
  auto table = arrow::Table::Make(arrow::schema({field("v", arrow::utf8())}),
                                  {values.Finish().ValueOrDie()});
  write_parquet(folder.at("a.parquet"), *table, 1 << 20,
                parquet::WriterProperties::Builder().disable_dictionary()->build());
  auto source = open_one(folder.path());
  auto reader =
      source->open(source->facts().partitions[0], test::all_columns(source->facts(), 16384))
          .value();
  int64_t rows = 0;
  while (auto batch = reader->next().value()) {
    EXPECT_LE(batch->byte_count, 40 << 20);
    EXPECT_GE(batch->byte_count, batch->row_count() * (2 << 20));
    rows += batch->row_count();
  }
  EXPECT_EQ(rows, 24);
}

TEST(Parquet, NotFromStandardInput) {
  test::PipedInput input("PAR1 and so on, long enough");
  EXPECT_EQ(error_of(request_of({"-"})).code, ErrorCode::kUnsupported);
  char rest[100];
  EXPECT_GT(read(STDIN_FILENO, rest, sizeof rest), 0);
}

}  // namespace
}  // namespace headrace
