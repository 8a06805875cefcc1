// Merge: a staging table into the target, by a few statements of the transaction that publishes the
// load (scope staged). Readers see the target before or after all of them.
//
//   upsert         duplicates of a key within the staging table are an error, or are left out;
//                  INSERT ... ON CONFLICT
//   delete_insert  rows that do not meet the condition are an error: the next load of the same
//                  condition would not replace them. DELETE, INSERT
//   append         INSERT
//
// Used by the sink's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

struct MergeCounts {
  int64_t rows_deleted = 0;     // from the target
  int64_t rows_merged = 0;      // inserted or updated
  int64_t rows_duplicated = 0;  // left out, as another row of the source has their key
};

// CREATE of the staging table, with the columns of the plan.
std::vector<std::string> create_stage_sql(const Plan& plan, const std::string& qualified_stage);

// REQUIRES: the transaction of `control` is open and sees the staging table.
Result<MergeCounts> merge(Connection& control, const Plan& plan, const std::string& qualified_stage,
                          int lock_timeout_ms);

// Fails with kRejectedValue when rows of the staging table do not meet the condition of the rows to
// replace.
Status check_inside(Connection& control, const Plan& plan, const std::string& qualified_stage);

// What merge() runs when nothing is wrong, for people to read.
std::vector<std::string> merge_statements(const Plan& plan, const std::string& qualified_stage);

}  // namespace headrace
