// The partitions of a table as the catalog has them, with bounds that a client can compare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/facts.h"
#include "headrace/partitions.h"
#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

struct PartitionTree {
  std::vector<PartitionNode> nodes;
  std::string no_routing;  // why rows cannot be routed on the client; empty: they can
};

// `columns` of the root, whose OID is `oid`. REQUIRES: a transaction is open; search_path is empty
// from here to its end.
Result<PartitionTree> read_partition_tree(Connection& connection, uint32_t oid,
                                          const std::vector<TargetColumn>& columns);

// The words of "FOR VALUES FROM ('a''b', MINVALUE) TO (5)": a string comes without its quotes
// behind an '=', everything else as it is. Empty: not understood.
std::vector<std::string> bound_words(std::string_view bound);

// What the types of partition keys are on the client. Empty: not one that we can compare.
// "signed", "bytes", "text", "padded", "label".
std::string_view key_family(const std::string& base_type);

}  // namespace headrace
