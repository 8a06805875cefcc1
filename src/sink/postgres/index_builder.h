// Builds the indexes of a staging table, several at once on connections of the pool.
#pragma once

#include <atomic>
#include <vector>

#include "headrace/result.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/table_copy.h"

namespace headrace {

// The first error wins and cancels the other builds.
Status build_indexes(ConnectionPool& pool, const std::vector<IndexCopy>& indexes,
                     const std::atomic<bool>* cancel);

}  // namespace headrace
