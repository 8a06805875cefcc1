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
#include "sink/postgres/swap.h"

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOutcomeAttempts = 50;
constexpr int kOutcomePauseMs = 200;

std::string joined(const std::vector<std::string>& statements) {
  return fmt::format("{}", fmt::join(statements, ";\n"));
}

std::string target_of(const Publication& p) { return qualified(p.plan.schema, p.plan.table); }

std::string shown_target(const Publication& p) {
  return fmt::format("{}.{}", p.plan.schema, p.plan.table);
}

// Without keeping a lock on the target: two loads that both did could not lock it later.
Result<bool> target_is_empty(const Publication& p) {
  HEADRACE_TRY(p.control.run("SAVEPOINT headrace_look"));
  HEADRACE_ASSIGN(const bool empty, read_is_empty(p.control, target_of(p)));
  HEADRACE_TRY(p.control.run("ROLLBACK TO SAVEPOINT headrace_look"));
  return empty;
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
      p.control.run(joined(name_new_table_statements(p.plan, p.stage)), "naming the table");
  if (renamed.ok() || renamed.error().sqlstate != kDuplicateTable) return renamed;
  return Error(
      ErrorCode::kTargetExists,
      fmt::format("table {} was created by someone else while the load ran", shown_target(p)),
      "use --mode append to add rows, or --mode replace to replace all of them");
}

// Indexes, statistics and foreign keys of the staging table: readers have them from the first
// moment, and nothing is checked under a lock.
Status finish_staging(const Publication& p, PublishStats* stats) {
  const auto start = Clock::now();
  HEADRACE_TRY(build_indexes(p.pool, p.copy.indexes, p.plan.maintenance_work_mem_bytes, p.cancel));
  stats->index_seconds += seconds_since(start);
  HEADRACE_ASSIGN(auto connection, p.pool.take());
  if (p.plan.analyze && !p.plan.keeps_rows) {
    analyze(*connection, qualified(p.plan.schema, p.stage), stats);
  }
  if (connection->limits().stopped()) return cancelled_error();
  const auto keys_start = Clock::now();
  Status keys = check_keys(*connection, p.copy.keys, p.plan.maintenance_work_mem_bytes);
  if (!keys.ok()) return known_by_target(p, std::move(keys).error());
  stats->index_seconds += seconds_since(keys_start);
  p.pool.give(std::move(connection));
  return {};
}

Result<Published> publish_existing(const Publication& p, PublishStats* stats,
                                   std::optional<Clock::time_point>* lock) {
  bool has_rows = false;
  if (p.plan.mode == Mode::kAppend && !p.plan.keeps_rows) {
    HEADRACE_ASSIGN(const bool empty, target_is_empty(p));
    has_rows = !empty;
  }
  if (!has_rows) {
    HEADRACE_TRY(finish_staging(p, stats));
    Clock::time_point locked_at;
    HEADRACE_ASSIGN(const SwapOutcome outcome, swap_with_target(p, stats, &locked_at));
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
  stats->analyze_seconds += seconds_since(start);
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
  if (lock) stats->lock_seconds = std::max(stats->lock_seconds, seconds_since(*lock));
  stats->commit_seconds += seconds_since(start) - stats->index_seconds - stats->analyze_seconds;
  return published;
}

}  // namespace headrace
