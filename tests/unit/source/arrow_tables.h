// Arrow C++ tables for tests of file sources: from JSON, into files, and back out of a Source.
#pragma once

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <string>
#include <vector>

#include "unit/source/temp_folder.h"

namespace headrace::test {

struct Column {
  std::shared_ptr<arrow::Field> field;
  std::string json;
};

inline std::shared_ptr<arrow::Table> table_of(const std::vector<Column>& columns) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const Column& column : columns) {
    fields.push_back(column.field);
    arrays.push_back(
        arrow::json::ArrayFromJSONString(column.field->type(), column.json).ValueOrDie());
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

inline void write_parquet(
    const std::string& path, const arrow::Table& table, int64_t row_group_rows = 1 << 20,
    std::shared_ptr<parquet::WriterProperties> properties = parquet::default_writer_properties(),
    bool store_schema = true, bool int96 = false) {
  auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  parquet::ArrowWriterProperties::Builder arrow_properties;
  if (store_schema) arrow_properties.store_schema();
  if (int96) arrow_properties.enable_deprecated_int96_timestamps();
  const auto status =
      parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, row_group_rows,
                                 properties, arrow_properties.build());
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_TRUE(out->Close().ok());
}

inline void write_ipc(const std::string& path, const arrow::Table& table, bool footer,
                      int64_t chunk_rows = 1 << 20,
                      arrow::Compression::type compression = arrow::Compression::UNCOMPRESSED) {
  auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = arrow::util::Codec::Create(compression).ValueOrDie();
  auto writer = (footer ? arrow::ipc::MakeFileWriter(out, table.schema(), options)
                        : arrow::ipc::MakeStreamWriter(out, table.schema(), options))
                    .ValueOrDie();
  ASSERT_TRUE(writer->WriteTable(table, chunk_rows).ok());
  ASSERT_TRUE(writer->Close().ok());
  ASSERT_TRUE(out->Close().ok());
}

// All rows of one partition; every batch is checked against the contract of BatchReader.
inline Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> read_partition(
    Source& source, const Partition& partition, const ReadOptions& options) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> out;
  HEADRACE_ASSIGN(auto reader, source.open(partition, options));
  int64_t row = -1;
  for (;;) {
    HEADRACE_ASSIGN(auto batch, reader->next());
    if (batch == nullptr) return out;
    EXPECT_GT(batch->row_count(), 0);
    EXPECT_LE(batch->row_count(), options.batch_rows);
    EXPECT_EQ(batch->partition, partition.index);
    if (row >= 0) {
      EXPECT_EQ(batch->partition_row, row);
    }
    row = batch->partition_row + batch->row_count();
    Schema expected;
    for (int column : options.columns)
      expected.fields.push_back(source.facts().schema.fields[static_cast<size_t>(column)]);
    EXPECT_EQ(names_and_types(*batch->schema), names_and_types(expected));
    OwnedSchema c_schema = schema_to_arrow(*batch->schema);
    auto imported = arrow::ImportRecordBatch(batch->array.get(), c_schema.get()).ValueOrDie();
    const auto status = imported->ValidateFull();
    EXPECT_TRUE(status.ok()) << status.ToString();
    out.push_back(std::move(imported));
  }
}

// Rows as text, "1|a|NULL", over all partitions.
inline Result<std::vector<std::string>> read_rows(Source& source, const ReadOptions& options) {
  std::vector<std::string> rows;
  for (const Partition& partition : source.facts().partitions) {
    HEADRACE_ASSIGN(const auto batches, read_partition(source, partition, options));
    for (const auto& batch : batches) {
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        std::string row;
        for (int c = 0; c < batch->num_columns(); ++c) {
          auto scalar = batch->column(c)->GetScalar(i).ValueOrDie();
          if (scalar->type->id() == arrow::Type::DICTIONARY && scalar->is_valid) {
            scalar =
                static_cast<const arrow::DictionaryScalar&>(*scalar).GetEncodedValue().ValueOrDie();
          }
          row += (c > 0 ? "|" : "") + (scalar->is_valid ? scalar->ToString() : "NULL");
        }
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

using Rows = std::vector<std::string>;

// The rows of a request, or the message of its error.
inline Rows rows_of(const LoadRequest& request, int64_t batch_rows = 1000) {
  auto source = open_source(request);
  if (!source.ok()) return {source.error().message};
  auto rows = read_rows(**source, all_columns((*source)->facts(), batch_rows));
  if (!rows.ok()) return {rows.error().message};
  return std::move(*rows);
}

inline Error error_of(const LoadRequest& request) {
  auto source = open_source(request);
  if (!source.ok()) return source.error();
  auto rows = read_rows(**source, all_columns((*source)->facts()));
  if (!rows.ok()) return rows.error();
  ADD_FAILURE() << "no error";
  return {};
}

inline Schema schema_of(const LoadRequest& request) {
  auto source = open_source(request);
  if (!source.ok()) {
    ADD_FAILURE() << source.error().message;
    return {};
  }
  return (*source)->facts().schema;
}

}  // namespace headrace::test
