// Pipeline: reader threads, the queue, and workers that encode and write; from Sink::prepare, while
// which the first rows are read, to Sink::publish.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "encode/row_encoder.h"
#include "headrace/plan.h"
#include "headrace/request.h"
#include "headrace/result.h"
#include "sink/sink.h"
#include "source/source.h"

namespace headrace {

struct PipelineStats {
  std::atomic<int64_t> rows_read{0};
  std::atomic<int64_t> rows_written{0};
  std::atomic<int64_t> bytes_read{0};
  std::atomic<int64_t> bytes_encoded{0};
  std::atomic<int64_t> read_nanos{0};
  std::atomic<int64_t> encode_nanos{0};
  std::atomic<int64_t> send_nanos{0};
  std::vector<ColumnChange> changes;  // a column each; after the run
  int writers_refused = 0;            // workers without a connection: the server had none left
};

// Prepares the sink, reads, encodes and writes all partitions of the plan. On failure every writer
// was aborted; the first error wins, later ones are its context. A writer that the server has no
// connection for is left out, unless none was opened. request.progress is called from this thread.
Status run_pipeline(const LoadRequest& request, const Plan& plan, const std::string& load_id,
                    Source& source, Sink& sink, PipelineStats* stats);

}  // namespace headrace
