// The statements of a load as its plan has them, for people to read (headrace plan), and those that
// are run in the same words. Pure text; any thread.
#pragma once

#include <string>
#include <vector>

#include "headrace/plan.h"
#include "sink/postgres/catalog.h"

namespace headrace {

inline constexpr char kTemporarySchema[] = "pg_temp";

// Everything that prepare, the writers and publish run. `catalog` may be null: nothing is known of
// the target then.
std::vector<std::string> planned_sql(const Plan& plan, const CatalogFacts* catalog);

// Replacing all rows in one transaction: locks the table against other writers, then deletes.
std::vector<std::string> delete_statements(const Plan& plan);

}  // namespace headrace
