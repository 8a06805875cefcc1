#include "sink/sqlite/ledger.h"

#include <fmt/format.h>

namespace headrace {

Result<std::optional<CommittedLoad>> find_sqlite_load(Connection& db, const std::string& table,
                                                      const std::string& load_id) {
  std::optional<CommittedLoad> found;
  HEADRACE_ASSIGN(const int64_t there,
                  db.integer(fmt::format("SELECT count(*) FROM sqlite_master WHERE type = 'table' "
                                         "AND name = '{}'",
                                         kSqliteLedger)));
  if (there == 0) return found;
  HEADRACE_ASSIGN(Statement row,
                  db.prepare(fmt::format("SELECT committed_at, rows FROM {} WHERE load_id = ? AND "
                                         "table_name = ? COLLATE NOCASE",
                                         kSqliteLedger)));
  row.bind_text(1, load_id);
  row.bind_text(2, table);
  HEADRACE_ASSIGN(const bool committed, row.step());
  if (committed) found = CommittedLoad{row.text(0), row.integer(1)};
  return found;
}

Status record_sqlite_load(Connection& db, const Plan& plan, const std::string& load_id,
                          int64_t rows) {
  HEADRACE_TRY(db.run(
      fmt::format("CREATE TABLE IF NOT EXISTS {} (load_id TEXT NOT NULL, table_name TEXT NOT NULL, "
                  "mode TEXT NOT NULL, method TEXT NOT NULL, source TEXT NOT NULL, rows INTEGER "
                  "NOT NULL, committed_at TEXT NOT NULL, PRIMARY KEY (load_id, table_name))",
                  kSqliteLedger)));
  HEADRACE_ASSIGN(Statement insert,
                  db.prepare(fmt::format("INSERT INTO {} VALUES (?, ?, ?, ?, ?, {}, "
                                         "strftime('%Y-%m-%d %H:%M:%SZ', 'now'))",
                                         kSqliteLedger, rows)));
  insert.bind_text(1, load_id);
  insert.bind_text(2, plan.table);
  insert.bind_text(3, mode_name(plan.mode));
  insert.bind_text(4, plan.method);
  insert.bind_text(5, plan.source);
  HEADRACE_ASSIGN([[maybe_unused]] const bool row, insert.step());
  return {};
}

}  // namespace headrace
