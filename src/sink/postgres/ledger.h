// Ledger: the table headrace_loads in the target's schema, one row for every load that was given an
// id. The row is written in the transaction that publishes the load, so it is there exactly when
// the rows are: the same id again does nothing.
//
// Used by the sink's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "headrace/facts.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/pool.h"

namespace headrace {

inline constexpr char kLedgerTable[] = "headrace_loads";

// The load of this id into this table, if it was committed. No ledger: nothing was.
Result<std::optional<CommittedLoad>> find_committed(Connection& connection,
                                                    const std::string& schema,
                                                    const std::string& table,
                                                    const std::string& load_id);

// Makes the ledger unless it is there, in a transaction of its own.
Status make_ledger(ConnectionPool& pool, const std::string& schema);

// Writes the row. REQUIRES: the publishing transaction of `control` is open.
Status record_load(Connection& control, const Plan& plan, const std::string& load_id, int64_t rows);

}  // namespace headrace
