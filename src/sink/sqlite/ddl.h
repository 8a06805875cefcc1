// SQL text for SQLite.
#pragma once

#include <string>
#include <string_view>

#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

// "a" or "say ""a""".
std::string sqlite_identifier(std::string_view name);

// CREATE TABLE "t" ("a" INTEGER NOT NULL, "b" TEXT), of the planned columns.
std::string sqlite_create_table(const Plan& plan);

// INSERT OR ABORT INTO "t" ("a", "b") VALUES (?,?),(?,?) with `rows` rows. OR ABORT overrides ON
// CONFLICT clauses of the table, by which rows would vanish without a word.
std::string sqlite_insert(const Plan& plan, int rows);

std::string sqlite_delete_all(const Plan& plan);

// Fails with kUsage on names that SQL text cannot carry or that SQLite keeps for itself.
Status check_sqlite_names(const Plan& plan);
Status check_sqlite_table_name(const std::string& table);

}  // namespace headrace
