// Parts of a load whose N transactions are committed one after the other (commit scope together).
//
// Each transaction writes one row into the table headrace_load_parts of the target's schema: which
// rows of the source it holds. So that row is there exactly when its rows are, and a run with the
// same id after an interrupted one leaves those rows out. When all are committed the rows go.
//
// A transaction also holds an advisory lock, shared: who takes it exclusively knows that no COMMIT
// of an earlier run is still on its way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headrace/partitions.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/postgres/pool.h"

namespace headrace {

inline constexpr char kPartsTable[] = "headrace_load_parts";

// Makes the table unless it is there.
Status make_parts_table(ConnectionPool& pool, const std::string& schema);

// What an interrupted load of this id has committed so far, without waiting. No table: nothing.
Result<std::optional<InterruptedLoad>> find_interrupted(Connection& connection,
                                                        const std::string& schema,
                                                        const std::string& table,
                                                        const std::string& load_id);

// The same, when nothing of it is on its way any more.
Result<std::optional<InterruptedLoad>> wait_for_parts(ConnectionPool& pool,
                                                      const std::string& schema,
                                                      const std::string& table,
                                                      const std::string& load_id);

// In the transaction of a part: the lock at its beginning, the row at its end.
std::string lock_part_sql(const std::string& load_id);
Status record_part(Connection& connection, const Plan& plan, const std::string& load_id,
                   const std::vector<RowInterval>& intervals);

// In the transaction that ends the load.
Status forget_parts(Connection& control, const Plan& plan, const std::string& load_id);

// "0+500,1000+24" and back.
std::string intervals_text(const std::vector<RowInterval>& intervals);
std::vector<RowInterval> parse_intervals(const std::string& text);

// Sorted, those that touch as one.
std::vector<RowInterval> merged(std::vector<RowInterval> intervals);

}  // namespace headrace
