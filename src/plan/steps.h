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
