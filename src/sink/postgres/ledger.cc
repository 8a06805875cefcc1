#include "sink/postgres/ledger.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace headrace {
namespace {

constexpr char kUniqueViolation[] = "23505";
constexpr char kNoPrivilege[] = "42501";

std::string create_ledger_sql(const std::string& schema) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (load_id text, table_name text, mode text NOT NULL, "
      "method text NOT NULL, source text NOT NULL, rows bigint NOT NULL, "
      "committed_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (load_id, table_name))",
      qualified(schema, kLedgerTable));
}

Result<bool> has_ledger(Connection& connection, const std::string& schema) {
  HEADRACE_ASSIGN(const PgResult row,
                  connection.query("SELECT to_regclass($1) IS NOT NULL",
                                   {qualified(schema, kLedgerTable)}, "looking for the ledger"));
  return cell_is_true(row, 0, 0);
}

}  // namespace

Result<std::optional<CommittedLoad>> find_committed(Connection& connection,
                                                    const std::string& schema,
                                                    const std::string& table,
                                                    const std::string& load_id) {
  std::optional<CommittedLoad> found;
  HEADRACE_ASSIGN(const bool there, has_ledger(connection, schema));
  if (!there) return found;
  HEADRACE_ASSIGN(
      const PgResult row,
      connection.query(fmt::format("SELECT to_char(committed_at AT TIME ZONE 'UTC', "
                                   "'YYYY-MM-DD HH24:MI:SS\"Z\"'), rows FROM {} "
                                   "WHERE load_id = $1 AND table_name = $2",
                                   qualified(schema, kLedgerTable)),
                       {load_id, table}, "reading the ledger"));
  if (PQntuples(row.get()) > 0) found = CommittedLoad{cell(row, 0, 0), cell_integer(row, 0, 1)};
  return found;
}

Status make_ledger(ConnectionPool& pool, const std::string& schema) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_ASSIGN(const bool there, has_ledger(*connection, schema));
  if (!there) {
    const std::string sql = create_ledger_sql(schema);
    Status made = connection->run(
        fmt::format("BEGIN; SET LOCAL client_min_messages = error; {}; COMMIT", sql),
        "making the ledger");
    if (!made.ok()) {
      (void)connection->run("ROLLBACK").ok();
      // Two loads at once: the other one made it.
      HEADRACE_ASSIGN(const bool made_by_other, has_ledger(*connection, schema));
      if (!made_by_other) {
        Error error = std::move(made).error();
        if (error.sqlstate == kNoPrivilege) {
          error.hint = fmt::format("leave --load-id out, or let the owner of the schema run: {}; "
                                   "GRANT SELECT, INSERT ON {} TO this user",
                                   sql, qualified(schema, kLedgerTable));
        }
        return error;
      }
    }
  }
  pool.give(std::move(connection));
  return {};
}

Status record_load(Connection& control, const Plan& plan, const std::string& load_id,
                   int64_t rows) {
  auto written = control.query(
      fmt::format("INSERT INTO {} (load_id, table_name, mode, method, source, rows) "
                  "VALUES ($1, $2, $3, $4, $5, $6)",
                  qualified(plan.schema, kLedgerTable)),
      {load_id, plan.table, mode_name(plan.mode), plan.method, plan.source, std::to_string(rows)},
      "writing the ledger");
  if (written.ok()) return {};
  Error error = std::move(written).error();
  if (error.sqlstate == kUniqueViolation) {
    error.code = ErrorCode::kServer;
    error.message = fmt::format("a load with the id {} into {} was committed meanwhile", load_id, plan.table);
    error.hint = "nothing was changed by this run; the rows of the other one are there";
  }
  return error;
}

}  // namespace headrace
