// How many readers and workers, and how large batches and blocks are.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "plan/steps.h"

namespace headrace {
namespace {

constexpr int64_t kBatchBytes = 2 << 20;    // decoded; larger batches leave the second-level cache
constexpr int64_t kPgBlockBytes = 512 << 10;
constexpr int64_t kPageBlockBytes = 4 << 20;  // a batch's pages are claimed at once
constexpr int64_t kMinBatchRows = 64;
constexpr int64_t kMaxBatchRows = 16384;
constexpr int kMaxConnections = 8;

// Decoded bytes of a row, as far as the source's metadata tells.
int64_t row_bytes(const PlanInput& in) {
  int64_t total = 0;
  for (const ColumnFacts& column : in.source.columns) {
    if (column.uncompressed_bytes > 0) total += column.uncompressed_bytes;
  }
  const auto columns = static_cast<int64_t>(in.source.schema.fields.size());
  if (total == 0 || in.source.row_count <= 0) return 16 * columns;
  return std::max<int64_t>(total / in.source.row_count, 8 * columns);
}

int workers_for(const PlanInput& in, Plan* plan) {
  const int asked = in.request.tuning.connections;
  const bool copy_file = in.sink.dialect == Dialect::kPostgres && in.sink.server_kind == "file";
  const bool single = plan->commit_scope == CommitScope::kSingle || plan->stage_is_temporary ||
                      plan->method == "api" || plan->method == "standard" || copy_file;
  if (single) {
    if (asked > 1) {
      decide(plan, "workers", "1",
             fmt::format("{} were asked for; this commit scope takes one writer", asked));
    }
    return 1;
  }
  const bool together = plan->commit_scope == CommitScope::kTogether;
  const bool server = together || plan->commit_scope == CommitScope::kSwap ||
                      plan->commit_scope == CommitScope::kStaged;
  int workers = asked;
  std::string reason = "requested";
  if (workers == 0 && server) {
    // One stream keeps one core of the server busy; more streams than cores only wait for each other
    // (measured on 2 cores: 2 streams beat 3 and 4). The server's cores are not known.
    workers = std::clamp(in.host.cores, 2, kMaxConnections);
    reason = fmt::format("{} cores here; each connection keeps a core of the server busy", in.host.cores);
  } else if (workers == 0) {
    workers = in.host.cores;
    reason = fmt::format("{} cores", in.host.cores);
  }
  // One more makes the tables beside the partitions while the others write, or is the curtain.
  const int slots = in.sink.max_writers - (plan->tree.empty() && !together ? 0 : 1);
  if (server && workers > slots) {
    workers = std::max(1, slots);
    reason = fmt::format("free connection slots of the server: {}", in.sink.max_writers);
    plan->warnings.push_back(fmt::format("connections reduced to {}: {}", workers, reason));
  }
  decide(plan, "workers", std::to_string(workers), reason);
  return workers;
}

}  // namespace

Status plan_parallelism(const PlanInput& in, Plan* plan) {
  const Tuning& tuning = in.request.tuning;
  if (tuning.connections < 0 || tuning.readers < 0 || tuning.batch_rows < 0 ||
      tuning.batch_size < 0 || tuning.block_bytes < 0) {
    return Error(ErrorCode::kUsage, "connections, readers and sizes must not be negative");
  }
  if (tuning.memory_bytes < 32 << 20) {
    return Error(ErrorCode::kUsage, "--memory is below 32 MiB", "give at least 32MiB");
  }
  plan->workers = workers_for(in, plan);
  const int partitions = std::max<int>(1, static_cast<int>(in.source.partitions.size()));
  plan->readers = std::min(partitions, tuning.readers > 0 ? tuning.readers : in.host.cores);
  decide(plan, "readers", std::to_string(plan->readers),
         tuning.readers > 0 ? "requested" : fmt::format("{} cores, {} partitions", in.host.cores, partitions));

  const int64_t width = row_bytes(in);
  const auto fit = static_cast<uint64_t>(std::clamp(kBatchBytes / width, kMinBatchRows, kMaxBatchRows));
  plan->batch_rows = tuning.batch_rows > 0 ? tuning.batch_rows : static_cast<int64_t>(std::bit_floor(fit));
  decide(plan, "batch_rows", std::to_string(plan->batch_rows),
         tuning.batch_rows > 0 ? "requested" : fmt::format("about {} bytes a row decoded", width));
  const bool pages = plan->row_format == RowFormat::kSqliteRecord;
  plan->block_bytes = tuning.block_bytes > 0 ? tuning.block_bytes : (pages ? kPageBlockBytes : kPgBlockBytes);
  // Enough for a row group or two; more only costs the first touch of fresh memory.
  plan->read_ahead_bytes = tuning.memory_bytes / 16;

  plan->page_bytes = tuning.page_bytes > 0 ? tuning.page_bytes : 4096;
  if (!std::has_single_bit(static_cast<unsigned>(plan->page_bytes)) || plan->page_bytes < 512 ||
      plan->page_bytes > 65536) {
    return Error(ErrorCode::kUsage, fmt::format("page size {} is not a power of two from 512 to 65536",
                                                plan->page_bytes));
  }
  return {};
}

}  // namespace headrace
