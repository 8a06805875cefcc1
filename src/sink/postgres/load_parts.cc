#include "sink/postgres/load_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

constexpr char kDoing[] = "reading the parts of the load";

std::string parts_table(const std::string& schema) { return qualified(schema, kPartsTable); }

Result<bool> has_parts_table(Connection& connection, const std::string& schema) {
  HEADRACE_ASSIGN(const PgResult row, connection.query("SELECT to_regclass($1) IS NOT NULL",
                                                       {parts_table(schema)}, kDoing));
  return cell_is_true(row, 0, 0);
}

// Apart from the lock of a live load's control connection.
std::string part_lock_keys(const std::string& load_id) {
  return staging_lock_keys(staging_id(load_id) + " parts");
}

}  // namespace

std::string intervals_text(const std::vector<RowInterval>& intervals) {
  std::string text;
  for (const RowInterval& rows : intervals) {
    text += fmt::format("{}{}+{}", text.empty() ? "" : ",", rows.first, rows.count);
  }
  return text;
}

std::vector<RowInterval> parse_intervals(const std::string& text) {
  std::vector<RowInterval> intervals;
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    RowInterval rows;
    rows.first = std::strtoll(at, &end, 10);
    if (*end != '+') break;
    rows.count = std::strtoll(end + 1, &end, 10);
    intervals.push_back(rows);
    at = *end == ',' ? end + 1 : end;
    if (*end != ',' && *end != '\0') break;
  }
  return intervals;
}

std::vector<RowInterval> merged(std::vector<RowInterval> intervals) {
  std::ranges::sort(intervals, {}, &RowInterval::first);
  std::vector<RowInterval> joined;
  for (const RowInterval& rows : intervals) {
    if (!joined.empty() && joined.back().first + joined.back().count == rows.first) {
      joined.back().count += rows.count;
    } else {
      joined.push_back(rows);
    }
  }
  return joined;
}

Status make_parts_table(ConnectionPool& pool, const std::string& schema) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_ASSIGN(const bool there, has_parts_table(*connection, schema));
  if (!there) {
    Status made = connection->run(
        fmt::format("BEGIN; SET LOCAL client_min_messages = error; CREATE TABLE IF NOT EXISTS {} "
                    "(load_id text, table_name text, xid bigint, mode text NOT NULL, source text NOT NULL, "
                    "rows bigint NOT NULL, intervals text NOT NULL, PRIMARY KEY (load_id, table_name, xid)); COMMIT",
                    parts_table(schema)),
        "making the table of load parts");
    if (!made.ok()) {
      (void)connection->run("ROLLBACK").ok();
      HEADRACE_ASSIGN(const bool made_by_other, has_parts_table(*connection, schema));
      if (!made_by_other) {
        Error error = std::move(made).error();
        error.hint = "use --atomic strict, which needs no table of its own";
        return error;
      }
    }
  }
  pool.give(std::move(connection));
  return {};
}

Result<std::optional<InterruptedLoad>> find_interrupted(Connection& connection,
                                                        const std::string& schema,
                                                        const std::string& table,
                                                        const std::string& load_id) {
  std::optional<InterruptedLoad> found;
  HEADRACE_ASSIGN(const bool there, has_parts_table(connection, schema));
  if (!there) return found;
  HEADRACE_ASSIGN(const PgResult rows,
                  connection.query(fmt::format("SELECT source, mode, rows, intervals FROM {} WHERE "
                                               "load_id = $1 AND table_name = $2",
                                               parts_table(schema)),
                                   {load_id, table}, kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    if (!found) found.emplace();
    found->source = cell(rows, i, 0);
    found->mode = cell(rows, i, 1);
    found->rows += cell_integer(rows, i, 2);
    const auto more = parse_intervals(cell(rows, i, 3));
    found->committed.insert(found->committed.end(), more.begin(), more.end());
  }
  if (found) found->committed = merged(std::move(found->committed));
  return found;
}

Result<std::optional<InterruptedLoad>> wait_for_parts(ConnectionPool& pool,
                                                      const std::string& schema,
                                                      const std::string& table,
                                                      const std::string& load_id) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_TRY(connection->run(
      fmt::format("BEGIN; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock({})",
                  part_lock_keys(load_id)),
      "waiting for the transactions of an earlier run of this load"));
  HEADRACE_ASSIGN(auto found, find_interrupted(*connection, schema, table, load_id));
  HEADRACE_TRY(connection->run("COMMIT", kDoing));
  pool.give(std::move(connection));
  return found;
}

std::string lock_part_sql(const std::string& load_id) {
  return fmt::format("SELECT pg_advisory_xact_lock_shared({})", part_lock_keys(load_id));
}

Status record_part(Connection& connection, const Plan& plan, const std::string& load_id,
                   const std::vector<RowInterval>& intervals) {
  int64_t rows = 0;
  for (const RowInterval& interval : intervals) rows += interval.count;
  auto written = connection.query(
      fmt::format("INSERT INTO {} (load_id, table_name, xid, mode, source, rows, intervals) "
                  "VALUES ($1, $2, txid_current(), $3, $4, $5, $6)",
                  parts_table(plan.schema)),
      {load_id, plan.table, mode_name(plan.mode), plan.source, std::to_string(rows),
       intervals_text(intervals)},
      "writing the part of the load");
  if (!written.ok()) return std::move(written).error();
  return {};
}

Status forget_parts(Connection& control, const Plan& plan, const std::string& load_id) {
  auto gone = control.query(fmt::format("DELETE FROM {} WHERE load_id = $1 AND table_name = $2",
                                        parts_table(plan.schema)),
                            {load_id, plan.table}, "ending the load");
  if (!gone.ok()) return std::move(gone).error();
  return {};
}

}  // namespace headrace
