#include "sink/postgres/staging.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "sink/postgres/ddl.h"
#include "sink/postgres/write_job.h"

namespace headrace {
namespace {

constexpr char kDoing[] = "making the staging table";
constexpr int kDropSeconds = 15;
constexpr int kDropTimeoutMs = 20000;

std::string joined(const std::vector<std::string>& statements) {
  return fmt::format("{}", fmt::join(statements, ";\n"));
}

}  // namespace

Status drop_leftover(Connection& connection, const std::string& stage, const std::string& load_id) {
  HEADRACE_ASSIGN(
      const PgResult row,
      connection.query("SELECT obj_description(to_regclass($1), 'pg_class')", {stage}, kDoing));
  if (cell(row, 0, 0) != staging_comment(load_id)) return {};
  return connection.run(fmt::format("DROP TABLE {}", stage), kDoing);
}

namespace {

// Reads how the target is to be copied, without keeping its empty search_path.
Status read_target(Connection& connection, const Plan& plan, const CatalogFacts& catalog,
                   const std::string& stage, TableCopy* copy) {
  HEADRACE_TRY(connection.run("SAVEPOINT headrace_read", kDoing));
  // First: an empty search_path changes how types of extensions are named.
  HEADRACE_ASSIGN(const auto columns, read_columns(connection, catalog.oid));
  HEADRACE_ASSIGN(*copy, read_table_copy(connection, catalog.oid, stage));
  HEADRACE_TRY(connection.run("ROLLBACK TO SAVEPOINT headrace_read", kDoing));
  if (columns == catalog.facts.columns && copy->dependents.empty() && !copy->create.empty())
    return {};
  const std::string name = fmt::format("{}.{}", plan.schema, plan.table);
  if (!copy->dependents.empty()) {
    return Error(ErrorCode::kServer,
                 fmt::format("table {} cannot be swapped: it would lose {}", name,
                             fmt::join(copy->dependents, ", ")),
                 "run the load again");
  }
  return Error(ErrorCode::kServer,
               fmt::format("table {} was changed since the load was planned", name),
               "run the load again");
}

}  // namespace

Status rehearse(Connection& connection, const TableCopy& copy) {
  HEADRACE_TRY(connection.run("SAVEPOINT headrace_rehearsal; SET LOCAL search_path = ''", kDoing));
  HEADRACE_TRY(connection.run(joined(copy.trials), "trying the definitions of views"));
  HEADRACE_TRY(connection.run(joined(copy.objects), "making the triggers and policies"));
  HEADRACE_TRY(connection.run(joined(copy.rights), "setting the rights of the new table"));
  HEADRACE_TRY(connection.run(joined(copy.finish), "setting the properties of the new table"));
  return connection.run("ROLLBACK TO SAVEPOINT headrace_rehearsal", kDoing);
}

namespace {

// Rows of the load take values after those of the old rows.
Status continue_identities(Connection& connection, const std::string& stage,
                           const TableCopy& copy) {
  for (const IdentityCopy& identity : copy.identities) {
    HEADRACE_TRY(connection.run(
        fmt::format("SELECT setval(pg_get_serial_sequence({}, {}), last_value, is_called) FROM {}",
                    quote_literal(stage), quote_literal(identity.column),
                    qualified(identity.schema, identity.sequence)),
        kDoing));
  }
  return {};
}

Status create_in_transaction(Connection& connection, const Plan& plan, const CatalogFacts& catalog,
                             const std::string& load_id, const std::string& stage,
                             TableCopy* copy) {
  const std::string name = qualified(plan.schema, stage);
  HEADRACE_TRY(connection.run(
      fmt::format("{}; SET LOCAL lock_timeout = '10s'", begin_load_transaction()), kDoing));
  HEADRACE_TRY(drop_leftover(connection, name, load_id));
  if (plan.creates_table) {
    HEADRACE_TRY(connection.run(create_table_sql(name, plan.columns), kDoing));
  } else {
    HEADRACE_TRY(read_target(connection, plan, catalog, stage, copy));
    HEADRACE_TRY(connection.run("SET LOCAL default_tablespace = ''", kDoing));
    HEADRACE_TRY(connection.run(copy->create, kDoing));
    HEADRACE_TRY(connection.run(joined(copy->settings), kDoing));
    HEADRACE_TRY(continue_identities(connection, name, *copy));
    HEADRACE_TRY(rehearse(connection, *copy));
  }
  HEADRACE_TRY(connection.run(
      fmt::format("COMMENT ON TABLE {} IS {}", name, quote_literal(staging_comment(load_id))),
      kDoing));
  return connection.run("COMMIT", kDoing);
}

bool try_drop(Connection& connection, const std::string& stage) {
  connection.set_limits({nullptr, nullptr, kDropTimeoutMs});
  if (connection.in_transaction() && !connection.run("ROLLBACK").ok()) return false;
  return connection
      .run(fmt::format(
          "BEGIN; SET LOCAL client_min_messages = error; SET LOCAL lock_timeout = '10s';"
          "DROP TABLE IF EXISTS {}; COMMIT",
          stage))
      .ok();
}

}  // namespace

Status claim_load_id(Connection& control, const std::string& load_id) {
  HEADRACE_TRY(control.run(begin_load_transaction(), "BEGIN"));
  HEADRACE_ASSIGN(const PgResult row,
                  control.exec(fmt::format("SELECT pg_try_advisory_xact_lock({})",
                                           staging_lock_keys(staging_id(load_id))),
                               kDoing));
  if (cell_is_true(row, 0, 0)) return {};
  return Error(ErrorCode::kServer, fmt::format("a load with the id {} is running", load_id),
               "wait for its end, or use another --load-id");
}

Status create_staging(ConnectionPool& pool, const Plan& plan, const CatalogFacts& catalog,
                      const std::string& load_id, const std::string& stage, TableCopy* copy) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_TRY(create_in_transaction(*connection, plan, catalog, load_id, stage, copy));
  pool.give(std::move(connection));
  return {};
}

Status create_merge_stage(ConnectionPool& pool, const std::vector<std::string>& statements,
                          const std::string& load_id, const std::string& schema,
                          const std::string& stage) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  const std::string name = qualified(schema, stage);
  HEADRACE_TRY(connection->run(
      fmt::format("{}; SET LOCAL lock_timeout = '10s'", begin_load_transaction()), kDoing));
  HEADRACE_TRY(drop_leftover(*connection, name, load_id));
  HEADRACE_TRY(connection->run(joined(statements), kDoing));
  HEADRACE_TRY(connection->run(
      fmt::format("COMMENT ON TABLE {} IS {}", name, quote_literal(staging_comment(load_id))),
      kDoing));
  HEADRACE_TRY(connection->run("COMMIT", kDoing));
  pool.give(std::move(connection));
  return {};
}

void drop_staging(Connection* control, const ConnectionPool& pool,
                  const std::string& qualified_stage) noexcept {
  try {
    if (control != nullptr && control->alive()) {
      // Refused by a living server (a lock that is not given back in time): asking again is no
      // better.
      if (try_drop(*control, qualified_stage) || control->alive()) return;
    }
    // A server that crashed is back within seconds.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kDropSeconds);
    do {
      auto fresh = Connection::open(pool.target(), nullptr);
      if (fresh.ok() && try_drop(**fresh, qualified_stage)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    } while (std::chrono::steady_clock::now() < deadline);
  } catch (...) {
    // Out of memory: the table keeps its recognisable name.
  }
}

}  // namespace headrace
