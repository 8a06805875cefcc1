#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "headrace/schema.h"
#include "secrets.h"
#include "values.h"

namespace headrace::cli {
namespace {

const std::vector<std::string> kCommands = {"load", "plan", "inspect", "version", "help"};

// Options as they were written; convert() makes a LoadRequest of them.
struct Written {
  std::string to, table, mode, method, memory, block_bytes, lock_timeout, load_id;
  std::string copy_format, format, delimiter, progress;
  std::vector<std::string> source, null_values, types;
  int connections = 0, readers = 0, page_size = 0;
  int64_t batch_rows = 0;
  bool no_header = false, nan_as_null = false, dry_run = false, json = false;
};

// One line per option: name, value, meaning. No defaults and environment names in between.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(28); }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    return " " + option->get_type_name();
  }
  std::string make_positional_opts(const CLI::Option*) { return ""; }
};

// "--lock-timeout" is HEADRACE_LOCK_TIMEOUT.
std::string environment_name(const std::string& option) {
  std::string name = "HEADRACE_" + option.substr(2);
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

// Adds options of one group to one command.
class OptionAdder {
 public:
  OptionAdder(CLI::App* app, const char* group) : app_(app), group_(group) {}

  template <class T>
  CLI::Option* value(const char* name, T* place, const char* value_name, const char* help) {
    return finish(app_->add_option(name, *place, help)->type_name(value_name), name);
  }

  CLI::Option* flag(const char* name, bool* place, const char* help) {
    return finish(app_->add_flag(name, *place, help), name);
  }

  // May be given several times, each time with one value.
  void values(const char* name, std::vector<std::string>* place, const char* value_name,
              const char* help) {
    app_->add_option(name, *place, help)
        ->type_name(value_name)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->group(group_);
  }

 private:
  CLI::Option* finish(CLI::Option* option, const char* name) {
    return option->envname(environment_name(name))->group(group_);
  }

  CLI::App* app_;
  const char* group_;
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
  add.values("--null", &to->null_values, "VALUE", "CSV: unquoted cell that means NULL, instead of an empty one");
  add.values("--type", &to->types, "COL=TYPE", "CSV: type of a column, as price=decimal128(15,2)");
}

void add_load_options(CLI::App* app, Written* to) {
  OptionAdder target(app, "Target");
  target.value("--to", &to->to, "TARGET", "Where the rows go (see below)");
  target.value("--table", &to->table, "[SCHEMA.]T", "Table; otherwise the name of the one source file");
  target.value("--mode", &to->mode, "MODE", "create (table must not exist), append or replace [create]")
      ->check(CLI::IsMember({"create", "append", "replace"}));
  target.value("--method", &to->method, "NAME", "copy, pages, api, or auto: the plan decides [auto]");
  target.value("--copy-format", &to->copy_format, "NAME", "PostgreSQL: binary or text rows [binary]")
      ->check(CLI::IsMember({"binary", "text"}));
  target.value("--page-size", &to->page_size, "BYTES", "SQLite: page size of a new file [4096]")
      ->check(CLI::IsMember({512, 1024, 2048, 4096, 8192, 16384, 32768, 65536}));
  target.value("--lock-timeout", &to->lock_timeout, "TIME", "Longest wait for the publishing lock, per try [5s]");
  target.value("--load-id", &to->load_id, "ID", "Name of this load; otherwise one is made");

  OptionAdder speed(app, "Speed (0: the plan decides)");
  speed.value("--connections", &to->connections, "N", "Connections to the server, or writing threads [0]")
      ->check(CLI::Range(0, 1024));
  speed.value("--readers", &to->readers, "N", "Threads that read and decode [0]")->check(CLI::Range(0, 1024));
  speed.value("--memory", &to->memory, "SIZE", "Bound on headrace's own memory [512MiB]");
  speed.value("--batch-rows", &to->batch_rows, "N", "Rows decoded at a time [0]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30));
  speed.value("--block-bytes", &to->block_bytes, "SIZE", "Size of a block of encoded rows [0]");
}

void add_source_values(CLI::App* app, Written* to) {
  OptionAdder(app, "Values").flag("--nan-as-null", &to->nan_as_null, "SQLite: store NaN as NULL, instead of refusing it");
}

}  // namespace

}  // namespace headrace::cli
