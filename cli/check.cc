// headrace check: whether a target is ready for a load. Changes nothing.
#include "headrace/check.h"

#include "commands.h"
#include "output.h"

namespace headrace::cli {

int run_check(const Options& options) {
  const auto readiness = headrace::check(options.request.target, options.request.table);
  if (!readiness.ok()) return fail(readiness.error(), options.json);
  const int written = print_result(options.json ? readiness->to_json() : readiness->to_text());
  return readiness->ready ? written : 1;
}

}  // namespace headrace::cli
