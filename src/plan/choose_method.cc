// Which method.
#include <fmt/format.h>

#include <algorithm>

#include "encode/codec.h"
#include "plan/steps.h"

namespace headrace {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Error unknown_method(const std::string& method, const char* known) {
  static constexpr const char* kPlanned[] = {"s3_import"};
  const bool planned = std::find(std::begin(kPlanned), std::end(kPlanned), method) != std::end(kPlanned);
  return Error(planned ? ErrorCode::kUnsupported : ErrorCode::kUsage,
               planned ? fmt::format("method {} is not implemented", method)
                       : fmt::format("method '{}' is not known here", method),
               fmt::format("use {}", known));
}

bool inserts(const std::string& method) {
  return method == "standard" || method == "optimized" || method == "async";
}

// Rows of an INSERT, by the published recommendations: more rows, larger batches.
void plan_insert_rows(const PlanInput& in, Plan* plan) {
  const int64_t asked = in.request.tuning.batch_size;
  if (plan->method == "optimized" || plan->method == "async") {
    const int64_t rows = in.source.row_count;
    const bool few = rows >= 0 && rows < 10000;
    const bool many = rows < 0 || rows >= 100000;
    plan->insert_rows = asked > 0 ? asked : (few ? 1000 : many ? 10000 : 5000);
    decide(plan, "insert_rows", std::to_string(plan->insert_rows),
           asked > 0  ? "requested"
           : rows < 0 ? "the number of rows is not known"
                      : fmt::format("{} rows to load", rows));
    return;
  }
  plan->insert_rows = plan->method == "standard" ? 1 : 0;
  if (asked <= plan->insert_rows) return;
  decide(plan, "insert_rows", std::to_string(plan->insert_rows),
         fmt::format("a batch size of {} was asked for; method {} {}", asked, plan->method,
                     plan->method == "standard" ? "inserts row by row" : "has no INSERT"));
}

// COPY is refused: INSERT with arrays comes next.
Status fall_back(const PlanInput& in, Plan* plan) {
  if (!in.request.fallback || plan->row_format == RowFormat::kText) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("COPY into {} is refused: {}", in.sink.table, in.sink.copy_refusal),
                 "use --method optimized");
  }
  plan->method = "optimized";
  plan->method_reason = fmt::format("instead of copy: {}", in.sink.copy_refusal);
  plan->fallback_reason = in.sink.copy_refusal;
  plan_insert_rows(in, plan);
  return {};
}

Status choose_postgres_method(const PlanInput& in, Plan* plan) {
  const std::string& asked = in.request.method;
  const bool server = in.sink.server_kind != "file" && in.sink.server_kind != "null";
  if (asked != "auto" && asked != "copy" && !inserts(asked)) {
    return unknown_method(asked, server ? "copy, optimized, async, standard or auto"
                                        : "copy or auto");
  }
  if (inserts(asked) && !server) {
    return Error(ErrorCode::kUsage, fmt::format("method {} needs a PostgreSQL server", asked),
                 "use copy or auto");
  }
  if (inserts(asked) && plan->row_format == RowFormat::kText) {
    return Error(ErrorCode::kUsage, fmt::format("method {} sends binary rows", asked),
                 "leave --copy-format out, or use --method copy");
  }
  plan->method = asked == "auto" ? "copy" : asked;
  if (plan->method == "copy" && !in.sink.copy_refusal.empty()) return fall_back(in, plan);
  plan->method_reason = asked != "auto" ? "requested"
                                        : "COPY FROM STDIN needs no privilege beyond INSERT and is "
                                          "the fastest way in";
  plan_insert_rows(in, plan);
  return {};
}

Status plan_postgres(const PlanInput& in, Plan* plan) {
  HEADRACE_TRY(choose_postgres_method(in, plan));
  return plan_commit_scope(in, plan);
}

// Empty: the page writer can make this file. Otherwise why not.
std::string no_pages_reason(const PlanInput& in, const Plan& plan) {
  const SinkFacts& sink = in.sink;
  if (const std::string reason = no_direct_keys_reason(plan); !reason.empty()) return reason;
  if (plan.layout.partitioned) return "";  // new files, whatever is there
  if (in.request.mode == Mode::kUpsert) return "rows are merged by their key";
  if (!sink.file_exists) return "";
  if (!sink.table_exists) return "the file exists and keeps its other tables";
  if (in.request.mode == Mode::kTruncate) return "the rows of an existing table are replaced";
  if (in.request.mode == Mode::kDeleteInsert) return "some rows of an existing table are replaced";
  if (in.request.mode != Mode::kReplace) return "rows are added to an existing table";
  if (sink.file_has_other_objects) return "the file holds other tables, indexes or views";
  if (sink.file_is_busy) return "the file is in WAL mode or has a journal";
  if (!sink.dependents.empty()) return fmt::format("the table has {}", fmt::join(sink.dependents, ", "));
  if (!sink.indexes.empty() || !sink.constraints.empty()) return "the table has indexes or constraints";
  if (plan.columns.size() != sink.columns.size()) return "some columns are filled by defaults";
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    const ColumnPlan& c = plan.columns[i];
    if (lower(c.target) != lower(sink.columns[i].name)) return "the order of the columns differs";
    if (sink.columns[i].has_default || sink.columns[i].generated) return "the table has defaults";
    // The page writer stores values as the codec's own declared type would; another affinity might
    // convert them.
    const TypeFamily* family = find_type_family(c.field.type);
    const TargetType target = sqlite_target(
        c.field.type, family->default_target(c.field.type, Dialect::kSqlite), in.request);
    if (target.base != sink.columns[i].type.base) {
      return fmt::format("column {} has another affinity than {}", c.target, type_name(c.field.type));
    }
  }
  return "";
}

// Sorting once beats a search for each row, unless there are few of them.
void plan_sqlite_indexes(const PlanInput& in, Plan* plan) {
  constexpr int64_t kFewRows = 10000;
  const Mode mode = in.request.mode;
  const bool all_new = in.sink.table_is_empty || mode == Mode::kReplace || mode == Mode::kTruncate;
  const bool few = in.source.row_count >= 0 && in.source.row_count < kFewRows;
  if (plan->method != "api" || in.sink.indexes.empty() || !in.sink.table_exists) return;
  if (!in.sink.dependents.empty() || mode == Mode::kUpsert || !all_new || few) return;
  plan->index_action = "build after";
  decide(plan, "indexes", plan->index_action,
         "all rows are new: indexes that are not unique are sorted once, in the same transaction");
}

Status plan_sqlite(const PlanInput& in, Plan* plan) {
  const std::string& asked = in.request.method;
  if (asked != "auto" && asked != "pages" && asked != "api") {
    return unknown_method(asked, "pages, api or auto");
  }
  const std::string no_pages = no_pages_reason(in, *plan);
  if (asked == "pages" && !no_pages.empty()) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("the page writer cannot be used: {}", no_pages),
                 "use --method api or auto, or write to a new file");
  }
  plan->method = asked != "auto" ? asked : (no_pages.empty() ? "pages" : "api");
  const bool writes = !in.request.only_compares;
  if (writes && is_layer(in.request.values.geometry) && plan->method != "pages") {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("a {} is only written as a new file, page by page: {}",
                             layer_name(in.request.values.geometry), no_pages.empty() ? "method api was asked for" : no_pages),
                 "write to a new file");
  }
  plan->method_reason = asked != "auto" ? "requested"
                        : no_pages.empty() ? "a new file: its pages are written directly"
                                           : no_pages;
  plan_sqlite_indexes(in, plan);
  if (plan->method == "pages" && has_rowid_key(*plan)) {
    for (ColumnPlan& column : plan->columns) column.is_rowid = column.target == plan->primary_key[0];
  }
  // A new file is published by its rename; an existing one by SQLite's own transaction.
  const bool new_file = plan->method == "pages" || !in.sink.file_exists;
  plan->commit_scope = new_file ? CommitScope::kFile : CommitScope::kSingle;
  decide(plan, "commit_scope", commit_scope_name(plan->commit_scope),
         plan->layout.partitioned ? "files under temporary names, synced and renamed, the manifest last"
         : new_file               ? "written under a temporary name, synced and renamed"
                                  : "one SQLite transaction in the existing file");
  return {};
}

}  // namespace

Status plan_method(const PlanInput& in, Plan* plan) {
  if (in.sink.dialect == Dialect::kSqlite) {
    HEADRACE_TRY(plan_sqlite(in, plan));
  } else {
    HEADRACE_TRY(plan_postgres(in, plan));
  }
  plan->decisions.insert(plan->decisions.begin(),
                         Decision{"method", plan->method, plan->method_reason});
  return {};
}

}  // namespace headrace
