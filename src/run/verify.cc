// headrace verify: both sides summed, and compared.
#include "headrace/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "base/phase_timer.h"
#include "plan/json_archive.h"
#include "plan/text_layout.h"
#include "run/pipeline.h"
#include "run/summing_sink.h"
#include "sink/plan_sums.h"
#include "sink/sink.h"
#include "source/source.h"

namespace headrace {
namespace {

std::string values_text(const VerifiedColumn& column) {
  if (column.source_values == column.target_values) return grouped(column.source_values);
  return fmt::format("{} in the source, {} in the table", grouped(column.source_values),
                     grouped(column.target_values));
}

void compare(const Plan& plan, const TableSums& source, const TableSums& target,
             VerifyReport* report) {
  report->source = plan.source;
  report->target = plan.target;
  report->table = plan.schema.empty() ? plan.table : plan.schema + "." + plan.table;
  report->source_rows = source.rows();
  report->target_rows = target.rows();
  report->same = target.same_as(source);
  report->difference = difference(target, source, plan_column_names(plan));
  for (size_t c = 0; c < plan.columns.size(); ++c) {
    VerifiedColumn column;
    column.name = plan.columns[c].target;
    column.source_values = source.columns()[c].values;
    column.target_values = target.columns()[c].values;
    column.nulls_only = source.rules()[c] == SumRule::kNullsOnly;
    column.same = source.columns()[c] == target.columns()[c];
    report->columns.push_back(std::move(column));
  }
}

// The rows would be appended: so the columns are matched with the table's by name, and encoded for
// their types.
LoadRequest as_append(const LoadRequest& request) {
  LoadRequest append = request;
  append.mode = Mode::kAppend;
  append.only_compares = true;
  append.method = "auto";
  append.load_id.clear();
  append.verify = VerifyLevel::kNone;
  append.keys.clear();
  append.update_columns.clear();
  append.on_duplicate = OnDuplicate::kError;
  append.replace_where.clear();
  append.tuning.row_format.clear();
  return append;
}

Result<VerifyReport> verify_tables(const LoadRequest& request) {
  HEADRACE_ASSIGN(const auto source, open_source(request));
  HEADRACE_ASSIGN(const auto sink, open_sink(request));
  HEADRACE_ASSIGN(const SinkFacts facts, sink->facts());
  if (!facts.table_exists) {
    return Error(ErrorCode::kNotFound, fmt::format("there is no table {}", facts.table),
                 "give --table, and the target that was loaded");
  }
  HostFacts host;
  host.cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  HEADRACE_ASSIGN(Plan plan, make_plan(request, source->facts(), facts, host));
  plan.workers = host.cores;  // they do not write
  SummingSink summing(nullptr, plan);
  PipelineStats stats;
  HEADRACE_TRY(run_pipeline(request, plan, "", *source, summing, &stats));
  TableSums found = plan_sums(plan);
  HEADRACE_TRY(sink->scan(plan, request.cancel, &found));
  VerifyReport report;
  compare(plan, summing.sums(), found, &report);
  return report;
}

}  // namespace

std::string VerifyReport::to_json() const {
  Json list = Json::array();
  for (const VerifiedColumn& column : columns) {
    list.push_back(Json{{"name", column.name},
                        {"same", column.same},
                        {"compared", column.nulls_only ? "nulls" : "values"},
                        {"source_values", column.source_values},
                        {"target_values", column.target_values}});
  }
  return dump(Json{{"schema_version", schema_version},
                   {"status", same ? "same" : "different"},
                   {"difference", known(difference)},
                   {"source", source},
                   {"target", target},
                   {"table", table},
                   {"source_rows", source_rows},
                   {"target_rows", target_rows},
                   {"seconds", seconds},
                   {"columns", list}},
              2);
}

std::string VerifyReport::to_text() const {
  std::string out;
  append_field(&out, "status", same ? "the same" : "different: " + printable(difference));
  append_field(&out, "source", printable(source));
  append_field(&out, "target", printable(target) + ", table " + printable(table));
  append_field(&out, "rows",
               source_rows == target_rows
                   ? grouped(source_rows)
                   : fmt::format("{} in the source, {} in the table", grouped(source_rows),
                                 grouped(target_rows)));
  append_field(&out, "time", seconds_text(seconds));
  TextTable table_of_columns({{"column"}, {"same"}, {"values"}, {"compared"}});
  for (const VerifiedColumn& column : columns) {
    table_of_columns.add_row({printable(column.name), column.same ? "yes" : "NO",
                              values_text(column), column.nulls_only ? "NULLs only" : "values"});
  }
  return out + "\n" + table_of_columns.render();
}

Result<VerifyReport> verify(const LoadRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  try {
    auto report = verify_tables(as_append(request));
    if (report.ok()) report->seconds = seconds_since(start);
    return report;
  } catch (const std::exception& e) {
    return Error(ErrorCode::kInternal, fmt::format("unexpected failure: {}", e.what()));
  }
}

}  // namespace headrace
