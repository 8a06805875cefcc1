// SQL text for SQLite.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

// "a" or "say ""a""".
std::string sqlite_identifier(std::string_view name);

// CREATE TABLE "t" ("a" INTEGER NOT NULL, "b" TEXT), of the planned columns, with the planned keys as
// primary key.
std::string sqlite_create_table(const Plan& plan);
std::string sqlite_create_index(const Plan& plan, const IndexPlan& index);

// "a", "b": quoted and listed.
std::string sqlite_name_list(const std::vector<std::string>& names);

// INSERT OR FAIL INTO "t" ("a", "b") SELECT c0, c1 FROM the block's rows (row_source.h). OR FAIL
// overrides ON CONFLICT clauses of the table, by which rows would vanish without a word, and needs no
// copy of the pages that a statement changes: a failed load is rolled back as a whole. A staging
// table, unless `stage` is empty, takes the rows instead, with their numbers.
std::string sqlite_insert(const Plan& plan, const std::string& stage,
                          const std::string& source_columns);

std::string sqlite_delete_all(const Plan& plan);

// Fails with kUsage on names that SQL text cannot carry or that SQLite keeps for itself.
Status check_sqlite_names(const Plan& plan);
Status check_sqlite_table_name(const std::string& table);

}  // namespace headrace
