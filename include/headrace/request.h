// LoadRequest: what a user asks for. Everything else is found out or planned.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace headrace {

struct Plan;

// What happens to the rows already there (SPEC 2.2). All but kCreate make a table that is missing.
enum class Mode {
  kCreate,        // the table must not exist
  kAppend,        // rows are added
  kReplace,       // all rows are replaced; readers see the old ones until the commit
  kTruncate,      // TRUNCATE and load in one transaction; the table keeps everything, readers wait
  kUpsert,        // rows whose key is there are updated, the others inserted
  kDeleteInsert,  // the rows that meet a condition are replaced
};

// Rows of the source with the same key, in mode upsert.
enum class OnDuplicate { kError, kFirst, kLast };

// What is compared before a load is published (docs/sqlite_files.md).
enum class VerifyLevel {
  kNone,
  kQuick,  // structure of the file, number of rows
  kFull,   // every page, and sums over every column
};

// What readers may see of an append to a table with rows (SPEC 2.2).
enum class Atomic {
  kStrict,  // before or after, whatever their isolation level
  kFast,    // new READ COMMITTED statements: before or after; faster
};

const char* mode_name(Mode mode);
const char* on_duplicate_name(OnDuplicate on_duplicate);
const char* verify_level_name(VerifyLevel level);

struct CsvOptions {
  char delimiter = 0;  // 0: by file name (.tsv tab, .psv |), otherwise comma
  bool header = true;  // false: columns are named column_1, column_2, ...
  std::vector<std::string> null_values = {""};  // unquoted cells that mean NULL
  std::map<std::string, std::string> types;     // column -> type name; others are inferred
};

// Changes to values that the user declares. Each applied one is counted in the report.
struct ValueOptions {
  bool nan_as_null = false;  // SQLite stores NaN as NULL; without this NaN is rejected
  int srid = -1;  // of geometries that carry none; -1: the column's, else 4326
  bool promote_to_multi = false;  // POINT, LINESTRING, POLYGON into columns of their MULTI... type

  // SQLite: what columns of a new table hold (docs/sqlite.md).
  enum class Decimal { kAuto, kText, kReal, kScaled };
  enum class Boolean { kInteger, kText };
  enum class Date { kText, kInteger, kReal };
  enum class Geometry { kNone, kWkt, kWkb, kGeoPackage, kSpatialite };
  Decimal decimal = Decimal::kAuto;
  Boolean boolean = Boolean::kInteger;
  Date date = Date::kText;
  Geometry geometry = Geometry::kNone;

  bool operator==(const ValueOptions&) const = default;
};

// Whether geometries make their table a layer: described in tables of the file, found by an R-tree.
constexpr bool is_layer(ValueOptions::Geometry form) {
  return form == ValueOptions::Geometry::kGeoPackage || form == ValueOptions::Geometry::kSpatialite;
}

// SQLite: an index on columns of the table.
struct IndexSpec {
  // "a", or a column with what CREATE INDEX takes after it: "a DESC", "a COLLATE NOCASE".
  std::vector<std::string> columns;
  bool unique = false;
};

// Of SQLite targets.
struct SqliteOptions {
  int busy_timeout_ms = 0;  // wait for other processes, per lock; 0: 10 s
  std::string layout;  // "single_file", "optimized", "partitioned"; empty: as it is, else one file
  int num_partitions = 0;        // files of layout partitioned
  int64_t max_records = 0;       // rows of a file
  std::string partition_by;      // a file for each value of this column
  std::vector<std::string> primary_key;  // of a new table; one integer column is the rowid
  std::vector<IndexSpec> indexes;
  bool strict = false;                        // of a new table
  std::vector<std::string> geometry_columns;  // empty: those that say so by type or name
  int64_t optimized_rows = 500'000;  // layout optimized: one file up to so many rows
};

// 0 always means: let the plan decide.
struct Tuning {
  int connections = 0;  // PostgreSQL connections, or page-writing threads
  int readers = 0;      // decoding threads
  int64_t memory_bytes = 512LL << 20;  // bound on headrace's own memory
  int64_t batch_rows = 0;
  int64_t batch_size = 0;  // PostgreSQL: rows of an INSERT
  int64_t block_bytes = 0;
  int page_bytes = 0;           // SQLite page size of a new file
  std::string row_format;       // PostgreSQL COPY: "binary" or "text"; empty: binary
  bool analyze = true;          // planner statistics of the loaded table, before it is seen
  int64_t maintenance_work_mem_bytes = 0;  // PostgreSQL: of each index build; 0: the server's
  int lock_timeout_ms = 0;      // wait for the publishing lock, per attempt
};

// Called from one thread at a time, at most about ten times a second.
struct Progress {
  int64_t rows_written = 0;
  int64_t rows_total = -1;  // -1: not known
  int64_t bytes_sent = 0;
  double seconds = 0;
  const char* phase = "";
};

struct LoadRequest {
  std::vector<std::string> source;  // paths, globs, folders, or "-"
  int64_t source_rows = -1;  // rows that an Arrow stream will give, where the caller knows
  std::string source_format;        // "parquet", "arrow", "csv"; empty: by name and first bytes
  std::string target;               // postgresql://..., keyword string, sqlite:PATH, pgcopy:FILE, null:
  std::string table;                // "t" or "schema.t"
  Mode mode = Mode::kCreate;
  std::string method = "auto";  // copy, optimized, async, standard; pages, api; auto
  // Name of this load. The target keeps it in the table headrace_loads when it is given, and a load
  // that was committed is not run again. Empty: one is made, and not kept.
  std::string load_id;
  bool discard = false;  // rows are thrown away instead of committed, and nothing is left of them
  bool only_compares = false;  // set by verify(): the plan is for comparing, and nothing is written
  bool fallback = true;  // another method where the server refuses the one that was chosen
  int retries = 3;  // further attempts after failures that may pass (SPEC 4); streams have none
  std::vector<std::string> keys;            // upsert: target columns; empty: the primary key
  std::vector<std::string> update_columns;  // upsert: what an existing row gets; empty: all but keys
  OnDuplicate on_duplicate = OnDuplicate::kError;  // upsert
  std::string replace_where;  // delete_insert: SQL condition on the target's columns
  Atomic atomic = Atomic::kStrict;
  // Makes missing partitions: "list", "day", "month", "year", or a number, the width of ranges.
  // Empty: a row without partition is an error.
  std::string create_partitions;
  CsvOptions csv;
  VerifyLevel verify = VerifyLevel::kNone;
  ValueOptions values;
  SqliteOptions sqlite;
  Tuning tuning;
  std::function<void(const Plan&)> planned;        // may be empty; called before the first write
  std::function<void(const Progress&)> progress;   // may be empty
  const std::atomic<bool>* cancel = nullptr;       // set by the caller to stop the load
};

}  // namespace headrace
