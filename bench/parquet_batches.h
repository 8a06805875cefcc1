// A Parquet file as record batches in memory, as any Arrow reader gives them.
#pragma once

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

struct Batches {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t rows = 0;
};

inline arrow::Result<Batches> read_all(const std::string& path, int64_t batch_rows) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(batch_rows);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(file));
  std::unique_ptr<parquet::arrow::FileReader> reader;
  ARROW_RETURN_NOT_OK(builder.properties(properties)->Build(&reader));
  ARROW_ASSIGN_OR_RAISE(auto stream, reader->GetRecordBatchReader());
  Batches out;
  out.schema = stream->schema();
  ARROW_ASSIGN_OR_RAISE(out.batches, stream->ToRecordBatches());
  for (const auto& batch : out.batches) out.rows += batch->num_rows();
  return out;
}

// Ends the program when Arrow cannot.
inline void export_batches(const Batches& in, ArrowArrayStream* stream) {
  auto reader = arrow::RecordBatchReader::Make(in.batches, in.schema).ValueOrDie();
  if (auto status = arrow::ExportRecordBatchReader(reader, stream); !status.ok()) {
    fmt::print(stderr, "cannot export the batches: {}\n", status.ToString());
    std::exit(1);
  }
}
