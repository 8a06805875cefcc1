// headrace: loads Parquet, Arrow and CSV into PostgreSQL and SQLite.
#include <signal.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

#include "commands.h"
#include "output.h"
#include "secrets.h"

namespace headrace::cli {
namespace {

int run(const std::vector<std::string>& arguments, bool password_was_visible) {
  auto options = parse_options(arguments);
  if (!options.ok()) return fail(options.error(), wants_json(arguments));
  if (password_was_visible) {
    print_warning(
        "a password on the command line can be seen in the process list while headrace starts; "
        "use PGPASSWORD, ~/.pgpass or a service file");
  }
  switch (options->command) {
    case Command::kHelp:
      return print_result(options->help);
    case Command::kLoad:
      return run_load(*std::move(options));
    case Command::kPlan:
      return run_plan(*options);
    case Command::kInspect:
      return run_inspect(*options);
    case Command::kVerify:
      return run_verify(*std::move(options));
    case Command::kCheck:
      return run_check(*options);
    case Command::kRecommend:
      return run_recommend(*options);
    case Command::kGc:
      return run_gc(*options);
    case Command::kVersion:
      return run_version(*options);
  }
  return 1;
}

}  // namespace
}  // namespace headrace::cli

int main(int argc, char** argv) {
  using namespace headrace;
  // A reader of our output that goes away must not end a load.
  signal(SIGPIPE, SIG_IGN);
  try {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return cli::run(arguments, cli::hide_arguments(argc, argv));
  } catch (const std::bad_alloc&) {
    cli::print_error(Error(ErrorCode::kInternal, "out of memory",
                           "give --memory a smaller value, or fewer --connections and --readers"));
  } catch (const std::exception& e) {
    cli::print_error(Error(ErrorCode::kInternal, std::string("internal error: ") + e.what(),
                           "this is a fault of headrace; please report it"));
  }
  return 1;
}
