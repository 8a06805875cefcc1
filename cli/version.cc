// headrace version.
#include <fmt/format.h>

#include "commands.h"
#include "headrace/load.h"
#include "output.h"

namespace headrace::cli {

int run_version(const Options& options) {
  if (!options.json) return print_result(fmt::format("headrace {}", version()));
  return print_result(fmt::format(R"({{"name": "headrace", "version": {}, "schema_version": {}}})",
                                  json_string(version()), Report{}.schema_version));
}

}  // namespace headrace::cli
