// Merge: the staging table of an upsert into its target, in the transaction of the load.
//
// The staging table is a temporary one: SQLite keeps it outside of the file, and it is gone with the
// connection. It has the target's columns with their affinities, and the rows' numbers as rowid.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/catalog.h"
#include "sink/sqlite/connection.h"

namespace headrace {

inline constexpr char kSqliteStage[] = "temp.\"_headrace_stage\"";

struct SqliteMergeCounts {
  int64_t rows_merged = 0;      // inserted or updated
  int64_t rows_duplicated = 0;  // left out, as another row of the source has their key
};

std::string sqlite_create_stage(const Plan& plan);

// `key` is that of the target whose columns the plan's keys are: it says which values are the same.
// Fails with kRejectedValue on rows of one key, unless the plan says which of them stays.
Result<SqliteMergeCounts> merge_sqlite_stage(Connection& db, const Plan& plan,
                                             const SqliteUniqueKey& key);

// The statement that merges, for people to read.
std::string sqlite_merge_statement(const Plan& plan);

}  // namespace headrace
