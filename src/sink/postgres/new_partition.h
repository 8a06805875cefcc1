// Partitions that a load makes (--create-partitions): which one a value belongs to, its bound, its
// name. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/partitions.h"
#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

// The partition for a row that fits no child of `node`, by plan.create_partitions: a list of this
// one value, or the range of its day, month, year or number, as far as it is free. Its `table` is
// the name that it will have unless there is one. Fails with kRejectedValue, whose place is the
// column, when none may be made.
Result<PartitionNode> new_partition(const std::vector<PartitionNode>& nodes, int32_t node,
                                    const std::vector<std::string_view>& values, const Plan& plan);

// The condition of the bound, on the column of `parent`'s key.
std::string new_partition_check(const PartitionNode& leaf, const PartitionNode& parent);

// A value of a key column for people and as an SQL literal, by its base type and bytes.
std::string key_text(const std::string& base_type, std::string_view bytes);

}  // namespace headrace
