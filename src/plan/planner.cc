#include <fmt/format.h>

#include "plan/steps.h"

namespace headrace {
namespace {

Status check_target(const PlanInput& in, Plan* plan) {
  const SinkFacts& sink = in.sink;
  const std::string name = sink.schema.empty() ? sink.table : sink.schema + "." + sink.table;
  plan->creates_table = !sink.table_exists;
  if (!sink.table_exists) {
    if (sink.dialect == Dialect::kPostgres && sink.server_kind == "plain" && !sink.can_create) {
      return Error(ErrorCode::kServer,
                   fmt::format("table {} does not exist, and the user may not create tables in schema {}",
                               name, sink.schema),
                   "create the table first, or grant CREATE on the schema");
    }
    return {};
  }
  if (in.request.mode == Mode::kCreate) {
    return Error(ErrorCode::kTargetExists, fmt::format("table {} already exists", name),
                 "use --mode append to add rows, or --mode replace to replace all of them; truncate, "
                 "upsert and delete_insert load into it too");
  }
  const bool appends_to_view = sink.relation_kind == "view" && in.request.mode == Mode::kAppend;
  if (sink.relation_kind != "table" && sink.relation_kind != "partitioned table" &&
      sink.relation_kind != "file" && !appends_to_view) {
    return Error(ErrorCode::kUnsupported, fmt::format("{} is a {}, not a table", name, sink.relation_kind),
                 sink.relation_kind == "view" ? "use --mode append, or load into the table below it" : "load into a table");
  }
  if (!sink.can_insert) {
    return Error(ErrorCode::kServer, fmt::format("the user may not insert into {}", name),
                 fmt::format("GRANT INSERT ON {}", name));
  }
  return {};
}

}  // namespace

Result<Plan> make_plan(const LoadRequest& asked, const SourceFacts& source, const SinkFacts& sink,
                       const HostFacts& host) {
  const LoadRequest request = with_geometry(asked, sink);
  const PlanInput in{request, source, sink, host};
  Plan plan;
  plan.source = source.uri;
  plan.source_format = source.format;
  plan.target = sink.target;
  plan.dialect = sink.dialect;
  plan.schema = sink.schema;
  plan.table = sink.table;
  plan.mode = request.mode;
  plan.method_requested = request.method;
  plan.partitions = source.partitions;
  plan.row_count = source.row_count;
  plan.values = request.values;
  plan.verify = request.verify;
  plan.analyze = request.tuning.analyze;
  plan.lock_timeout_ms = request.tuning.lock_timeout_ms > 0 ? request.tuning.lock_timeout_ms : 5000;
  plan.maintenance_work_mem_bytes = request.tuning.maintenance_work_mem_bytes;
  plan.index_action = sink.indexes.empty() ? "none" : "keep";
  if (sink.committed) {
    plan.already_committed = true;
    decide(&plan, "load", "nothing to do",
           fmt::format("load {} was committed at {} with {} rows", request.load_id,
                       sink.committed->when, sink.committed->rows));
    return plan;
  }
  if (sink.interrupted) {
    plan.committed_rows = sink.interrupted->committed;
    decide(&plan, "load", "completed",
           fmt::format("an interrupted run of load {} committed {} rows: they are left out",
                       request.load_id, sink.interrupted->rows));
  }
  HEADRACE_TRY(check_target(in, &plan));
  HEADRACE_TRY(plan_columns(in, &plan));
  HEADRACE_TRY(plan_mode(in, &plan));
  HEADRACE_TRY(plan_layout(in, &plan));
  HEADRACE_TRY(plan_sqlite_table(in, &plan));
  HEADRACE_TRY(plan_method(in, &plan));
  HEADRACE_TRY(plan_parallelism(in, &plan));
  plan_recommendation(in, &plan);
  return plan;
}

}  // namespace headrace
