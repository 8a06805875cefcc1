// What is said of the server, the connection and the database; readiness_table.cc looks at the
// table.
#include "sink/postgres/readiness.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sink/postgres/catalog.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/conninfo.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/readiness_table.h"

namespace headrace {
namespace {

using enum FindingState;

constexpr int kOldestVersion = 120000;
constexpr int kStatementTimeoutMs = 30000;
// Control connection, DDL and two writers: below this a load waits for others to leave.
constexpr int kFewSlots = 4;
// A pool without a free server process lets a connection wait.
constexpr int kPoolTimeoutMs = 3000;
constexpr char kDoing[] = "looking at the server";

// Aurora has the function; RDS has the setting, and so has Aurora.
constexpr char kKind[] = R"(
SELECT to_regprocedure('pg_catalog.aurora_version()') IS NOT NULL,
       current_setting('rds.extensions', true) IS NOT NULL
         OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser'))";

constexpr char kSettings[] = R"(
SELECT pg_is_in_recovery(), current_setting('max_prepared_transactions'),
       current_setting('wal_level'), current_setting('synchronous_commit'),
       has_database_privilege(current_database(), 'TEMP'), current_database(), current_user)";

// $1: an extension.
constexpr char kExtension[] = R"(
SELECT e.extversion, a.default_version
FROM (SELECT $1::text AS name) wanted
LEFT JOIN pg_extension e ON e.extname = name
LEFT JOIN pg_available_extensions a ON a.name = wanted.name)";

Status check_server(Connection& connection, Readiness* out) {
  const char* version = PQparameterStatus(connection.raw(), "server_version");
  const std::string text = fmt::format("PostgreSQL {}", version != nullptr ? version : "?");
  if (PQserverVersion(connection.raw()) < kOldestVersion) {
    out->add("server", kError, text, "headrace needs PostgreSQL 12 or later");
  } else {
    out->add("server", kOk, text);
  }
  HEADRACE_ASSIGN(const PgResult kind, connection.query(kKind, {}, kDoing));
  if (cell_is_true(kind, 0, 0)) {
    HEADRACE_ASSIGN(const PgResult aurora,
                    connection.query("SELECT pg_catalog.aurora_version()", {}, kDoing));
    out->server_kind = "aurora";
    out->add("server kind", kOk, fmt::format("Amazon Aurora {}", cell(aurora, 0, 0)));
  } else if (cell_is_true(kind, 0, 1)) {
    out->server_kind = "rds";
    out->add("server kind", kOk, "Amazon RDS: COPY FROM STDIN needs no superuser and works there");
  } else {
    out->server_kind = "plain";
    out->add("server kind", kOk, "plain: neither RDS nor Aurora");
  }
  return {};
}

Result<int> backend_pid(Connection& connection) {
  HEADRACE_ASSIGN(const PgResult row, connection.query("SELECT pg_backend_pid()", {}, kDoing));
  return static_cast<int>(cell_integer(row, 0, 0));
}

// In transaction mode a server process goes from one connection to the next with the end of each
// transaction: a second connection gets the one that served the first, or, where it gets another,
// keeps that in its open transaction, and the first may meet a third.
Result<bool> is_pooled_by_transaction(const std::string& target, Connection& connection,
                                      int first) {
  HEADRACE_ASSIGN(const auto second, Connection::open(target, nullptr));
  second->set_limits({nullptr, nullptr, kPoolTimeoutMs});
  HEADRACE_TRY(second->run("BEGIN", kDoing));
  HEADRACE_ASSIGN(const int other, backend_pid(*second));
  // Where they are the same the first may have to wait for the end of this transaction.
  int again = 0;
  if (other != first) {
    HEADRACE_ASSIGN(again, backend_pid(connection));
  }
  HEADRACE_TRY(second->run("ROLLBACK", kDoing));
  return again != first;
}

// A server tells a new connection the pid of its process; a pooler makes something up, as it may
// change the process later.
Status check_pooler(const std::string& target, Connection& connection, Readiness* out) {
  HEADRACE_ASSIGN(const int first, backend_pid(connection));
  if (first == PQbackendPID(connection.raw())) {
    out->add("pooler", kOk, "none: the connection goes to the server itself");
    return {};
  }
  static constexpr char kFound[] = "a pooler stands before the server";
  const auto by_transaction = is_pooled_by_transaction(target, connection, first);
  if (!by_transaction.ok()) {
    out->add("pooler", kWarning,
             fmt::format("{}, and a second connection failed: {}", kFound,
                         by_transaction.error().message),
             "load with --connections 1, or enlarge the pool (pgbouncer: default_pool_size)");
    return {};
  }
  out->add("pooler", kWarning,
           fmt::format("{}, {}", kFound,
                       *by_transaction
                           ? "in transaction mode: two transactions of one connection may have "
                             "different server processes"
                           : "in session mode, as far as two connections can tell"),
           "a load keeps to what poolers allow; its connections count against the pool (pgbouncer: "
           "default_pool_size), so a connection to the server itself may be faster");
  return {};
}

void check_tls(Connection& connection, Readiness* out) {
  PGconn* conn = connection.raw();
  const char* host = PQhost(conn);
  const bool local = host != nullptr && (host[0] == '/' || host[0] == '@');
  if (PQsslInUse(conn) != 0) {
    const char* protocol = PQsslAttribute(conn, "protocol");
    const char* cipher = PQsslAttribute(conn, "cipher");
    out->add("tls", kOk,
             fmt::format("{}, {}", protocol != nullptr ? protocol : "in use",
                         cipher != nullptr ? cipher : "cipher not known"));
  } else if (local) {
    out->add("tls", kOk, "not needed: a local socket");
  } else {
    out->add("tls", kWarning, "not in use: rows can be read on the network",
             "add sslmode=require, or better sslmode=verify-full with sslrootcert");
  }
}

void check_wal(const std::string& wal_level, const std::string& synchronous_commit,
               Readiness* out) {
  out->add("wal level", kOk,
           wal_level == "minimal"
               ? "minimal: rows copied into a table of the same transaction write no WAL"
               : fmt::format("{}: every row is written to the WAL too", wal_level));
  out->add("synchronous commit", kOk,
           fmt::format("{}: {}", synchronous_commit,
                       synchronous_commit == "off"
                           ? "a crash right after a load may lose it as a whole, never a part"
                           : "a load waits for it once, at its end"));
}

Status check_settings(Connection& connection, Readiness* out) {
  HEADRACE_ASSIGN(const PgResult row, connection.query(kSettings, {}, kDoing));
  if (cell_is_true(row, 0, 0)) {
    out->add("writable", kError, "the server is in recovery: a standby takes no rows",
             "connect to the primary (several hosts with target_session_attrs=read-write find it)");
  } else {
    out->add("writable", kOk, "the server is a primary");
  }
  if (cell_is_true(row, 0, 4)) {
    out->add("temporary tables", kOk, "may be created");
  } else {
    out->add("temporary tables", kMissing,
             "may not be created: upsert and delete_insert need CREATE on the schema instead",
             fmt::format("GRANT TEMPORARY ON DATABASE {} TO {}", quote_identifier(cell(row, 0, 5)),
                         quote_identifier(cell(row, 0, 6))));
  }
  const std::string prepared = cell(row, 0, 1);
  if (prepared == "0") {
    out->add("prepared transactions", kMissing,
             "max_prepared_transactions is 0: needed only to commit on several connections; a load "
             "publishes by one transaction");
  } else {
    out->add("prepared transactions", kOk, fmt::format("{} at most", prepared));
  }
  check_wal(cell(row, 0, 2), cell(row, 0, 3), out);
  return {};
}

Status check_slots(Connection& connection, Readiness* out) {
  HEADRACE_ASSIGN(const int free, read_free_slots(connection));
  const std::string detail = fmt::format("{} more for this user, besides this one", free);
  if (free >= kFewSlots) {
    out->add("free connections", kOk, detail);
  } else {
    out->add("free connections", kWarning, detail,
             "load with --connections 1, end idle sessions, or raise max_connections or the "
             "limit of the role or the database");
  }
  return {};
}

struct Extension {
  std::string installed;  // version; empty: not installed
  std::string available;  // version; empty: not on this server
};

Result<Extension> find_extension(Connection& connection, const char* name) {
  HEADRACE_ASSIGN(const PgResult row, connection.query(kExtension, {name}, kDoing));
  return Extension{cell(row, 0, 0), cell(row, 0, 1)};
}

Status check_extensions(Connection& connection, Readiness* out) {
  HEADRACE_ASSIGN(const Extension postgis, find_extension(connection, "postgis"));
  if (!postgis.installed.empty()) {
    out->add("postgis", kOk, postgis.installed);
  } else if (!postgis.available.empty()) {
    out->add(
        "postgis", kMissing,
        fmt::format("{} is on the server, but not in this database; needed by geometry columns",
                    postgis.available),
        "CREATE EXTENSION postgis");
  } else {
    out->add("postgis", kMissing, "not on this server; needed by geometry columns",
             "install PostGIS on the server");
  }
  HEADRACE_ASSIGN(const Extension s3, find_extension(connection, "aws_s3"));
  static constexpr char kNeededBy[] = "needed only by imports from S3; COPY does without";
  if (!s3.installed.empty()) {
    out->add("aws_s3", kOk, s3.installed);
  } else if (!s3.available.empty()) {
    out->add("aws_s3", kMissing, fmt::format("{} can be installed; {}", s3.available, kNeededBy),
             "CREATE EXTENSION aws_s3 CASCADE");
  } else {
    out->add("aws_s3", kMissing, fmt::format("not on this server; {}", kNeededBy));
  }
  out->add("s3 role and bucket", kMissing, "not checked: s3_import is not implemented");
  return {};
}

Status look(const std::string& target, const TableName& name, Connection& connection,
            Readiness* out) {
  HEADRACE_TRY(check_server(connection, out));
  HEADRACE_TRY(check_pooler(target, connection, out));
  check_tls(connection, out);
  HEADRACE_TRY(check_settings(connection, out));
  HEADRACE_TRY(check_slots(connection, out));
  HEADRACE_TRY(check_extensions(connection, out));
  // The catalogs of older servers differ.
  if (PQserverVersion(connection.raw()) < kOldestVersion) return {};
  return check_table(connection, name, out);
}

}  // namespace

Status check_postgres(const std::string& target, const std::string& table, Readiness* out) {
  TableName name;
  if (!table.empty()) {
    HEADRACE_ASSIGN(name, parse_table_name(table));
  }
  out->target = masked_uri(target);
  out->best_method = "copy";
  out->reason = "COPY FROM STDIN is allowed, and is the fastest way in";
  HEADRACE_ASSIGN(auto connection, Connection::open(target, nullptr));
  connection->set_limits({nullptr, nullptr, kStatementTimeoutMs});
  return look(target, name, *connection, out);
}

}  // namespace headrace
