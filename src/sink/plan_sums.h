// The sums by which the table of a plan is compared with its source.
#pragma once

#include <string>
#include <vector>

#include "encode/format/table_sums.h"
#include "headrace/plan.h"

namespace headrace {

// Empty sums; each column's values are hashed as its target keeps them.
TableSums plan_sums(const Plan& plan);

// Names of the plan's target columns.
std::vector<std::string> plan_column_names(const Plan& plan);

}  // namespace headrace
