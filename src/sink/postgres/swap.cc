#include "sink/postgres/swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/phase_timer.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/merge.h"

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLockAttempts = 5;
constexpr int kFirstPauseMs = 100;
constexpr int kLongestPauseMs = 2000;
constexpr int kDefaultLockTimeoutMs = 5000;
// Less than half of the server's default deadlock_timeout.
constexpr int kFurtherLockMs = 400;

std::string joined(const std::vector<std::string>& statements) {
  return fmt::format("{}", fmt::join(statements, ";\n"));
}

std::string target_of(const Plan& plan) { return qualified(plan.schema, plan.table); }

std::string shown_target(const Publication& p) {
  return fmt::format("{}.{}", p.plan.schema, p.plan.table);
}

int lock_timeout_ms(const Plan& plan) {
  return plan.lock_timeout_ms > 0 ? plan.lock_timeout_ms : kDefaultLockTimeoutMs;
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

Error not_granted(const Publication& p, int attempts) {
  const std::string holders = lock_holders(p);
  Error error(ErrorCode::kServer,
              fmt::format("table {} is in use: its lock was not granted in {} attempts of {} ms",
                          shown_target(p), attempts, lock_timeout_ms(p.plan)),
              fmt::format("wait for the sessions that use it{}{}, or raise --lock-timeout",
                          holders.empty() ? "" : ": ", holders));
  error.sqlstate = kLockNotAvailable;
  return error;
}

Error changed_meanwhile(const Publication& p) {
  return Error(
      ErrorCode::kServer,
      fmt::format("table {} was changed by someone else while the load ran", shown_target(p)),
      "run the load again");
}

// Under the lock: whether the target is still what the staging table was made after.
Status check_unchanged(const Publication& p) {
  HEADRACE_ASSIGN(const PgResult row,
                  p.control.query("SELECT to_regclass($1)::oid", {target_of(p.plan)},
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

// Writers wait from here on, so that no row is lost; readers do not.
Status keep_rows(const Publication& p, PublishStats* stats) {
  const std::string stage = qualified(p.plan.schema, p.stage);
  HEADRACE_TRY(p.control.run(fmt::format("SET LOCAL lock_timeout = {}; LOCK TABLE {} IN SHARE MODE",
                                         lock_timeout_ms(p.plan), target_of(p.plan)),
                             "locking the table"));
  // The extended protocol takes no second statement: a condition cannot end this one.
  auto kept = p.control.query(keep_rows_sql(p.plan, stage, p.catalog.facts.columns), {},
                              "copying the rows that stay");
  if (!kept.ok()) return known_by_target(p, std::move(kept).error());
  if (p.plan.analyze) {
    const auto start = Clock::now();
    HEADRACE_TRY(p.control.run(fmt::format("ANALYZE {}", stage), "ANALYZE"));
    stats->analyze_seconds += seconds_since(start);
  }
  return {};
}

Status lock_target(const Publication& p) {
  int wait_ms = lock_timeout_ms(p.plan);
  if (p.plan.keeps_rows) wait_ms = std::min(wait_ms, kFurtherLockMs);
  for (const std::string& sql : lock_statements(p.plan, p.copy)) {
    Status locked = p.control.run(fmt::format("SET LOCAL lock_timeout = {}; {}", wait_ms, sql),
                                  "locking the table for the swap");
    if (!locked.ok() && locked.error().sqlstate == kUndefinedTable) return changed_meanwhile(p);
    HEADRACE_TRY(std::move(locked));
    wait_ms = std::min(wait_ms, kFurtherLockMs);
  }
  return p.control.run(fmt::format("SET LOCAL lock_timeout = {}", wait_ms));
}

Result<SwapOutcome> try_swap(const Publication& p, const std::vector<std::string>& sequences,
                             PublishStats* stats, std::optional<Clock::time_point>* locked_at) {
  if (p.plan.keeps_rows) HEADRACE_TRY(keep_rows(p, stats));
  HEADRACE_TRY(lock_target(p));
  *locked_at = Clock::now();
  HEADRACE_TRY(check_unchanged(p));
  if (p.plan.mode == Mode::kAppend && !p.plan.keeps_rows) {
    HEADRACE_ASSIGN(const bool empty, read_is_empty(p.control, target_of(p.plan)));
    if (!empty) return SwapOutcome::kHasRows;
  }
  HEADRACE_TRY(p.control.run(joined(swap_statements(p.plan, p.stage, p.copy, sequences)),
                             "swapping the tables"));
  return SwapOutcome::kReady;
}

bool is_lock_failure(const Error& error) {
  return error.sqlstate == kLockNotAvailable || error.sqlstate == kDeadlock;
}

Result<SwapOutcome> swap_in_attempts(const Publication& p, PublishStats* stats,
                                     Clock::time_point* locked_at) {
  HEADRACE_ASSIGN(const auto sequences, identity_sequences(p));
  const auto start = Clock::now();
  const double patience_seconds = kLockAttempts * lock_timeout_ms(p.plan) * 1e-3;
  int pause_ms = kFirstPauseMs;
  for (int attempt = 1;; ++attempt) {
    HEADRACE_TRY(p.control.run("SAVEPOINT headrace_lock"));
    std::optional<Clock::time_point> held;
    auto outcome = try_swap(p, sequences, stats, &held);
    if (held) *locked_at = *held;
    if (outcome.ok() || !is_lock_failure(outcome.error())) return outcome;
    HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_lock"));
    if (held) stats->lock_seconds = std::max(stats->lock_seconds, seconds_since(*held));
    if (attempt >= kLockAttempts && seconds_since(start) >= patience_seconds) {
      return not_granted(p, attempt);
    }
    if (!wait_unless_cancelled(pause_ms, p.cancel)) return cancelled_error();
    pause_ms = std::min(2 * pause_ms, kLongestPauseMs);
  }
}

// Not where it is the beginning of a longer name: "_i1" of "_i10".
void replace_name(std::string* text, const std::string& from, const std::string& to) {
  const size_t at = text->find(from);
  if (at == std::string::npos) return;
  const size_t end = at + from.size();
  if (end < text->size() && (*text)[end] >= '0' && (*text)[end] <= '9') return;
  text->replace(at, from.size(), to);
}

// Of a foreign key of another table, under the names that the user knows.
Error key_error(const Publication& p, Error error) {
  error = known_by_target(p, std::move(error));
  const std::string temporary = temporary_prefix(p.stage) + "_f";
  const size_t at = error.message.find(temporary);
  if (at == std::string::npos) return error;
  const size_t end = error.message.find_first_not_of("0123456789", at + temporary.size());
  const std::string name = error.message.substr(at, end - at);
  for (const std::string& sql : p.copy.repointings) {
    const std::string words = fmt::format("RENAME CONSTRAINT {} TO ", name);
    const size_t found = sql.find(words);
    if (found == std::string::npos) continue;
    error.message.replace(at, name.size(), sql.substr(found + words.size()));
    error.hint = "rows of the other table refer to rows that the source does not have: add them to it, "
                 "or remove those that refer to them";
  }
  return error;
}

// What needs no lock on the target. Foreign keys of other tables lock their writers out from here
// to the COMMIT.
Status prepare_swap(const Publication& p, PublishStats* stats) {
  // Once more under the lock; here it ends a load that cannot succeed before anyone waits for it,
  // and fills the session's catalog caches, which makes the second time several times shorter.
  HEADRACE_TRY(check_unchanged(p));
  HEADRACE_TRY(p.control.run("SET LOCAL search_path = ''"));
  HEADRACE_TRY(p.control.run(joined(p.copy.objects), "making the triggers and policies"));
  const auto start = Clock::now();
  HEADRACE_TRY(p.control.run(fmt::format("SET LOCAL lock_timeout = {}", lock_timeout_ms(p.plan))));
  Status keys = p.control.run(joined(p.copy.referring),
                              "checking the foreign keys of other tables against the new rows");
  if (!keys.ok()) return key_error(p, std::move(keys).error());
  stats->index_seconds += seconds_since(start);
  HEADRACE_TRY(p.control.run(joined(p.copy.rights), "setting the rights of the new table"));
  HEADRACE_TRY(p.control.run(joined(p.copy.finish), "setting the properties of the new table"));
  // The condition of rows that stay is the user's, and so are its names.
  return p.control.run("SET LOCAL search_path TO DEFAULT");
}

}  // namespace

Error known_by_target(const Publication& p, Error error) {
  replace_name(&error.message, p.stage, p.plan.table);
  for (const IndexCopy& index : p.copy.indexes) {
    replace_name(&error.message, index.temporary, index.name);
  }
  return error;
}

Status lock_table(const Publication& p, const char* lock_mode) {
  int pause_ms = kFirstPauseMs;
  for (int attempt = 1;; ++attempt) {
    HEADRACE_TRY(p.control.run(
        fmt::format("SAVEPOINT headrace_lock; SET LOCAL lock_timeout = {}", lock_timeout_ms(p.plan))));
    Status locked = p.control.run(
        fmt::format("LOCK TABLE {} IN {} MODE", target_of(p.plan), lock_mode), "locking the table");
    if (locked.ok() || locked.error().sqlstate != kLockNotAvailable) return locked;
    HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_lock"));
    if (attempt == kLockAttempts) return not_granted(p, attempt);
    if (!wait_unless_cancelled(pause_ms, p.cancel)) return cancelled_error();
    pause_ms *= 2;
  }
}

Result<SwapOutcome> swap_with_target(const Publication& p, PublishStats* stats,
                                     Clock::time_point* locked_at) {
  if (p.plan.mode == Mode::kDeleteInsert) {
    HEADRACE_TRY(check_inside(p.control, p.plan, qualified(p.plan.schema, p.stage)));
  }
  HEADRACE_TRY(p.control.run("SAVEPOINT headrace_swap"));
  HEADRACE_TRY(prepare_swap(p, stats));
  HEADRACE_ASSIGN(const SwapOutcome outcome, swap_in_attempts(p, stats, locked_at));
  if (outcome == SwapOutcome::kHasRows) {
    HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_swap"));
    stats->lock_seconds = std::max(stats->lock_seconds, seconds_since(*locked_at));
  }
  return outcome;
}

std::string keep_rows_sql(const Plan& plan, const std::string& stage,
                          const std::vector<TargetColumn>& columns) {
  std::vector<std::string> names;
  for (const TargetColumn& column : columns) {
    if (!column.generated) names.push_back(column.name);
  }
  const std::string list = name_list(names);
  std::string sql = fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}",
                                stage, list, list, target_of(plan));
  // On lines of its own: a comment at its end must not swallow the parenthesis.
  if (plan.mode == Mode::kDeleteInsert) {
    sql += fmt::format(" WHERE ({}\n) IS NOT TRUE", plan.replace_where);
  }
  return sql;
}

std::vector<std::string> lock_statements(const Plan& plan, const TableCopy& copy) {
  std::vector<std::string> sql = copy.locks;
  sql.push_back(fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", target_of(plan)));
  return sql;
}

std::vector<std::string> swap_statements(const Plan& plan, const std::string& stage,
                                         const TableCopy& copy,
                                         const std::vector<std::string>& sequences) {
  const std::string old = temporary_prefix(stage) + "_old";
  std::vector<std::string> sql = copy.sequences;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const IdentityCopy& identity = copy.identities[i];
    sql.push_back(
        fmt::format("SELECT setval({0}, CASE WHEN s.seqincrement > 0 THEN greatest(n.last_value, "
                    "o.last_value) ELSE least(n.last_value, o.last_value) END, n.is_called OR "
                    "o.is_called) FROM {1} n, {2} o, pg_sequence s WHERE s.seqrelid = {0}::regclass",
                    quote_literal(sequences[i]), sequences[i],
                    qualified(identity.schema, identity.sequence)));
  }
  sql.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", target_of(plan), quote_identifier(old)));
  sql.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", qualified(plan.schema, stage),
                            quote_identifier(plan.table)));
  sql.insert(sql.end(), copy.repointings.begin(), copy.repointings.end());
  // RESTRICT: nothing else may go with it.
  sql.push_back(fmt::format("DROP TABLE {}", qualified(plan.schema, old)));
  for (size_t i = 0; i < sequences.size(); ++i) {
    sql.push_back(fmt::format("ALTER SEQUENCE {} RENAME TO {}", sequences[i],
                              quote_identifier(copy.identities[i].sequence)));
  }
  for (const IndexCopy& index : copy.indexes) sql.push_back(index.rename);
  sql.insert(sql.end(), copy.names.begin(), copy.names.end());
  return sql;
}

std::vector<std::string> name_new_table_statements(const Plan& plan, const std::string& stage) {
  const std::string staging = qualified(plan.schema, stage);
  return {fmt::format("COMMENT ON TABLE {} IS NULL", staging),
          fmt::format("ALTER TABLE {} RENAME TO {}", staging, quote_identifier(plan.table))};
}

}  // namespace headrace
