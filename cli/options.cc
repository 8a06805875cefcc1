#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "convert.h"
#include "help_text.h"
#include "option_adder.h"
#include "values.h"

namespace headrace::cli {
namespace {

const std::vector<std::string> kCommands = {"load",      "plan",   "inspect", "check",  "verify",
                                            "recommend", "gc", "version", "help"};

// One line per option: name, value, meaning.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(28); }

  // "MODE" of "MODE:{create,append,replace}": what it may be stands in the meaning.
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    const std::string name = option->get_type_name();
    return " " + name.substr(0, name.find(':'));
  }

  std::string make_usage(const CLI::App* app, std::string) const override {
    const std::string& command = app->get_name();
    if (app->get_parent() == nullptr) return "Usage: headrace COMMAND [OPTIONS]\n";
    if (command == "version") return "Usage: headrace version [OPTIONS]\n";
    if (command == "recommend") return "Usage: headrace recommend --rows N [OPTIONS]\n";
    if (command == "check" || command == "gc") {
      return fmt::format("Usage: headrace {} --to TARGET [OPTIONS]\n", command);
    }
    const char* target = command == "inspect" ? "" : " --to TARGET";
    return fmt::format("Usage: headrace {} SOURCE...{} [OPTIONS]\n", command, target);
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
    for (size_t at = help.find("\n\n\n"); at != help.npos; at = help.find("\n\n\n")) {
      help.erase(at, 1);
    }
    return help;
  }
};

void add_source_options(CLI::App* app, Written* to) {
  app->add_option("SOURCE", to->source, "Files, folders, globs, or - for standard input")
      ->type_name("")
      ->group("");
  OptionAdder add(app, "Source");
  add.value("--format", &to->format, "NAME", "parquet, arrow or csv; otherwise by name and content")
      ->check(CLI::IsMember({"parquet", "arrow", "csv"}));
  add.value("--delimiter", &to->delimiter, "C", "CSV: character between cells; tab for a tab");
  add.flag("--no-header", &to->no_header, "CSV: the first line is data; columns are column_1, ...");
  add.values("--null", &to->null_values, "VALUE",
             "CSV: unquoted cell that means NULL, instead of an empty one");
  add.values("--type", &to->types, "COL=TYPE", "CSV: type of a column, as price=decimal128(15,2)");
}

void add_load_options(CLI::App* app, Written* to) {
  OptionAdder target(app, "Target");
  target.value("--to", &to->to, "TARGET", "Where the rows go (see below)");
  target.value("--table", &to->table, "[SCHEMA.]T",
               "Table; otherwise the name of the one source file");
  target
      .value("--mode", &to->mode, "MODE",
             "create, append, replace, truncate, upsert or delete_insert [create]")
      ->check(CLI::IsMember({"create", "append", "replace", "truncate", "upsert", "delete_insert"}));
  target.values("--key", &to->keys, "A,B", "upsert: columns of the key, instead of the primary key");
  target.values("--update-columns", &to->update_columns, "A,B",
                "upsert: columns that rows already there get, instead of all");
  target
      .value("--on-duplicate", &to->on_duplicate, "WHAT",
             "upsert: rows of the source with one key: error, first or last [error]")
      ->check(CLI::IsMember({"error", "first", "last"}));
  target.value("--replace-where", &to->replace_where, "SQL",
               "delete_insert: condition of the rows that are replaced");
  target.value("--method", &to->method, "NAME",
               "PostgreSQL: copy, optimized, async, standard; SQLite: pages, api [auto]");
  target
      .value("--copy-format", &to->copy_format, "NAME", "PostgreSQL: binary or text rows [binary]")
      ->check(CLI::IsMember({"binary", "text"}));
  target.value("--page-size", &to->page_size, "BYTES", "SQLite: page size of a new file [4096]")
      ->check(CLI::IsMember({512, 1024, 2048, 4096, 8192, 16384, 32768, 65536}));
  target.flag("--no-analyze", &to->no_analyze, "PostgreSQL: leave the planner's statistics to autovacuum");
  target.value("--lock-timeout", &to->lock_timeout, "TIME",
               "Longest wait for the publishing lock, per try [5s]");
  target.value("--load-id", &to->load_id, "ID",
               "Name of this load; the target keeps it: the same again does nothing");
  target
      .value("--atomic", &to->atomic, "HOW",
             "PostgreSQL: strict, or fast for appends to a table with rows [strict]")
      ->check(CLI::IsMember({"strict", "fast"}));
  target.value("--create-partitions", &to->create_partitions, "WIDTH",
               "PostgreSQL: make missing partitions: list, day, month, year or a number");
  target.flag("--no-fallback", &to->no_fallback,
              "PostgreSQL: fail where the server refuses the method");
  target.value("--retries", &to->retries, "N", "Further attempts after failures that may pass [3]")
      ->check(CLI::Range(0, 1000));

  OptionAdder speed(app, "Speed (0: the plan decides)");
  speed
      .value("--connections", &to->connections, "N",
             "Connections to the server, or writing threads [0]")
      ->check(CLI::Range(0, 1024));
  for (const auto& [name, place] : {std::pair{"--num-partitions", &to->num_partitions},
                                    std::pair{"--max-workers", &to->max_workers}}) {
    speed.value(name, place, "N", "The same as --connections [0]")->check(CLI::Range(0, 1024));
  }
  speed
      .value("--batch-size", &to->batch_size, "N",
             "PostgreSQL: rows of an INSERT, with optimized and async [0]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 24));
  speed.value("--maintenance-work-mem", &to->maintenance_work_mem, "SIZE",
              "PostgreSQL: memory of each index build, up to 4 at once [the server's]");
  speed.value("--readers", &to->readers, "N", "Threads that read and decode [0]")
      ->check(CLI::Range(0, 1024));
  speed.value("--memory", &to->memory, "SIZE", "Bound on headrace's own memory [512MiB]");
  speed.value("--batch-rows", &to->batch_rows, "N", "Rows decoded at a time [0]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30));
  speed.value("--block-bytes", &to->block_bytes, "SIZE", "Size of a block of encoded rows [0]");
}

void add_value_options(CLI::App* app, Written* to) {
  OptionAdder add(app, "Values");
  add.flag("--nan-as-null", &to->nan_as_null, "SQLite: store NaN as NULL, instead of refusing it");
  add.value("--srid", &to->srid, "N",
            "SRID of geometries that carry none [the column's, else 4326]")
      ->check(CLI::Range(0, 999999));
  add.flag("--promote-to-multi", &to->promote_to_multi,
           "PostGIS: store POLYGON in a MULTIPOLYGON column, and the like");
}

// headrace plan takes them too, so that load can be replaced by plan in any command line.
void add_run_options(CLI::App* app, Written* to) {
  OptionAdder add(app, "Output");
  add.flag("--dry-run", &to->dry_run, "Print the plan and write nothing, as headrace plan does");
  add.value("--progress", &to->progress, "HOW", "auto, plain, json or none, on stderr [auto]")
      ->check(CLI::IsMember({"auto", "plain", "json", "none"}));
}

// What a table is compared with its source by: what the load was given.
void add_verify_options(CLI::App* app, Written* to) {
  OptionAdder add(app, "Target");
  add.value("--to", &to->to, "TARGET", "Where the rows are (see below)");
  add.value("--table", &to->table, "[SCHEMA.]T",
            "Table; otherwise the name of the one source file");
  add_geometry_options(app, &to->sqlite);
}

void add_check_options(CLI::App* app, Written* to) {
  OptionAdder add(app, "Target");
  add.value("--to", &to->to, "TARGET", "What to look at (see below)");
  add.value("--table", &to->table, "[SCHEMA.]T", "Look at this table too, which need not exist");
}

void add_recommend_options(CLI::App* app, Written* to) {
  OptionAdder add(app, "Input");
  add.value("--rows", &to->rows, "N", "Number of rows");
  add.value("--memory-gb", &to->memory_gb, "N",
            "Memory at hand; no recommendation depends on it [8]");
}

void add_gc_options(CLI::App* app, Written* to) {
  OptionAdder target(app, "Target");
  target.value("--to", &to->to, "TARGET", "Where loads have crashed (see below)");
  target.value("--schema", &to->schema, "NAME",
               "PostgreSQL: only this schema; otherwise all that the user can see");
  OptionAdder output(app, "Output");
  output.flag("--dry-run", &to->dry_run, "Tell what would be removed, and remove nothing");
}

void add_output_options(CLI::App* app, Written* to) {
  OptionAdder add(app, "Output");
  add.flag("--json", &to->json, "Print the result as one JSON object");
  app->set_help_flag("-h,--help", "Print this help")->group("Output");
}

// The grammar. Only the command that is `used` gets its options: the others' would take values from
// the environment too. `app` and `written` live as long as each other.
void build(CLI::App* app, const std::string& used, Written* written) {
  app->formatter(std::make_shared<HelpFormatter>());
  app->set_help_flag("");
  app->require_subcommand(0, 1);  // a source may be called "plan"
  app->footer(kRootHelp);
  CLI::App* load = app->add_subcommand("load", "Load a source into a table");
  CLI::App* plan = app->add_subcommand("plan", "Say what a load would do, and why; writes nothing");
  CLI::App* inspect =
      app->add_subcommand("inspect", "Show schema, partitions and statistics of a source");
  CLI::App* verify =
      app->add_subcommand("verify", "Compare a table with its source, row count and every column");
  CLI::App* check = app->add_subcommand("check", "Say whether a target is ready for a load");
  CLI::App* recommend =
      app->add_subcommand("recommend", "Print the recommended method for a number of rows");
  CLI::App* gc = app->add_subcommand("gc", "Remove what crashed loads left in a target");
  CLI::App* version = app->add_subcommand("version", "Print the version");
  for (CLI::App* command : {load, plan, inspect, verify, check, recommend, gc, version}) {
    if (command->get_name() != used) continue;
    const bool loads = command == load || command == plan;
    if (loads) add_load_options(command, written);
    if (loads) add_sqlite_options(command, &written->sqlite);
    if (command == verify) add_verify_options(command, written);
    if (loads || command == inspect || command == verify) add_source_options(command, written);
    if (loads || command == verify) add_value_options(command, written);
    if (loads) add_run_options(command, written);
    if (command == check) add_check_options(command, written);
    if (command == recommend) add_recommend_options(command, written);
    if (command == gc) add_gc_options(command, written);
    add_output_options(command, written);
  }
  load->footer(std::string(kTargets) + kEnvironment + kLoadExamples);
  plan->footer(std::string(kTargets) + kEnvironment + kPlanExamples);
  inspect->footer(std::string(kEnvironment + 1) + kInspectExamples);
  verify->footer(std::string(kDatabaseTargets) + kVerifyExamples);
  check->footer(std::string(kDatabaseTargets) + kCheckExamples);
  recommend->footer(kRecommendExamples);
  gc->footer(std::string(kDatabaseTargets) + kGcExamples);
  version->footer("");
  app->set_help_flag("-h,--help", "Print this help");
}

std::string help_hint(const CLI::App& command) {
  if (command.get_parent() == nullptr) return "see headrace --help";
  return fmt::format("see headrace {} --help", command.get_name());
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Error unknown_arguments(const CLI::App& app, const CLI::App& command) {
  const std::vector<std::string> rest = app.remaining(true);
  const std::string first = rest.empty() ? "" : rest[0].substr(0, rest[0].find('='));
  if (!first.starts_with("-")) {
    return usage_error(fmt::format("unexpected argument '{}'", first), help_hint(command));
  }
  const std::string similar = closest(first, option_names(command));
  return usage_error(
      fmt::format("unknown option {}", first),
      similar.empty() ? help_hint(command) : fmt::format("did you mean {}?", similar));
}

// "--to: 1 required TARGET missing" and "--to: At Most 1 required but received 2".
Error wrong_count(const std::string& text, const CLI::App& command) {
  const std::string option = text.substr(0, text.find(':'));
  const bool missing = text.ends_with("missing");
  return usage_error(option + (missing ? " needs a value" : " is given more than once"),
                     help_hint(command));
}

// A first argument that is no command, or none at all.
Status check_command(const std::vector<std::string>& arguments) {
  const std::string hint = "commands are load, plan, inspect, verify, check, recommend, gc and version; see headrace --help";
  if (arguments.empty()) return usage_error("a command is missing", hint);
  const std::string& first = arguments[0];
  if (first.starts_with("-")) return {};
  if (std::find(kCommands.begin(), kCommands.end(), first) != kCommands.end()) return {};
  const std::string similar = closest(first, kCommands);
  return usage_error(fmt::format("unknown command '{}'", first),
                     similar.empty() ? hint : fmt::format("did you mean headrace {}?", similar));
}

// "--mode: merge not in {...}" or "Could not convert: --json = x". A value from the environment is
// named by its variable.
Error wrong_value(std::string text, const CLI::App& command,
                  const std::vector<std::string>& arguments) {
  static constexpr std::string_view kNoValue = "Could not convert: ";
  if (text.starts_with(kNoValue)) {
    text.erase(0, kNoValue.size());
    const size_t equals = text.find(" = ");
    if (equals != text.npos) text.replace(equals, 3, ": not understood: ");
  }
  const std::string option = text.substr(0, text.find(':'));
  const bool written = std::any_of(arguments.begin(), arguments.end(), [&](const auto& argument) {
    return argument.starts_with(option);
  });
  if (written || !option.starts_with("--")) return usage_error(text, help_hint(command));
  return usage_error(environment_name(option) + text.substr(option.size()), help_hint(command));
}

// "help load" is "load --help", and "--version" is "version".
std::vector<std::string> normalised(std::vector<std::string> arguments) {
  if (arguments.empty()) return arguments;
  if (arguments[0] == "help") {
    arguments.erase(arguments.begin());
    arguments.resize(std::min<size_t>(arguments.size(), 1));
    arguments.push_back("--help");
  } else if (arguments[0] == "--version") {
    arguments[0] = "version";
  }
  return arguments;
}

// Takes what stands after "--" out of the arguments: sources, whatever they look like.
std::vector<std::string> take_sources(std::vector<std::string>* arguments) {
  const auto mark = std::find(arguments->begin(), arguments->end(), "--");
  if (mark == arguments->end()) return {};
  std::vector<std::string> sources(mark + 1, arguments->end());
  arguments->erase(mark, arguments->end());
  return sources;
}

// Three options mean the same: one on the command line wins over another in the environment.
void prefer_written_connections(const std::vector<std::string>& arguments, Written* written) {
  const auto is_written = [&](const std::string& name) {
    return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
      return argument == name || argument.starts_with(name + "=");
    });
  };
  const bool connections = is_written("--connections");
  const bool num_partitions = is_written("--num-partitions");
  const bool max_workers = is_written("--max-workers");
  if (!connections && !num_partitions && !max_workers) return;
  if (!connections) written->connections = 0;
  if (!num_partitions) written->num_partitions = 0;
  if (!max_workers) written->max_workers = 0;
}

void ignore_environment(CLI::App* app) {
  for (CLI::App* command : app->get_subcommands({})) {
    for (CLI::Option* option : command->get_options({})) option->envname("");
  }
}

Result<Options> parse(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& sources, Environment environment) {
  Written written;
  written.environment = environment;
  CLI::App app("headrace loads Parquet, Arrow and CSV into PostgreSQL and SQLite.", "headrace");
  build(&app, arguments.empty() ? "" : arguments[0], &written);
  if (environment == Environment::kIgnored) ignore_environment(&app);
  const auto chosen = [&app]() -> const CLI::App& {
    return app.get_subcommands().empty() ? app : *app.get_subcommands()[0];
  };
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    Options options;
    options.help = app.help();
    return options;
  } catch (const CLI::ExtrasError&) {
    return unknown_arguments(app, chosen());
  } catch (const CLI::ArgumentMismatch& error) {
    return wrong_count(error.what(), chosen());
  } catch (const CLI::ParseError& error) {
    return wrong_value(error.what(), chosen(), arguments);
  }
  prefer_written_connections(arguments, &written);
  written.source.insert(written.source.end(), sources.begin(), sources.end());
  return convert(chosen().get_name(), std::move(written));
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments, Environment environment) {
  std::vector<std::string> options = normalised(arguments);
  const std::vector<std::string> sources = take_sources(&options);
  HEADRACE_TRY(check_command(options));
  return parse(options, sources, environment);
}

bool wants_json(const std::vector<std::string>& arguments) {
  const char* set = std::getenv("HEADRACE_JSON");
  return std::find(arguments.begin(), arguments.end(), "--json") != arguments.end() ||
         (set != nullptr && (std::string(set) == "1" || std::string(set) == "true"));
}

}  // namespace headrace::cli
