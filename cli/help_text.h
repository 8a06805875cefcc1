// What --help says after the list of options.
#pragma once

namespace headrace::cli {

inline constexpr const char* kTargets = R"(TARGET is one of
  postgresql://user@host/db   PostgreSQL, as a URI
  "host=h dbname=d user=u"    PostgreSQL, as libpq keywords
  sqlite:PATH                 SQLite; also a PATH ending in .sqlite, .sqlite3, .db or .gpkg
  pgcopy:FILE                 a PostgreSQL COPY BINARY file
  null:                       nowhere: measures reading and encoding

Passwords: PGPASSWORD, ~/.pgpass or a service file; not on the command line.
)";

inline constexpr const char* kEnvironment = R"(
Every option can be set in the environment: --lock-timeout is HEADRACE_LOCK_TIMEOUT.
The command line wins. Several values of --null and --type are separated by ; there.
)";

inline constexpr const char* kLoadExamples = R"(
Examples:
  headrace load lineitem.parquet --to postgresql://me@localhost/db
  headrace load 'data/*.parquet' --to "host=db dbname=sales" --table public.orders --mode append
  headrace load flights.parquet --to flights.sqlite --mode replace --json
  zcat a.csv.gz | headrace load - --format csv --type 'id=int64' --to db.sqlite --table a

Progress and log lines go to stderr, and --progress none silences both; the report goes to stdout.
Exit: 0 ok, 1 load failed, 2 usage, 3 source not found, 4 connection or authentication,
5 retries exhausted, 6 too many rejects, 7 verification differs, 130 / 143 stopped by a signal.)";

inline constexpr const char* kPlanExamples = R"(
Examples:
  headrace plan lineitem.parquet --to postgresql://me@localhost/db
  headrace plan lineitem.parquet --to lineitem.sqlite --json)";

inline constexpr const char* kInspectExamples = R"(
Examples:
  headrace inspect lineitem.parquet
  headrace inspect data/ --json)";

inline constexpr const char* kDatabaseTargets = R"(TARGET is one of
  postgresql://user@host/db   PostgreSQL, as a URI
  "host=h dbname=d user=u"    PostgreSQL, as libpq keywords
  sqlite:PATH                 SQLite; also a PATH ending in .sqlite, .sqlite3 or .db

Passwords: PGPASSWORD, ~/.pgpass or a service file; not on the command line.
Every option can be set in the environment: --to is HEADRACE_TO. The command line wins.
)";

inline constexpr const char* kVerifyExamples = R"(
Examples:
  headrace verify lineitem.parquet --to lineitem.sqlite
  headrace verify 'data/*.parquet' --to "host=db dbname=sales" --table public.orders --json

Exit: 0 the same, 2 usage, 3 source or table not found, 4 connection or authentication,
7 they differ.)";

inline constexpr const char* kCheckExamples = R"(
Examples:
  headrace check --to postgresql://me@localhost/db
  headrace check --to "host=db dbname=sales" --table public.orders --json

Exit: 0 ready, 1 not ready, 2 usage, 4 connection or authentication.)";

inline constexpr const char* kRecommendExamples = R"(A published table by number of rows; headrace plan looks at the data and the server too.

Examples:
  headrace recommend --rows 50000
  headrace recommend --rows 50000 --json)";

inline constexpr const char* kGcExamples = R"(
PostgreSQL: staging tables (_headrace_<id>_<table>), in one transaction each. SQLite: temporary
files (.<name>.headrace-<id>.tmp) beside the target. What a running load uses is never touched:
such a load holds a lock of its id, or of its file.

Examples:
  headrace gc --to postgresql://me@localhost/db --dry-run
  headrace gc --to "host=db dbname=sales" --schema staging
  headrace gc --to flights.sqlite

Exit: 0 ok, 1 something could not be removed though its load is dead, 2 usage,
3 no such schema or folder, 4 connection or authentication.)";

inline constexpr const char* kRootHelp = R"(
Examples:
  headrace load lineitem.parquet --to postgresql://me@localhost/db
  headrace plan lineitem.parquet --to lineitem.sqlite
  headrace inspect lineitem.parquet
  headrace check --to postgresql://me@localhost/db

headrace COMMAND --help says more.)";

}  // namespace headrace::cli
