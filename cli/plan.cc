// headrace plan, and headrace load --dry-run: what a load would do. Writes nothing.
#include "commands.h"
#include "headrace/load.h"
#include "output.h"

namespace headrace::cli {

int run_plan(const Options& options) {
  const auto plan = headrace::plan(options.request);
  if (!plan.ok()) return fail(plan.error(), options.json);
  return print_result(options.json ? plan->to_json() : plan->to_text());
}

}  // namespace headrace::cli
