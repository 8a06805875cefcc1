#include "convert.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "headrace/schema.h"
#include "secrets.h"
#include "values.h"

namespace headrace::cli {
namespace {

// Options with several values, from the environment when the command line has none.
void values_from_environment(const char* option, std::vector<std::string>* values) {
  const char* text = std::getenv(environment_name(option).c_str());
  if (text == nullptr || !values->empty()) return;
  std::string rest = text;
  for (size_t end = rest.find(';'); end != rest.npos; end = rest.find(';')) {
    values->push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  values->push_back(rest);
}

Status convert_csv(const Written& written, CsvOptions* csv) {
  csv->header = !written.no_header;
  if (!written.delimiter.empty()) {
    HEADRACE_ASSIGN(csv->delimiter, parse_delimiter(written.delimiter));
  }
  if (!written.null_values.empty()) csv->null_values = written.null_values;
  for (const std::string& declared : written.types) {
    const size_t equals = declared.find('=');
    bool known = false;
    if (equals != std::string::npos) parse_type_name(declared.substr(equals + 1), &known);
    if (!known) {
      return usage_error(
          fmt::format("--type '{}' is not understood", declared),
          "write COLUMN=TYPE, with a type such as int64, float64, utf8, bool, date32, "
          "timestamp[us], decimal128(15,2)");
    }
    csv->types[declared.substr(0, equals)] = declared.substr(equals + 1);
  }
  return {};
}

Status convert_tuning(const Written& written, Tuning* tuning) {
  const int num_partitions = counts_files(written.sqlite) ? 0 : written.num_partitions;
  for (const int asked : {written.connections, num_partitions, written.max_workers}) {
    if (asked == 0) continue;
    if (tuning->connections != 0 && tuning->connections != asked) {
      return usage_error(
          fmt::format("{} and {} connections are asked for", tuning->connections, asked),
          "--connections, --num-partitions and --max-workers mean the same: give one of them");
    }
    tuning->connections = asked;
  }
  tuning->readers = written.readers;
  tuning->batch_rows = written.batch_rows;
  tuning->batch_size = written.batch_size;
  tuning->page_bytes = written.page_size;
  tuning->row_format = written.copy_format;
  if (!written.memory.empty()) {
    HEADRACE_ASSIGN(tuning->memory_bytes, parse_size("--memory", written.memory));
  }
  if (!written.block_bytes.empty()) {
    HEADRACE_ASSIGN(tuning->block_bytes, parse_size("--block-bytes", written.block_bytes));
  }
  if (!written.maintenance_work_mem.empty()) {
    HEADRACE_ASSIGN(tuning->maintenance_work_mem_bytes,
                    parse_size("--maintenance-work-mem", written.maintenance_work_mem));
  }
  if (!written.lock_timeout.empty()) {
    HEADRACE_ASSIGN(tuning->lock_timeout_ms,
                    parse_milliseconds("--lock-timeout", written.lock_timeout));
  }
  return {};
}

ProgressMode progress_mode(const std::string& name) {
  if (name == "plain") return ProgressMode::kPlain;
  if (name == "json") return ProgressMode::kJson;
  return name == "none" ? ProgressMode::kNone : ProgressMode::kAuto;
}

Mode mode_of(const std::string& name) {
  for (const Mode mode : {Mode::kAppend, Mode::kReplace, Mode::kTruncate, Mode::kUpsert,
                          Mode::kDeleteInsert}) {
    if (name == mode_name(mode)) return mode;
  }
  return Mode::kCreate;
}

OnDuplicate on_duplicate_of(const std::string& name) {
  if (name == "first") return OnDuplicate::kFirst;
  return name == "last" ? OnDuplicate::kLast : OnDuplicate::kError;
}

// The table's name from that of the one source file: "data/lineitem.csv.gz" gives "lineitem".
Result<std::string> table_of(const std::vector<std::string>& source) {
  const Error missing = usage_error("the table's name is missing", "give --table NAME");
  if (source.size() != 1 || source[0] == "-") return missing;
  std::error_code ignored;
  const std::filesystem::path path = source[0];
  const bool glob = source[0].find_first_of("*?[") != std::string::npos;
  if (std::filesystem::is_directory(path, ignored)) return missing;
  if (glob && !std::filesystem::exists(path, ignored)) return missing;
  std::filesystem::path name = path.filename();
  for (const char* packed : {".gz", ".zst", ".bz2", ".xz"}) {
    if (name.extension() == packed) name = name.stem();
  }
  const std::string stem = name.stem().string();
  // A dot would part a schema from a table.
  if (stem.empty() || stem.find_first_of(".\"") != std::string::npos) return missing;
  return stem;
}

bool needs_table(const std::string& target) {
  return !target.starts_with("null:") && !target.starts_with("pgcopy:");
}

Error missing_target() {
  return usage_error(
      "the target is missing",
      "give --to, for example --to postgresql://me@localhost/db or --to out.sqlite");
}

Status convert_target(const Written& written, LoadRequest* request) {
  request->target = written.to;
  request->table = written.table;
  request->mode = mode_of(written.mode);
  request->keys = split_names(written.keys);
  request->update_columns = split_names(written.update_columns);
  request->on_duplicate = on_duplicate_of(written.on_duplicate);
  request->replace_where = written.replace_where;
  if (!written.method.empty()) request->method = written.method;
  request->load_id = written.load_id;
  request->atomic = written.atomic == "fast" ? Atomic::kFast : Atomic::kStrict;
  request->create_partitions = written.create_partitions;
  request->retries = written.retries;
  request->fallback = !written.no_fallback;
  request->values.nan_as_null = written.nan_as_null;
  request->values.srid = written.srid;
  request->values.promote_to_multi = written.promote_to_multi;
  request->tuning.analyze = !written.no_analyze;
  HEADRACE_TRY(convert_tuning(written, &request->tuning));
  HEADRACE_TRY(convert_sqlite(written.sqlite, written.num_partitions, request));
  if (request->target.empty()) return missing_target();
  if (request->table.empty() && needs_table(request->target)) {
    HEADRACE_ASSIGN(request->table, table_of(written.source));
  }
  return {};
}

// Commands that read no source.
Result<Options> convert_without_source(const std::string& command, const Written& written,
                                       Options options) {
  if (!written.source.empty()) {
    return usage_error(fmt::format("unexpected argument '{}'", written.source[0]),
                       fmt::format("see headrace {} --help", command));
  }
  options.command = Command::kVersion;
  if (command == "version") return options;
  if (command == "recommend") {
    if (!written.rows) return usage_error("the number of rows is missing", "give --rows N");
    options.command = Command::kRecommend;
    options.rows = *written.rows;
    options.memory_gb = written.memory_gb;
    return options;
  }
  if (written.to.empty()) return missing_target();
  options.command = command == "check" ? Command::kCheck : Command::kGc;
  options.request.target = written.to;
  options.request.table = written.table;
  options.schema = written.schema;
  options.dry_run = written.dry_run;
  return options;
}

bool reads_source(const std::string& command) {
  return command == "load" || command == "plan" || command == "inspect" || command == "verify";
}

}  // namespace

Error usage_error(const std::string& message, std::string hint) {
  return Error(ErrorCode::kUsage, without_passwords(message), std::move(hint));
}

std::string environment_name(const std::string& option) {
  std::string name = "HEADRACE_" + option.substr(2);
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

Result<Options> convert(const std::string& command, Written written) {
  Options options;
  options.json = written.json;
  if (!reads_source(command)) return convert_without_source(command, written, std::move(options));
  if (written.environment == Environment::kRead) {
    values_from_environment("--null", &written.null_values);
    values_from_environment("--type", &written.types);
    values_from_environment("--key", &written.keys);
    values_from_environment("--update-columns", &written.update_columns);
    values_from_environment("--primary-key", &written.sqlite.primary_key);
    values_from_environment("--geometry-column", &written.sqlite.geometry_columns);
    values_from_environment("--index", &written.sqlite.indexes);
    values_from_environment("--unique-index", &written.sqlite.unique_indexes);
  }
  if (written.source.empty()) {
    return usage_error("the source is missing",
                       fmt::format("name a file: headrace {} FILE", command));
  }
  options.request.source = written.source;
  options.request.source_format = written.format;
  HEADRACE_TRY(convert_csv(written, &options.request.csv));
  if (command == "inspect") {
    options.command = Command::kInspect;
    return options;
  }
  HEADRACE_TRY(convert_target(written, &options.request));
  options.command = command == "plan"     ? Command::kPlan
                    : command == "verify" ? Command::kVerify
                                          : Command::kLoad;
  options.dry_run = written.dry_run;
  options.progress = progress_mode(written.progress);
  return options;
}

}  // namespace headrace::cli
