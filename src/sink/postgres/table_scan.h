// Reading a table back by COPY TO STDOUT in binary, in the bytes that our encoder sends, to compare it
// with its source.
#pragma once

#include <atomic>

#include "encode/format/table_sums.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

// Adds all rows of the plan's table, as the plan's columns. `cancel` may be nullptr. After a failure
// the connection is of no more use.
Status scan_postgres(Connection& connection, const Plan& plan, const std::atomic<bool>* cancel,
                     TableSums* sums);

}  // namespace headrace
