// bench_encode FILE.parquet [--pgcopy OUT] [--batch-rows N]
//
// Reads the file into record batches in memory, as any Arrow reader gives them, then runs a load of
// these batches into null: on one encoding thread and prints the encoder's own seconds as JSON.
// --pgcopy also writes the encoded bytes, so that they can be compared with another encoder's.
#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "headrace/load.h"

namespace {

struct Batches {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t rows = 0;
};

arrow::Result<Batches> read_all(const std::string& path, int64_t batch_rows) {
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

headrace::Report encode(const Batches& in, const std::string& target, int64_t batch_rows) {
  ArrowArrayStream stream;
  auto reader = arrow::RecordBatchReader::Make(in.batches, in.schema).ValueOrDie();
  if (auto status = arrow::ExportRecordBatchReader(reader, &stream); !status.ok()) {
    fmt::print(stderr, "bench_encode: {}\n", status.ToString());
    std::exit(1);
  }
  headrace::LoadRequest request;
  request.target = target;
  request.table = "bench";
  request.mode = headrace::Mode::kReplace;
  request.tuning.connections = 1;
  request.tuning.readers = 1;
  request.tuning.batch_rows = batch_rows;
  return headrace::load(request, &stream);
}

}  // namespace

int main(int argc, char** argv) {
  std::string path, pgcopy;
  int64_t batch_rows = 16384;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--pgcopy") == 0 && i + 1 < argc) {
      pgcopy = argv[++i];
    } else if (std::strcmp(argv[i], "--batch-rows") == 0 && i + 1 < argc) {
      batch_rows = std::atoll(argv[++i]);
    } else {
      path = argv[i];
    }
  }
  if (path.empty()) {
    fmt::print(stderr, "usage: bench_encode FILE.parquet [--pgcopy OUT] [--batch-rows N]\n");
    return 2;
  }
  auto batches = read_all(path, batch_rows);
  if (!batches.ok()) {
    fmt::print(stderr, "bench_encode: {}\n", batches.status().ToString());
    return 1;
  }
  const headrace::Report report = encode(*batches, "null:", batch_rows);
  if (!report.ok()) {
    fmt::print(stderr, "bench_encode: {}\n", report.error->message);
    return 1;
  }
  if (!pgcopy.empty()) {
    const headrace::Report written = encode(*batches, "pgcopy:" + pgcopy, batch_rows);
    if (!written.ok()) {
      fmt::print(stderr, "bench_encode: {}\n", written.error->message);
      return 1;
    }
  }
  // 21 bytes of file header and trailer, so that the count compares with a whole COPY file.
  fmt::print("{{\"rows\": {}, \"seconds\": {:.6f}, \"bytes\": {}, \"cpu_seconds\": {:.6f}}}\n",
             report.rows_written, report.phases.encode, report.bytes_encoded + 21,
             report.client_cpu_seconds);
  return 0;
}
