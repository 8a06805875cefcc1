// headrace inspect: schema, partitions and statistics of a source, or what a SQLite file holds.
#include "headrace/inspect_file.h"

#include "commands.h"
#include "headrace/load.h"
#include "output.h"

namespace headrace::cli {

int run_inspect(const Options& options) {
  const auto& source = options.request.source;
  if (source.size() == 1 && options.request.source_format.empty() && is_sqlite_file(source[0])) {
    const auto file = inspect_file(source[0]);
    if (!file.ok()) return fail(file.error(), options.json);
    return print_result(options.json ? file->to_json() : file->to_text());
  }
  const auto facts = headrace::inspect(options.request);
  if (!facts.ok()) return fail(facts.error(), options.json);
  return print_result(options.json ? facts->to_json() : facts->to_text());
}

}  // namespace headrace::cli
