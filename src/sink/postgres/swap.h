// The swap of a filled staging table with an existing target, in the control connection's
// transaction.
//
// Everything that takes long is done before the target is locked: indexes, constraints, foreign
// keys, triggers, policies. Under the ACCESS EXCLUSIVE lock are only: the check that the target is
// what the staging table was made after, the renames, and CREATE OR REPLACE of the views.
//
// Locks are taken in attempts that leave nothing behind. The first lock of an attempt is waited for
// as long as the plan says: new readers queue behind the request, and nobody behind a lock of ours.
// Each further one (of a view's table, of a table that a foreign key names) is waited for shortly:
// two sessions that want the same tables in another order would wait for each other, and the server
// would end one of them after its deadlock_timeout (1 s). We give up first.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sink/postgres/publish.h"

namespace headrace {

enum class SwapOutcome { kReady, kHasRows };

// An error that names the staging table or an index of it, with the names that the user knows.
Error known_by_target(const Publication& publication, Error error);

// Locks the target. Waits in short attempts: while one waits, new readers queue behind it.
Status lock_table(const Publication& publication, const char* lock_mode);

// Everything up to the COMMIT. The lock is held when this returns kReady, since *locked_at;
// kHasRows: rows were added to the empty target meanwhile, the lock is given back.
Result<SwapOutcome> swap_with_target(const Publication& publication, PublishStats* stats,
                                     std::chrono::steady_clock::time_point* locked_at);

// The rows of the target that stay, into the staging table: all of them, or, in mode delete_insert,
// those that do not meet the condition.
std::string keep_rows_sql(const Plan& plan, const std::string& stage,
                          const std::vector<TargetColumn>& columns);

// What takes the locks, in order.
std::vector<std::string> lock_statements(const Plan& plan, const TableCopy& copy);

// The statements of the swap itself, under the lock. `sequences`: of the staging table's identity
// columns, schema-qualified, in the order of copy.identities.
std::vector<std::string> swap_statements(const Plan& plan, const std::string& stage,
                                         const TableCopy& copy,
                                         const std::vector<std::string>& sequences);

// The staging table becomes a table that was not there.
std::vector<std::string> name_new_table_statements(const Plan& plan, const std::string& stage);

}  // namespace headrace
