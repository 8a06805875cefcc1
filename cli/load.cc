// headrace load: runs a load; progress on stderr, report on stdout.
#include <string>
#include <vector>

#include "commands.h"
#include "headrace/load.h"
#include "log_lines.h"
#include "output.h"
#include "signals.h"

namespace headrace::cli {
namespace {

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
  const auto log = [&](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) progress.log(line);
  };
  request.planned = [&](const Plan& plan) { log(lines_at_start(plan)); };
  request.progress = [&](const Progress& now) { progress.update(now); };
  Report report = headrace::load(request);
  progress.end();
  if (report.ok()) log(lines_at_end(report));
  hide_passwords(&report);
  const int written = print_result(options.json ? report.to_json() : report.to_text());
  if (report.error) print_error(*report.error);
  const int code = exit_code_of(report);
  return code != 0 ? code : written;
}

}  // namespace headrace::cli
