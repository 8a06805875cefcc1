// Builds the indexes of a staging table, several at once on connections of the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/table_copy.h"

namespace headrace {

// Builds them in their order, then gives each its constraint, comments and the like. The first
// error wins and cancels the other builds. memory_bytes: of each build; 0: the server's setting.
Status build_indexes(ConnectionPool& pool, const std::vector<IndexCopy>& indexes,
                     int64_t memory_bytes, const std::atomic<bool>* cancel);

// Runs the statements that add and check the staging table's foreign keys, each in a transaction of
// its own: adding one locks the other table's writers out for a moment, checking does not.
Status check_keys(Connection& connection, const std::vector<std::string>& statements,
                  int64_t memory_bytes);

}  // namespace headrace
