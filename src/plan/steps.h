// The steps of make_plan, in their order; each adds its part and its decisions to the plan.
// All are pure.
#pragma once

#include "headrace/plan.h"

namespace headrace {

struct PlanInput {
  const LoadRequest& request;
  const SourceFacts& source;
  const SinkFacts& sink;
  const HostFacts& host;
};

// match_columns.cc: source columns against target columns, by name; or new columns.
Status plan_columns(const PlanInput& in, Plan* plan);

// plan_mode.cc: keys and conditions that the mode needs.
Status plan_mode(const PlanInput& in, Plan* plan);

// plan_sqlite.cc: STRICT, primary key, indexes.
Status plan_sqlite_table(const PlanInput& in, Plan* plan);

// The same: the declared type of a new column, by options that change it; `target` without them.
TargetType sqlite_target(const DataType& type, TargetType target, const LoadRequest& request);

// The same: whether the primary key of the new table is its rowid.
bool has_rowid_key(const Plan& plan);

// The same: why the page writer cannot make the key or an index of this plan; empty: it can.
std::string no_direct_keys_reason(const Plan& plan);

// plan_geometry.cc: the request with the form of geometries that a path ending in .gpkg asks for.
LoadRequest with_geometry(const LoadRequest& request, const SinkFacts& sink);

// The same: "GeoPackage", "SpatiaLite file". REQUIRES: is_layer(form).
const char* layer_name(ValueOptions::Geometry form);

// The same: which columns of a SQLite table are geometries, and their type.
Status plan_geometry(const PlanInput& in, Plan* plan);

// The same: the column that numbers the features of a layer, unless the source has one.
Status plan_feature_id(const PlanInput& in, Plan* plan);

// plan_layout.cc: one SQLite file or several, and which rows go to which.
Status plan_layout(const PlanInput& in, Plan* plan);

// choose_method.cc: method and row format.
Status plan_method(const PlanInput& in, Plan* plan);

// choose_commit_scope.cc: how a PostgreSQL load becomes visible at once. REQUIRES: plan_method.
Status plan_commit_scope(const PlanInput& in, Plan* plan);

// plan_partitions.cc: into a partitioned table. Empty: rows can be routed here; otherwise why not.
std::string no_partition_routing_reason(const PlanInput& in, const Plan& plan);
// kUsage: --create-partitions asks for what this target cannot have.
Status check_new_partitions(const PlanInput& in);
void plan_partition_routing(const PlanInput& in, Plan* plan);

// choose_partitions.cc: readers, workers, sizes of batches and blocks.
Status plan_parallelism(const PlanInput& in, Plan* plan);

// recommend.cc: the published recommendation, beside what the plan chose.
void plan_recommendation(const PlanInput& in, Plan* plan);

inline void decide(Plan* plan, std::string subject, std::string choice, std::string reason) {
  plan->decisions.push_back({std::move(subject), std::move(choice), std::move(reason)});
}

}  // namespace headrace
