// The lines that a load writes into a log, for every interface alike.
#pragma once

#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/report.h"

namespace headrace::cli {

// Before the first row: "Writing 50,000 rows to PostgreSQL with batch size 10000", ...
std::vector<std::string> lines_at_start(const Plan& plan);

// After a load that went well: "Method 'copy' completed in 23.1 seconds", ...
std::vector<std::string> lines_at_end(const Report& report);

}  // namespace headrace::cli
