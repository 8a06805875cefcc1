// headrace recommend: the published recommendation for a number of rows.
#include "headrace/recommend.h"

#include "commands.h"
#include "output.h"

namespace headrace::cli {

int run_recommend(const Options& options) {
  const auto recommendation = headrace::recommend(options.rows, options.memory_gb);
  if (!recommendation.ok()) return fail(recommendation.error(), options.json);
  return print_result(options.json ? recommendation->to_json() : recommendation->to_text());
}

}  // namespace headrace::cli
