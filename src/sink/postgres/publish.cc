#include "sink/postgres/publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>
#include <utility>

#include "base/phase_timer.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/index_builder.h"
#include "sink/postgres/ledger.h"
#include "sink/postgres/load_parts.h"

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLockAttempts = 5;
constexpr int kFirstPauseMs = 100;
constexpr int kDefaultLockTimeoutMs = 5000;
constexpr int kOutcomeAttempts = 50;
constexpr int kOutcomePauseMs = 200;

enum class SwapOutcome { kReady, kHasRows };

std::string joined(const std::vector<std::string>& statements) {
  return fmt::format("{}", fmt::join(statements, ";\n"));
}

std::string target_of(const Publication& p) { return qualified(p.plan.schema, p.plan.table); }

std::string shown_target(const Publication& p) {
  return fmt::format("{}.{}", p.plan.schema, p.plan.table);
}

bool wait_unless_cancelled(int ms, const std::atomic<bool>* cancel) {
  for (int waited = 0; waited < ms; waited += 50) {
    if (cancel != nullptr && cancel->load()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(50, ms - waited)));
  }
  return true;
}

// "pid 4711 (psql), pid 4712 (report)": who holds locks on the table.
std::string lock_holders(const Publication& p) {
  auto rows = p.control.query(
      "SELECT DISTINCT format('pid %s (%s)', a.pid, coalesce(nullif(a.application_name, ''), "
      "a.usename)) "
      "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
      "WHERE l.relation = $1::oid AND l.granted AND a.pid <> pg_backend_pid() "
      "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
      "ORDER BY 1 LIMIT 5",
      {std::to_string(p.catalog.oid)});
  std::string holders;
  for (int i = 0; rows.ok() && i < PQntuples(rows->get()); ++i) {
    holders += (i == 0 ? "" : ", ") + cell(*rows, i, 0);
  }
  return holders;
}

}  // namespace

Status lock_table(const Publication& p, const char* lock_mode) {
  const int timeout_ms =
      p.plan.lock_timeout_ms > 0 ? p.plan.lock_timeout_ms : kDefaultLockTimeoutMs;
  int pause_ms = kFirstPauseMs;
  for (int attempt = 1;; ++attempt) {
    HEADRACE_TRY(p.control.run(
        fmt::format("SAVEPOINT headrace_lock; SET LOCAL lock_timeout = {}", timeout_ms)));
    Status locked =
        p.control.run(fmt::format("LOCK TABLE {} IN {} MODE", target_of(p), lock_mode),
                      "locking the table for the swap");
    if (locked.ok() || locked.error().sqlstate != kLockNotAvailable) return locked;
    HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_lock"));
    if (attempt == kLockAttempts) {
      const std::string holders = lock_holders(p);
      Error error(
          ErrorCode::kServer,
          fmt::format("table {} is in use: its lock was not granted in {} attempts of {} ms",
                      shown_target(p), kLockAttempts, timeout_ms),
          fmt::format("wait for the sessions that use it{}{}, or raise --lock-timeout",
                      holders.empty() ? "" : ": ", holders));
      error.sqlstate = kLockNotAvailable;
      return error;
    }
    if (!wait_unless_cancelled(pause_ms, p.cancel)) return cancelled_error();
    pause_ms *= 2;
  }
}

namespace {

Error changed_meanwhile(const Publication& p) {
  return Error(
      ErrorCode::kServer,
      fmt::format("table {} was changed by someone else while the load ran", shown_target(p)),
      "run the load again");
}

// Under the lock: whether the target is still what the staging table was made after.
Status check_unchanged(const Publication& p) {
  HEADRACE_ASSIGN(const PgResult row, p.control.query("SELECT to_regclass($1)::oid", {target_of(p)},
                                                      "checking the table"));
  if (static_cast<uint32_t>(cell_integer(row, 0, 0)) != p.catalog.oid) return changed_meanwhile(p);
  HEADRACE_ASSIGN(const auto columns, read_columns(p.control, p.catalog.oid));
  HEADRACE_ASSIGN(const TableCopy copy, read_table_copy(p.control, p.catalog.oid, p.stage));
  if (copy != p.copy || columns != p.catalog.facts.columns) return changed_meanwhile(p);
  return {};
}

Result<std::vector<std::string>> identity_sequences(const Publication& p) {
  std::vector<std::string> sequences;
  for (const IdentityCopy& identity : p.copy.identities) {
    HEADRACE_ASSIGN(const PgResult row,
                    p.control.query("SELECT pg_get_serial_sequence($1, $2)",
                                    {qualified(p.plan.schema, p.stage), identity.column}));
    sequences.push_back(cell(row, 0, 0));
  }
  return sequences;
}

// Without keeping a lock on the target: two loads that both did could not lock it later.
Result<bool> target_is_empty(const Publication& p) {
  HEADRACE_TRY(p.control.run("SAVEPOINT headrace_look"));
  HEADRACE_ASSIGN(const bool empty, read_is_empty(p.control, target_of(p)));
  HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_look"));
  return empty;
}

// Everything up to the COMMIT of a swap with an existing table. The lock is held when this returns
// kReady; kHasRows: rows were added to the empty target meanwhile, the lock is given back.
Result<SwapOutcome> swap_with_target(const Publication& p, Clock::time_point* locked_at) {
  const bool append = p.plan.mode == Mode::kAppend;
  HEADRACE_TRY(p.control.run("SAVEPOINT headrace_swap"));
  HEADRACE_TRY(p.control.run(joined(p.copy.rights), "setting the rights of the new table"));
  HEADRACE_TRY(p.control.run(joined(p.copy.finish), "setting the properties of the new table"));
  HEADRACE_ASSIGN(const auto sequences, identity_sequences(p));
  HEADRACE_TRY(lock_table(p, "ACCESS EXCLUSIVE"));
  *locked_at = Clock::now();
  HEADRACE_TRY(check_unchanged(p));
  if (append) {
    HEADRACE_ASSIGN(const bool empty, read_is_empty(p.control, target_of(p)));
    if (!empty) {
      HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_swap"));
      return SwapOutcome::kHasRows;
    }
  }
  HEADRACE_TRY(p.control.run(joined(swap_statements(p.plan, p.stage, p.copy, sequences)),
                             "swapping the tables"));
  return SwapOutcome::kReady;
}

// The slower way into a target that is no longer empty.
Status insert_from_stage(const Publication& p, PublishStats* stats) {
  const std::string columns = column_list(p.plan.columns);
  const std::string stage = qualified(p.plan.schema, p.stage);
  stats->warnings.push_back(fmt::format(
      "table {} was empty when the load began and is not any more: the rows were inserted from the "
      "staging table",
      shown_target(p)));
  const std::string listed = columns.substr(1, columns.size() - 2);
  return p.control.run(
      fmt::format("INSERT INTO {} {}{} SELECT {} FROM {}; DROP TABLE {}", target_of(p), columns,
                  p.copy.identities.empty() ? "" : " OVERRIDING SYSTEM VALUE", listed, stage,
                  stage),
      "inserting from the staging table");
}

Status publish_new_table(const Publication& p) {
  Status renamed =
      p.control.run(joined(swap_statements(p.plan, p.stage, p.copy, {})), "naming the table");
  if (renamed.ok() || renamed.error().sqlstate != kDuplicateTable) return renamed;
  return Error(
      ErrorCode::kTargetExists,
      fmt::format("table {} was created by someone else while the load ran", shown_target(p)),
      "use --mode append to add rows, or --mode replace to replace all of them");
}

// Indexes and statistics of the staging table: readers have them from the first moment.
Status finish_staging(const Publication& p, PublishStats* stats) {
  const auto start = Clock::now();
  HEADRACE_TRY(build_indexes(p.pool, p.copy.indexes, p.cancel));
  stats->index_seconds += seconds_since(start);
  HEADRACE_ASSIGN(auto connection, p.pool.take());
  if (p.plan.analyze) analyze(*connection, qualified(p.plan.schema, p.stage), stats);
  if (connection->limits().stopped()) return cancelled_error();
  p.pool.give(std::move(connection));
  return {};
}

Result<Published> publish_existing(const Publication& p, PublishStats* stats,
                                   std::optional<Clock::time_point>* lock) {
  bool has_rows = false;
  if (p.plan.mode == Mode::kAppend) {
    HEADRACE_ASSIGN(const bool empty, target_is_empty(p));
    has_rows = !empty;
  }
  if (!has_rows) {
    HEADRACE_TRY(finish_staging(p, stats));
    Clock::time_point locked_at;
    HEADRACE_ASSIGN(const SwapOutcome outcome, swap_with_target(p, &locked_at));
    if (outcome == SwapOutcome::kReady) {
      *lock = locked_at;
      return Published::kTable;
    }
  }
  HEADRACE_TRY(insert_from_stage(p, stats));
  return Published::kRows;
}

std::optional<std::string> transaction_outcome(const ConnectionPool& pool, const std::string& xid) {
  for (int attempt = 0; attempt < kOutcomeAttempts; ++attempt) {
    auto connection = Connection::open(pool.target(), nullptr);
    if (connection.ok()) {
      (*connection)->set_limits({nullptr, nullptr, 5000});
      auto row = (*connection)->query("SELECT txid_status($1::bigint)", {xid});
      if (row.ok() && cell(*row, 0, 0) != "in progress") return cell(*row, 0, 0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kOutcomePauseMs));
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> swap_statements(const Plan& plan, const std::string& stage,
                                         const TableCopy& copy,
                                         const std::vector<std::string>& sequences) {
  const std::string target = qualified(plan.schema, plan.table);
  const std::string staging = qualified(plan.schema, stage);
  std::vector<std::string> sql;
  const auto append = [&sql](const std::vector<std::string>& more) {
    sql.insert(sql.end(), more.begin(), more.end());
  };
  if (plan.creates_table) {
    return {fmt::format("COMMENT ON TABLE {} IS NULL", staging),
            fmt::format("ALTER TABLE {} RENAME TO {}", staging, quote_identifier(plan.table))};
  }
  append(copy.sequences);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const IdentityCopy& old = copy.identities[i];
    sql.push_back(fmt::format("SELECT setval({}, last_value, is_called) FROM {}",
                              quote_literal(sequences[i]), qualified(old.schema, old.sequence)));
  }
  sql.push_back(fmt::format("DROP TABLE {}", target));  // RESTRICT: nothing else may go with it
  sql.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", staging, quote_identifier(plan.table)));
  for (size_t i = 0; i < sequences.size(); ++i) {
    sql.push_back(fmt::format("ALTER SEQUENCE {} RENAME TO {}", sequences[i],
                              quote_identifier(copy.identities[i].sequence)));
  }
  for (const IndexCopy& index : copy.indexes) append(index.attach);
  return sql;
}

Status commit(Connection& connection, const ConnectionPool& pool) {
  HEADRACE_ASSIGN(const PgResult row,
                  connection.exec("SELECT txid_current_if_assigned()", "COMMIT"));
  const std::string xid = cell(row, 0, 0);
  auto committed = connection.exec("COMMIT", "COMMIT");
  if (committed.ok()) {
    if (std::string_view(PQcmdStatus(committed->get())) == "COMMIT") return {};
    return Error(ErrorCode::kServer, "COMMIT: the server rolled the transaction back");
  }
  if (connection.alive() || xid.empty()) return std::move(committed).error();
  const auto outcome = transaction_outcome(pool, xid);
  if (outcome == "committed") return {};
  Error error = std::move(committed).error();
  if (outcome != "aborted") {
    error.message += "; whether the transaction was committed is not known";
    error.hint = "look at the table before the load is run again, or give loads a --load-id: the same "
                 "id again does nothing when it was committed";
    error.outcome_unknown = true;
  }
  return error;
}

void analyze(Connection& connection, const std::string& qualified_table, PublishStats* stats) {
  const auto start = Clock::now();
  Status analyzed = connection.run(fmt::format("ANALYZE {}", qualified_table));
  stats->index_seconds += seconds_since(start);
  if (analyzed.ok()) return;
  stats->warnings.push_back(fmt::format("ANALYZE failed: {}", analyzed.error().message));
}

Status Publication::record(int64_t rows) const {
  if (ledger_id.empty()) return {};
  if (!plan.committed_rows.empty()) HEADRACE_TRY(forget_parts(control, plan, ledger_id));
  return record_load(control, plan, ledger_id, rows);
}

Result<Published> publish_single(const Publication& p, int64_t rows, PublishStats* stats) {
  const auto start = Clock::now();
  HEADRACE_TRY(p.record(rows));
  HEADRACE_TRY(commit(p.control, p.pool));
  stats->commit_seconds += seconds_since(start);
  return Published::kRows;
}

Result<Published> publish_swap(const Publication& p, int64_t rows, PublishStats* stats) {
  const auto start = Clock::now();
  std::optional<Clock::time_point> lock;
  Published published = Published::kTable;
  if (p.plan.creates_table) {
    HEADRACE_TRY(finish_staging(p, stats));
    HEADRACE_TRY(publish_new_table(p));
  } else {
    HEADRACE_ASSIGN(published, publish_existing(p, stats, &lock));
  }
  HEADRACE_TRY(p.record(rows));
  HEADRACE_TRY(commit(p.control, p.pool));
  if (lock) stats->lock_seconds = seconds_since(*lock);
  stats->commit_seconds += seconds_since(start) - stats->index_seconds;
  return published;
}

}  // namespace headrace
