// Whether the rows for a partitioned table are routed on the client, into tables beside its
// partitions that several connections fill, and the reason (SPEC 2.2).
#include <fmt/format.h>

#include <algorithm>

#include "plan/steps.h"

namespace headrace {
namespace {

bool is_planned(const Plan& plan, const std::string& column) {
  return std::ranges::any_of(plan.columns, [&](const ColumnPlan& c) { return c.target == column; });
}

// A column that the server fills when a row goes through the parent only.
std::string filled_by_parent(const PlanInput& in, const Plan& plan) {
  for (const TargetColumn& column : in.sink.columns) {
    if (column.has_default && !column.generated && !is_planned(plan, column.name)) {
      return fmt::format("column {} is filled by a default of the parent", column.name);
    }
  }
  return "";
}

std::string missing_key(const PlanInput& in, const Plan& plan) {
  for (const PartitionNode& node : in.sink.partitions) {
    for (const PartitionKey& key : node.keys) {
      if (!is_planned(plan, key.column)) {
        return fmt::format("the source has no values for partition key {}", key.column);
      }
    }
  }
  return "";
}

int64_t count_leaves(const PlanInput& in, bool only_usable) {
  const bool replaces = in.request.mode == Mode::kReplace;
  return std::ranges::count_if(in.sink.partitions, [&](const PartitionNode& n) {
    return n.by == PartitionBy::kNone && n.parent >= 0 &&
           (!only_usable || (n.obstacle.empty() && (replaces || n.is_empty)));
  });
}

// A partition that a twin would have to replace, and cannot.
std::string leaf_obstacle(const PlanInput& in) {
  for (const PartitionNode& node : in.sink.partitions) {
    if (!node.obstacle.empty() && (in.request.mode == Mode::kReplace || node.is_empty)) {
      return fmt::format("partition {} would lose {}", node.table, node.obstacle);
    }
  }
  return "";
}

bool has_default_partition(const PlanInput& in) {
  return std::ranges::any_of(in.sink.partitions, [](const PartitionNode& n) { return n.is_default; });
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == text.npos &&
         text.find_first_not_of('0') != text.npos;
}

// Empty: ranges of this width can be made at this level.
std::string width_obstacle(const PartitionNode& node, const std::string& width) {
  if (node.by != PartitionBy::kRange || width == "list") return "";
  if (node.keys.size() != 1) return "ranges of several columns are not made";
  const PartitionKey& key = node.keys[0];
  const bool calendar = key.base == "date" || key.base == "timestamp" || key.base == "timestamptz";
  const bool integer = key.base == "int2" || key.base == "int4" || key.base == "int8";
  if (!calendar && !integer) return fmt::format("ranges of {} are not made", key.type);
  if (integer == is_number(width)) return "";
  return fmt::format("{} is no width of {} ({})", width, key.column, key.type);
}

}  // namespace

Status check_new_partitions(const PlanInput& in) {
  const std::string& width = in.request.create_partitions;
  if (width.empty()) return {};
  if (width != "list" && width != "day" && width != "month" && width != "year" && !is_number(width)) {
    return Error(ErrorCode::kUsage, fmt::format("--create-partitions {} is not understood", width),
                 "give list, day, month, year, or a number: the width of ranges");
  }
  if (in.sink.relation_kind != "partitioned table") {
    return Error(ErrorCode::kUsage, "partitions can be made for a partitioned table only",
                 "leave --create-partitions out, or create the table PARTITION BY first");
  }
  for (const PartitionNode& node : in.sink.partitions) {
    const std::string reason = width_obstacle(node, width);
    if (!reason.empty()) {
      return Error(ErrorCode::kUsage, fmt::format("--create-partitions {}: {}", width, reason),
                   "give list, day, month, year, or a number, or create the partitions first");
    }
  }
  return {};
}

std::string no_partition_routing_reason(const PlanInput& in, const Plan& plan) {
  if (in.request.mode != Mode::kAppend && in.request.mode != Mode::kReplace) {
    return fmt::format("mode {} goes through the parent", mode_name(in.request.mode));
  }
  if (plan.method != "copy") return fmt::format("method {} goes through the parent", plan.method);
  if (plan.row_format != RowFormat::kPgBinary) return "keys are read from binary rows only";
  if (!in.sink.no_routing.empty()) return in.sink.no_routing;
  for (const auto& reason : {missing_key(in, plan), filled_by_parent(in, plan), leaf_obstacle(in)}) {
    if (!reason.empty()) return reason;
  }
  if (in.request.mode == Mode::kReplace || !in.request.create_partitions.empty()) return "";
  return count_leaves(in, true) > 0 ? "" : "all its partitions have rows";
}

void plan_partition_routing(const PlanInput& in, Plan* plan) {
  plan->tree = in.sink.partitions;
  plan->create_partitions = in.request.create_partitions;
  const int64_t usable = count_leaves(in, true), all = count_leaves(in, false);
  std::string reason =
      "rows are routed here by their keys; each partition that gets some is filled beside it, and attached "
      "without a scan";
  if (in.request.mode == Mode::kAppend && usable < all) {
    reason += "; if some belong to partitions that have rows already, all are inserted in one transaction";
  }
  decide(plan, "partitions",
         in.request.mode == Mode::kReplace ? fmt::format("{} replaced", all)
                                           : fmt::format("{} of {} empty", usable, all),
         reason);
  if (has_default_partition(in)) {
    plan->warnings.push_back(
        in.request.create_partitions.empty()
            ? "the server scans the default partition when another one is attached, unless a CHECK of its "
              "own excludes the rows"
            : "the default partition takes every row that fits no other: no partition is made");
  }
}

}  // namespace headrace
