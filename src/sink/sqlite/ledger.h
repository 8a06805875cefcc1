// The table headrace_loads of a file: one row for every load that was given an id, written in the
// transaction that publishes the rows, or into the new file before it is renamed. So it is there
// exactly when the rows are, and the same id again does nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headrace/facts.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"

namespace headrace {

inline constexpr char kSqliteLedger[] = "headrace_loads";

// The load of this id into this table, if it was committed. No ledger: nothing was.
Result<std::optional<CommittedLoad>> find_sqlite_load(Connection& db, const std::string& table,
                                                      const std::string& load_id);

// A load of the past, for a table that moves between one file and a set of files.
struct PastLoad {
  std::string id;
  std::string when;
  int64_t rows = 0;
};

Result<std::vector<PastLoad>> read_sqlite_ledger(Connection& db, const std::string& table);

// Copies the ledger of the file at `path`, as it is, into `db`, which has none. REQUIRES: no
// transaction is open.
Status copy_sqlite_ledger(Connection& db, const std::string& path);

// Makes the ledger unless it is there, and writes the row. REQUIRES: a transaction is open.
// `when`: empty is now.
Status record_sqlite_load(Connection& db, const Plan& plan, const std::string& load_id, int64_t rows,
                          const std::string& when = {});

}  // namespace headrace
