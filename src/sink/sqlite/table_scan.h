// Reading a table back through SQLite, to compare it with what was loaded.
#pragma once

#include <atomic>
#include <string>

#include "encode/format/table_sums.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"

namespace headrace {

// SELECT of the plan's columns from `table`, an SQL name.
std::string sqlite_select(const Plan& plan, const std::string& table);

// Adds the rows of a statement that gives the columns of `sums`. `cancel` may be nullptr.
Status scan_sqlite(Connection& db, const std::string& select, const std::atomic<bool>* cancel,
                   TableSums* sums);

// Fails with kVerification unless PRAGMA `check` (quick_check or integrity_check) finds nothing.
Status check_sqlite_pages(Connection& db, const char* check);

// Fails with kVerification, naming rows and columns, unless the sums are the same.
Status compare_sums(const Plan& plan, const TableSums& found, const TableSums& wanted);

}  // namespace headrace
