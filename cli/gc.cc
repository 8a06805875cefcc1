// headrace gc: removes what crashed loads left in a target.
#include "headrace/gc.h"

#include "commands.h"
#include "output.h"

namespace headrace::cli {

int run_gc(const Options& options) {
  GcRequest request;
  request.target = options.request.target;
  request.schema = options.schema;
  request.dry_run = options.dry_run;
  const auto report = headrace::gc(request);
  if (!report.ok()) return fail(report.error(), options.json);
  const int written = print_result(options.json ? report->to_json() : report->to_text());
  return report->ok() ? written : 1;
}

}  // namespace headrace::cli
