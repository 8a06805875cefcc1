// headrace inspect: schema, partitions and statistics of a source.
#include "commands.h"
#include "headrace/load.h"
#include "output.h"

namespace headrace::cli {

int run_inspect(const Options& options) {
  const auto facts = headrace::inspect(options.request);
  if (!facts.ok()) return fail(facts.error(), options.json);
  return print_result(options.json ? facts->to_json() : facts->to_text());
}

}  // namespace headrace::cli
