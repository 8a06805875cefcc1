// headrace load: runs a load; progress on stderr, report on stdout.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "commands.h"
#include "headrace/load.h"
#include "output.h"
#include "secrets.h"
#include "signals.h"

namespace headrace::cli {
namespace {

const char* target_name(const Plan& plan) {
  if (plan.target.starts_with("null:")) return "null:";
  if (plan.target.starts_with("pgcopy:")) return "a COPY file";
  return plan.dialect == Dialect::kSqlite ? "SQLite" : "PostgreSQL";
}

void log_plan(const Plan& plan, ProgressPrinter* progress) {
  const std::string rows = plan.row_count < 0 ? "rows" : grouped(plan.row_count) + " rows";
  progress->log(fmt::format("Writing {} to {} with batch size {}", rows, target_name(plan),
                            plan.insert_rows > 0 ? plan.insert_rows : plan.batch_rows));
  if (plan.workers > 1) {
    progress->log(fmt::format("Using {} partitions for parallel writes", plan.workers));
  }
}

void log_end(const Report& report, ProgressPrinter* progress) {
  progress->log(
      fmt::format("Method '{}' completed in {:.1f} seconds", report.method, report.seconds));
  progress->log(fmt::format("Throughput: {} rows/second",
                            grouped(static_cast<int64_t>(report.rows_per_second + 0.5))));
}

int exit_code_of(const Report& report) {
  if (report.ok()) return 0;
  const bool cancelled =
      report.status == "cancelled" || (report.error && report.error->code == ErrorCode::kCancelled);
  if (cancelled && received_signal() != 0) return 128 + received_signal();
  return report.error ? exit_code(report.error->code) : 1;
}

}  // namespace

int run_load(Options options) {
  if (options.dry_run) return run_plan(options);
  handle_signals();
  ProgressPrinter progress(options.progress);
  LoadRequest& request = options.request;
  request.cancel = cancel_flag();
  request.planned = [&](const Plan& plan) { log_plan(plan, &progress); };
  request.progress = [&](const Progress& now) { progress.update(now); };
  Report report = headrace::load(request);
  progress.end();
  if (report.ok()) log_end(report, &progress);
  if (report.error) hide_passwords(&*report.error);
  for (std::string& warning : report.warnings) warning = without_passwords(warning);
  const int written = print_result(options.json ? report.to_json() : report.to_text());
  if (report.error) print_error(*report.error);
  const int code = exit_code_of(report);
  return code != 0 ? code : written;
}

}  // namespace headrace::cli
