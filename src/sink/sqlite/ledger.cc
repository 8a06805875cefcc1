#include "sink/sqlite/ledger.h"

#include <fmt/format.h>

namespace headrace {
namespace {

std::string create_ledger_sql() {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (load_id TEXT NOT NULL, table_name TEXT NOT NULL, mode TEXT NOT "
      "NULL, method TEXT NOT NULL, source TEXT NOT NULL, rows INTEGER NOT NULL, committed_at TEXT NOT "
      "NULL, PRIMARY KEY (load_id, table_name))",
      kSqliteLedger);
}

std::string has_ledger_sql() {
  return fmt::format("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{}'",
                     kSqliteLedger);
}

}  // namespace

Status copy_sqlite_ledger(Connection& db, const std::string& path) {
  HEADRACE_ASSIGN(Statement attach, db.prepare("ATTACH ? AS headrace_old"));
  const std::string plain = path.starts_with('/') ? path : "./" + path;
  attach.bind_text(1, plain);
  HEADRACE_ASSIGN([[maybe_unused]] const bool row, attach.step());
  HEADRACE_TRY(db.run(create_ledger_sql()));
  HEADRACE_TRY(db.run(fmt::format("INSERT INTO main.{0} SELECT load_id, table_name, mode, method, "
                                  "source, rows, committed_at FROM headrace_old.{0}",
                                  kSqliteLedger)));
  return db.run("DETACH headrace_old");
}

Result<std::vector<PastLoad>> read_sqlite_ledger(Connection& db, const std::string& table) {
  std::vector<PastLoad> loads;
  HEADRACE_ASSIGN(const int64_t there, db.integer(has_ledger_sql()));
  if (there == 0) return loads;
  HEADRACE_ASSIGN(Statement find,
                  db.prepare(fmt::format("SELECT load_id, committed_at, rows FROM {} WHERE "
                                         "table_name = ? COLLATE NOCASE ORDER BY rowid",
                                         kSqliteLedger)));
  find.bind_text(1, table);
  for (;;) {
    HEADRACE_ASSIGN(const bool row, find.step());
    if (!row) return loads;
    loads.push_back({find.text(0), find.text(1), find.integer(2)});
  }
}

Result<std::optional<CommittedLoad>> find_sqlite_load(Connection& db, const std::string& table,
                                                      const std::string& load_id) {
  std::optional<CommittedLoad> found;
  HEADRACE_ASSIGN(const int64_t there, db.integer(has_ledger_sql()));
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

Status record_sqlite_load(Connection& db, const Plan& plan, const std::string& load_id, int64_t rows,
                          const std::string& when) {
  HEADRACE_TRY(db.run(create_ledger_sql()));
  HEADRACE_ASSIGN(Statement insert,
                  db.prepare(fmt::format("INSERT INTO {} VALUES (?, ?, ?, ?, ?, {}, "
                                         "coalesce(?, strftime('%Y-%m-%d %H:%M:%SZ', 'now')))",
                                         kSqliteLedger, rows)));
  insert.bind_text(1, load_id);
  insert.bind_text(2, plan.table);
  insert.bind_text(3, mode_name(plan.mode));
  insert.bind_text(4, plan.method);
  insert.bind_text(5, plan.source);
  if (!when.empty()) insert.bind_text(6, when);
  HEADRACE_ASSIGN([[maybe_unused]] const bool row, insert.step());
  return {};
}

}  // namespace headrace
