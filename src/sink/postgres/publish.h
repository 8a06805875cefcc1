// Publishing: how the rows of finished writers become visible by one COMMIT.
//
//   single   the control connection's transaction is committed
//   swap     in the control connection's transaction, under an ACCESS EXCLUSIVE lock for the
//   renames
//            only: the staging table takes the place of the target
//
// Used by the sink's thread; building indexes uses further threads inside.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "sink/postgres/catalog.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/table_copy.h"
#include "sink/sink.h"

namespace headrace {

struct Publication {
  Connection& control;  // its transaction is open
  ConnectionPool& pool;
  const Plan& plan;
  const CatalogFacts& catalog;
  std::string stage;      // name of the staging table
  const TableCopy& copy;  // scope swap into an existing table: as the staging table was made
  std::string ledger_id;  // empty: the load is not kept
  const std::atomic<bool>* cancel = nullptr;

  // The load's row in the ledger, in the publishing transaction.
  Status record(int64_t rows) const;
};

enum class Published {
  kRows,   // the target has new rows; its statistics are those from before
  kTable,  // the target is a new table, which was analyzed while nobody saw it
};

// `rows` is what the ledger is told.
Result<Published> publish_single(const Publication& publication, int64_t rows, PublishStats* stats);
Result<Published> publish_swap(const Publication& publication, int64_t rows, PublishStats* stats);

// Locks the target. Waits in short attempts: while one waits, new readers queue behind it.
Status lock_table(const Publication& publication, const char* lock_mode);

// ANALYZE, whose time counts as index_seconds and whose failure is a warning: no data depends on
// it.
void analyze(Connection& connection, const std::string& qualified_table, PublishStats* stats);

// Commits. When the connection is lost meanwhile, a new one asks the server whether the
// transaction was committed; if nobody can say, the error does.
Status commit(Connection& connection, const ConnectionPool& pool);

// The statements of the swap itself, under the lock. `sequences`: of the staging table's identity
// columns, schema-qualified, in the order of copy.identities.
std::vector<std::string> swap_statements(const Plan& plan, const std::string& stage,
                                         const TableCopy& copy,
                                         const std::vector<std::string>& sequences);

}  // namespace headrace
