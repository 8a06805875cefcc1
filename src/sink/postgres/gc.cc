#include "sink/postgres/gc.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sink/postgres/connection.h"
#include "sink/postgres/conninfo.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/pg_error.h"

namespace headrace {
namespace {

constexpr size_t kIdCharacters = 8;
constexpr char kPermissionDenied[] = "42501";

// $1: a schema, or '' for all; $2: the names, as a regular expression. Temporary tables go with
// their session.
constexpr char kFindTables[] = R"(
SELECT n.nspname, c.relname, c.oid, coalesce(obj_description(c.oid, 'pg_class'), ''),
       pg_has_role(c.relowner, 'USAGE'), pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.relname ~ $2
  AND has_schema_privilege(n.oid, 'USAGE')
  AND ($1 = '' OR n.nspname = $1)
ORDER BY 1, 2)";

// Whether it is still the table that was found, and its size. $1: oid, $2: schema, $3: name,
// $4: comment.
constexpr char kSameTable[] = R"(
SELECT pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::oid AND n.nspname = $2 AND c.relname = $3
  AND obj_description(c.oid, 'pg_class') = $4)";

struct Candidate {
  std::string schema, name, oid, comment, owner;
  bool is_permitted = false;

  std::string table() const { return qualified(schema, name); }
  // Empty: the table is not ours. Its load is named by the comment, and by it the table's name.
  std::string load_id() const {
    const std::string prefix = staging_comment("");
    if (!comment.starts_with(prefix)) return {};
    std::string id = comment.substr(prefix.size());
    const std::string_view named = std::string_view(name).substr(kStagingPrefix.size());
    return named.substr(0, kIdCharacters) == staging_id(id) ? id : std::string();
  }
};

Status check_schema(Connection& connection, const std::string& schema) {
  if (schema.empty()) return {};
  HEADRACE_ASSIGN(const PgResult rows,
                  connection.query("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace "
                                   "WHERE nspname = $1",
                                   {schema}, "looking for the schema"));
  if (PQntuples(rows.get()) == 0) {
    return Error(ErrorCode::kNotFound, fmt::format("schema {} does not exist", schema),
                 "give the name as it is written in the catalog, without quotes");
  }
  if (cell_is_true(rows, 0, 0)) return {};
  return Error(ErrorCode::kServer, fmt::format("the user may not use schema {}", schema),
               fmt::format("GRANT USAGE ON SCHEMA {}", quote_identifier(schema)));
}

Result<std::vector<Candidate>> find_tables(Connection& connection, const std::string& schema) {
  const std::string pattern = fmt::format("^{}[0-9a-f]{{{}}}_", kStagingPrefix, kIdCharacters);
  HEADRACE_ASSIGN(const PgResult rows,
                  connection.query(kFindTables, {schema, pattern}, "looking for staging tables"));
  std::vector<Candidate> found;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    Candidate c{cell(rows, i, 0), cell(rows, i, 1), cell(rows, i, 2), cell(rows, i, 3),
                cell(rows, i, 5)};
    c.is_permitted = cell_is_true(rows, i, 4);
    found.push_back(std::move(c));
  }
  return found;
}

// Inside a transaction that its caller ends: everything up to the end of the table. False: the
// table is no longer what was found, as its load has published or removed it meanwhile.
//
//   advisory lock of the load ─► lock of the table ─► still the same? ─► DROP
//
// Between the first two nobody can begin a load of this id; after them nobody else can drop or
// rename the table.
Result<bool> collect(Connection& connection, const Candidate& c, bool drop, Leftover* leftover) {
  HEADRACE_TRY(
      connection.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                     "SET LOCAL client_min_messages = error;"
                     "SET LOCAL lock_timeout = '5s'"));
  HEADRACE_ASSIGN(const PgResult lock,
                  connection.exec(fmt::format("SELECT pg_try_advisory_xact_lock({})",
                                              staging_lock_keys(staging_id(leftover->load_id)))));
  if (!cell_is_true(lock, 0, 0)) {
    leftover->state = LeftoverState::kLive;
    leftover->detail = "its load is running";
    return true;
  }
  if (!c.is_permitted) {
    leftover->state = LeftoverState::kNotPermitted;
    leftover->detail =
        fmt::format("its load is dead; it belongs to {}: run gc as that user", c.owner);
    return true;
  }
  // A dry run waits for nobody and keeps nobody waiting.
  if (drop) {
    HEADRACE_TRY(connection.run(fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", c.table())));
  }
  HEADRACE_ASSIGN(const PgResult same,
                  connection.query(kSameTable, {c.oid, c.schema, c.name, c.comment}));
  if (PQntuples(same.get()) == 0) return false;
  leftover->bytes = cell_integer(same, 0, 0);
  if (drop) HEADRACE_TRY(connection.run(fmt::format("DROP TABLE {}", c.table())));
  leftover->state = LeftoverState::kRemoved;
  leftover->detail = "its load is dead";
  return true;
}

// nullopt: the table is gone. An error ends the whole run, as the connection is lost.
Result<std::optional<Leftover>> remove(Connection& connection, const Candidate& c, bool drop) {
  Leftover leftover;
  leftover.name = c.table();
  leftover.load_id = c.load_id();
  if (leftover.load_id.empty()) {
    leftover.detail = "has no comment of a load: left as it is";
    return std::optional(std::move(leftover));
  }
  Result<bool> collected = collect(connection, c, drop, &leftover);
  const bool removed = collected.ok() && leftover.state == LeftoverState::kRemoved && drop;
  if (collected.ok() && *collected && removed) {
    if (Status committed = connection.run("COMMIT"); !committed.ok()) {
      collected = std::move(committed).error();
    }
  }
  if (!connection.alive()) {
    if (collected.ok()) return connection.lost("removing " + leftover.name);
    return std::move(collected).error();
  }
  if (connection.in_transaction()) HEADRACE_TRY(connection.run("ROLLBACK"));
  if (collected.ok()) {
    if (!*collected) return std::optional<Leftover>();
    return std::optional(std::move(leftover));
  }
  const Error& error = collected.error();
  if (error.sqlstate == kUndefinedTable) return std::optional<Leftover>();
  leftover.state =
      error.sqlstate == kPermissionDenied ? LeftoverState::kNotPermitted : LeftoverState::kFailed;
  leftover.detail = error.message;
  if (error.sqlstate == kLockNotAvailable) {
    leftover.detail += "; its load is dead, but a session holds the table: run gc again later";
  } else if (!error.hint.empty()) {
    leftover.detail += "; " + error.hint;
  }
  return std::optional(std::move(leftover));
}

}  // namespace

Status gc_postgres(const GcRequest& request, GcReport* out) {
  out->target = masked_uri(request.target);
  HEADRACE_ASSIGN(auto connection, Connection::open(request.target, nullptr));
  HEADRACE_TRY(check_schema(*connection, request.schema));
  HEADRACE_ASSIGN(const auto candidates, find_tables(*connection, request.schema));
  for (const Candidate& c : candidates) {
    HEADRACE_ASSIGN(auto leftover, remove(*connection, c, !request.dry_run));
    if (leftover) out->leftovers.push_back(*std::move(leftover));
  }
  return {};
}

}  // namespace headrace
