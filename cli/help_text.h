// What --help says after the list of options.
#pragma once

namespace headrace::cli {

inline constexpr const char* kTargets = R"(TARGET is one of
  postgresql://user@host/db   PostgreSQL, as a URI
  "host=h dbname=d user=u"    PostgreSQL, as libpq keywords
  sqlite:PATH                 SQLite; also a PATH ending in .sqlite, .sqlite3 or .db
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

inline constexpr const char* kRootHelp = R"(
Examples:
  headrace load lineitem.parquet --to postgresql://me@localhost/db
  headrace plan lineitem.parquet --to lineitem.sqlite
  headrace inspect lineitem.parquet

headrace COMMAND --help says more.)";

}  // namespace headrace::cli
