// The published recommendations, and their line in the plan of a real load.
#include "headrace/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plan/json_archive.h"
#include "plan/steps.h"
#include "plan/text_layout.h"

namespace headrace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
// Of the last line: so many rows for each partition, within these bounds.
constexpr int64_t kRowsPerPartition = 500'000;
constexpr int64_t kMinPartitions = 8;
constexpr int64_t kMaxPartitions = 20;

struct Line {
  int64_t below;  // it holds for fewer rows than these
  const char* method;
  int64_t batch_size;
  int num_partitions;  // 0: by the number of rows
  const char* note;
};

constexpr Line kTable[] = {
    {10'000, "optimized", 1'000, 1, "Small dataset - single partition recommended"},
    {100'000, "optimized", 5'000, 2, "Medium dataset - moderate parallelization"},
    {1'000'000, "optimized", 10'000, 4, "Large dataset - increased parallelization recommended"},
    {kNoLimit, "copy", 20'000, 0, "Very large dataset - COPY protocol recommended"},
};

const Line& line_of(int64_t rows) {
  const Line* line = kTable;
  while (line->below != kNoLimit && rows >= line->below) ++line;
  return *line;
}

// "< 100,000 rows", ">= 1,000,000 rows"
std::string range_text(const Line& line) {
  if (line.below != kNoLimit) return fmt::format("< {} rows", grouped(line.below));
  return fmt::format(">= {} rows", grouped((&line - 1)->below));
}

Recommendation recommendation_of(const Line& line, int64_t rows) {
  Recommendation out{line.method, line.batch_size, line.num_partitions, {line.note}};
  if (out.num_partitions == 0) {
    out.num_partitions =
        static_cast<int>(std::clamp(rows / kRowsPerPartition, kMinPartitions, kMaxPartitions));
  }
  return out;
}

}  // namespace

Result<Recommendation> recommend(int64_t rows, double available_memory_gb) {
  if (rows < 0) {
    return Error(ErrorCode::kUsage, fmt::format("{} is not a number of rows", rows),
                 "give 0 or more");
  }
  if (!(available_memory_gb > 0)) {
    return Error(ErrorCode::kUsage,
                 fmt::format("{} GB is not an amount of memory", available_memory_gb),
                 "give more than 0");
  }
  return recommendation_of(line_of(rows), rows);
}

std::string Recommendation::to_json() const {
  return dump(Json{{"method", method},
                   {"batch_size", batch_size},
                   {"num_partitions", num_partitions},
                   {"notes", notes}},
              2);
}

std::string Recommendation::to_text() const {
  std::string out;
  append_field(&out, "method", method);
  append_field(&out, "batch size", grouped(batch_size));
  append_field(&out, "partitions", std::to_string(num_partitions));
  for (const std::string& note : notes) append_field(&out, "note", note);
  return out;
}

void plan_recommendation(const PlanInput& in, Plan* plan) {
  // A file takes whatever comes; and without the number of rows there is no line in the table.
  const bool is_server = in.sink.dialect == Dialect::kPostgres && in.sink.server_kind != "file" &&
                         in.sink.server_kind != "null";
  if (!is_server || plan->row_count < 0) return;
  const Line& line = line_of(plan->row_count);
  const Recommendation published = recommendation_of(line, plan->row_count);
  const bool requested = plan->method_reason == "requested";
  decide(plan, "recommendation",
         fmt::format("{}, batch size {}, {}", published.method, published.batch_size,
                     count_text(published.num_partitions, "partition")),
         fmt::format("published for {}; the plan chose {}{} because {}", range_text(line),
                     plan->method, plan->method == published.method ? " too," : "",
                     requested ? "it was requested" : plan->method_reason));
}

}  // namespace headrace
