// bench_encode FILE.parquet [--pgcopy OUT] [--batch-rows N]
//
// Reads the file into record batches in memory, as any Arrow reader gives them, then runs a load of
// these batches into null: on one encoding thread and prints the encoder's own seconds as JSON.
// --pgcopy also writes the encoded bytes, so that they can be compared with another encoder's.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "headrace/load.h"
#include "parquet_batches.h"

namespace {

headrace::Report encode(const Batches& in, const std::string& target, int64_t batch_rows) {
  ArrowArrayStream stream;
  export_batches(in, &stream);
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
