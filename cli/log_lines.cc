#include "log_lines.h"

#include <fmt/format.h>

#include "output.h"

namespace headrace::cli {
namespace {

const char* target_name(const Plan& plan) {
  if (plan.target.starts_with("null:")) return "null:";
  if (plan.target.starts_with("pgcopy:")) return "a COPY file";
  return plan.dialect == Dialect::kSqlite ? "SQLite" : "PostgreSQL";
}

}  // namespace

std::vector<std::string> lines_at_start(const Plan& plan) {
  const std::string rows = plan.row_count < 0 ? "rows" : grouped(plan.row_count) + " rows";
  std::vector<std::string> lines = {
      fmt::format("Writing {} to {} with batch size {}", rows, target_name(plan),
                  plan.insert_rows > 0 ? plan.insert_rows : plan.batch_rows)};
  if (plan.workers > 1) {
    lines.push_back(fmt::format("Using {} partitions for parallel writes", plan.workers));
  }
  return lines;
}

std::vector<std::string> lines_at_end(const Report& report) {
  return {fmt::format("Method '{}' completed in {:.1f} seconds", report.method, report.seconds),
          fmt::format("Throughput: {} rows/second",
                      grouped(static_cast<int64_t>(report.rows_per_second + 0.5)))};
}

}  // namespace headrace::cli
