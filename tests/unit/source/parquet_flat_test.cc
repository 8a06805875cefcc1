// The flat reader against Arrow's own: the same values for every type it reads, whatever the pages,
// dictionaries, NULLs and batch sizes.
#include "source/parquet_flat.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>

#include <random>

namespace headrace {
namespace {

struct Layout {
  int64_t page_bytes;
  bool dictionary;
  bool nulls;
  int64_t row_group_rows;
  parquet::ParquetDataPageVersion page_version;
};

// A random column: values by `append(builder, random number)`.
template <typename Builder, typename Append>
std::shared_ptr<arrow::Array> column(std::shared_ptr<arrow::DataType> type, int64_t rows, bool nulls,
                                     uint32_t seed, const Append& append) {
  std::mt19937 random(seed);
  auto builder = arrow::MakeBuilder(type).ValueOrDie();
  auto& typed = static_cast<Builder&>(*builder);
  for (int64_t i = 0; i < rows; ++i) {
    // Runs of NULLs as well as single ones.
    const bool null = nulls && (random() % 7 == 0 || (i / 500) % 4 == 1);
    const auto status = null ? typed.AppendNull() : append(typed, random());
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  return builder->Finish().ValueOrDie();
}

std::shared_ptr<arrow::Table> random_table(int64_t rows, bool nulls) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  const auto add = [&](const char* name, std::shared_ptr<arrow::Array> array) {
    fields.push_back(arrow::field(name, array->type(), nulls));
    columns.push_back(std::move(array));
  };
  uint32_t seed = 1;
  const auto numbers = [&]<typename B>(const char* name, std::shared_ptr<arrow::DataType> type, B*) {
    add(name, column<B>(type, rows, nulls, seed++, [](B& b, uint32_t r) {
          return b.Append(static_cast<typename B::value_type>(static_cast<int64_t>(r) - (1LL << 31)));
        }));
  };
  numbers("i8", arrow::int8(), static_cast<arrow::Int8Builder*>(nullptr));
  numbers("i16", arrow::int16(), static_cast<arrow::Int16Builder*>(nullptr));
  numbers("i32", arrow::int32(), static_cast<arrow::Int32Builder*>(nullptr));
  numbers("i64", arrow::int64(), static_cast<arrow::Int64Builder*>(nullptr));
  numbers("u8", arrow::uint8(), static_cast<arrow::UInt8Builder*>(nullptr));
  numbers("u16", arrow::uint16(), static_cast<arrow::UInt16Builder*>(nullptr));
  numbers("u32", arrow::uint32(), static_cast<arrow::UInt32Builder*>(nullptr));
  numbers("u64", arrow::uint64(), static_cast<arrow::UInt64Builder*>(nullptr));
  numbers("f32", arrow::float32(), static_cast<arrow::FloatBuilder*>(nullptr));
  numbers("f64", arrow::float64(), static_cast<arrow::DoubleBuilder*>(nullptr));
  numbers("date", arrow::date32(), static_cast<arrow::Date32Builder*>(nullptr));
  numbers("ts_us", arrow::timestamp(arrow::TimeUnit::MICRO), static_cast<arrow::TimestampBuilder*>(nullptr));
  numbers("ts_ns", arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), static_cast<arrow::TimestampBuilder*>(nullptr));
  add("bool", column<arrow::BooleanBuilder>(arrow::boolean(), rows, nulls, seed++,
                                            [](auto& b, uint32_t r) { return b.Append(r % 3 == 0); }));
  for (const auto& [name, type] : {std::pair{"dec9", arrow::decimal128(9, 2)}, {"dec15", arrow::decimal128(15, 4)}}) {
    add(name, column<arrow::Decimal128Builder>(type, rows, nulls, seed++, [](auto& b, uint32_t r) {
          return b.Append(arrow::Decimal128(static_cast<int64_t>(r % 1000000000) - 500000000));
        }));
  }
  const auto text = [](auto& b, uint32_t r) { return b.Append(std::string(r % 40, static_cast<char>('a' + r % 26))); };
  add("utf8", column<arrow::StringBuilder>(arrow::utf8(), rows, nulls, seed++, text));
  add("large", column<arrow::LargeStringBuilder>(arrow::large_utf8(), rows, nulls, seed++, text));
  add("view", column<arrow::StringViewBuilder>(arrow::utf8_view(), rows, nulls, seed++, text));
  add("few", column<arrow::StringBuilder>(arrow::utf8(), rows, nulls, seed++,
                                          [](auto& b, uint32_t r) { return b.Append(r % 2 ? "odd" : "even"); }));
  add("bin", column<arrow::BinaryBuilder>(arrow::binary(), rows, nulls, seed++, text));
  add("fixed", column<arrow::FixedSizeBinaryBuilder>(arrow::fixed_size_binary(5), rows, nulls, seed++,
                                                     [](auto& b, uint32_t r) { return b.Append(std::string(5, static_cast<char>(r))); }));
  return arrow::Table::Make(arrow::schema(fields), columns, rows);
}

std::shared_ptr<arrow::Buffer> write(const arrow::Table& table, const Layout& layout) {
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  parquet::WriterProperties::Builder properties;
  properties.data_pagesize(layout.page_bytes)->data_page_version(layout.page_version)->compression(parquet::Compression::SNAPPY);
  properties.write_batch_size(64);
  if (!layout.dictionary) properties.disable_dictionary();
  properties.enable_store_decimal_as_integer();
  auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  EXPECT_TRUE(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, layout.row_group_rows,
                                         properties.build(), arrow_properties).ok());
  return out->Finish().ValueOrDie();
}

// Every value as text, row by row; types that differ only in width read alike.
std::vector<std::string> texts(const arrow::Array& array) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < array.length(); ++i) {
    auto scalar = array.GetScalar(i).ValueOrDie();
    out.push_back(scalar->is_valid ? scalar->ToString() : "NULL");
  }
  return out;
}

void expect_same(const Layout& layout, int64_t rows, int64_t batch_rows) {
  auto table = random_table(rows, layout.nulls);
  auto buffer = write(*table, layout);
  auto file = parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(buffer));
  std::vector<FlatColumn> columns;
  ArrowSchema c_schema;
  ASSERT_TRUE(arrow::ExportSchema(*table->schema(), &c_schema).ok());
  OwnedSchema owned(&c_schema);
  const Schema schema = schema_from_arrow(*owned.get()).value();
  Schema flat_schema;
  for (int i = 0; i < file->metadata()->num_columns(); ++i) {
    auto field = flat_field(*file->metadata()->schema()->Column(i), schema.fields[static_cast<size_t>(i)]);
    ASSERT_TRUE(field.has_value()) << schema.fields[static_cast<size_t>(i)].name;
    columns.push_back({i, *field});
    flat_schema.fields.push_back(*field);
  }
  Partition partition;
  for (int g = 0; g < file->metadata()->num_row_groups(); ++g) partition.row_groups.push_back(g);
  auto reader = open_flat_reader(std::move(file), partition, columns, 0, batch_rows, std::make_shared<SlabPool>());
  ASSERT_TRUE(reader.ok());
  OwnedSchema flat_c_schema = schema_to_arrow(flat_schema);
  auto arrow_schema = arrow::ImportSchema(flat_c_schema.get()).ValueOrDie();
  int64_t at = 0;
  for (;;) {
    auto batch = (*reader)->next();
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    if (*batch == nullptr) break;
    EXPECT_EQ((*batch)->partition_row, at);
    // The children belong to the parent: import copies nothing and releases the whole.
    auto imported = arrow::ImportRecordBatch((*batch)->array.get(), arrow_schema).ValueOrDie();
    ASSERT_TRUE(imported->ValidateFull().ok());
    for (int c = 0; c < imported->num_columns(); ++c) {
      auto wanted = arrow::Concatenate(table->column(c)->Slice(at, imported->num_rows())->chunks()).ValueOrDie();
      ASSERT_EQ(texts(*imported->column(c)), texts(*wanted)) << table->field(c)->name() << " at row " << at;
    }
    at += imported->num_rows();
  }
  EXPECT_EQ(at, rows);
}

using parquet::ParquetDataPageVersion;

TEST(ParquetFlat, RequiredColumns) { expect_same({1 << 20, true, false, 10000, ParquetDataPageVersion::V1}, 5000, 1024); }
TEST(ParquetFlat, NullsInRuns) { expect_same({1 << 20, true, true, 10000, ParquetDataPageVersion::V1}, 5000, 1024); }
TEST(ParquetFlat, SmallPages) { expect_same({512, true, true, 10000, ParquetDataPageVersion::V1}, 5000, 1000); }
TEST(ParquetFlat, PlainEncoding) { expect_same({2048, false, true, 10000, ParquetDataPageVersion::V1}, 3000, 777); }
TEST(ParquetFlat, PagesOfVersion2) { expect_same({2048, true, true, 10000, ParquetDataPageVersion::V2}, 3000, 777); }
TEST(ParquetFlat, SeveralRowGroups) { expect_same({4096, true, true, 700, ParquetDataPageVersion::V1}, 3000, 256); }
TEST(ParquetFlat, OneRowBatches) { expect_same({4096, true, true, 100, ParquetDataPageVersion::V1}, 150, 1); }

}  // namespace
}  // namespace headrace
