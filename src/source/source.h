// Source: something that gives RecordBatches. BatchReader: one partition being read.
//
// Threads: a Source is opened by one thread; after facts() it is immutable, and open() may be called
// from several threads at once. A BatchReader belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arrow_c.h"
#include "headrace/facts.h"
#include "headrace/request.h"
#include "headrace/result.h"

namespace headrace {

// How to read; decided by the plan.
struct ReadOptions {
  std::vector<int> columns;  // indexes into SourceFacts::schema.fields, ascending
  int64_t batch_rows = 16384;
};

class BatchReader {
 public:
  virtual ~BatchReader() = default;

  // The next batch, or an empty pointer at the end. Batches never have zero rows.
  // `partition` and `partition_row` are set; `schema` holds ReadOptions::columns in that order.
  virtual Result<std::unique_ptr<RecordBatch>> next() = 0;

  // Stored bytes read so far.
  virtual int64_t bytes_read() const = 0;
};

class Source {
 public:
  virtual ~Source() = default;

  virtual const SourceFacts& facts() const = 0;
  virtual Result<std::unique_ptr<BatchReader>> open(const Partition& partition,
                                                    const ReadOptions& options) = 0;
};

// Opens request.source by its format (sources.cc) and reads its metadata.
Result<std::unique_ptr<Source>> open_source(const LoadRequest& request);

// A source of one partition from an Arrow C stream, which is taken over. Bounded memory: batches are
// pulled one by one, and sliced to ReadOptions::batch_rows without copying. `rows`: how many it will
// give, for the plan and the progress; -1: not known.
Result<std::unique_ptr<Source>> open_arrow_stream(ArrowArrayStream* stream, const std::string& name,
                                                  int64_t rows = -1);

// One entry per file format (sources.cc lists them).
struct SourceFormat {
  const char* name;                          // "parquet"
  std::vector<std::string> suffixes;         // ".parquet", ...
  bool (*recognises)(const std::string& first_bytes, const std::string& last_bytes);
  // `files` are existing paths, or "-"; `hive` of each file is set by the caller (dataset.cc).
  Result<std::unique_ptr<Source>> (*open)(const LoadRequest& request,
                                          const std::vector<Partition>& files);
};

}  // namespace headrace
