// The objects that hang on a table, read as the statements that make them hang on its twin:
// triggers, policies, rules, views, foreign keys in both directions, extended statistics. What
// cannot be carried goes into copy->dependents, with the reason.
//
// Every kind here is left out of the search for objects nobody knows (table_copy_sql.h).
#pragma once

#include <string>

#include "headrace/result.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/table_copy.h"

namespace headrace {

// REQUIRES: as read_table_copy, with search_path empty. Adds to *copy.
Status read_carried_objects(Connection& connection, const std::string& oid,
                            const std::string& stage, SwapOf swap_of, TableCopy* copy);

}  // namespace headrace
