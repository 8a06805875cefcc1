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

// What readers may see of an append to a table with rows (SPEC 2.2).
enum class Atomic {
  kStrict,  // before or after, whatever their isolation level
  kFast,    // new READ COMMITTED statements: before or after; faster
};

const char* mode_name(Mode mode);
const char* on_duplicate_name(OnDuplicate on_duplicate);

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
  bool analyze = true;          // PostgreSQL: planner statistics of the loaded table, before it is seen
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
  std::string source_format;        // "parquet", "arrow", "csv"; empty: by name and first bytes
  std::string target;               // postgresql://..., keyword string, sqlite:PATH, pgcopy:FILE, null:
  std::string table;                // "t" or "schema.t"
  Mode mode = Mode::kCreate;
  std::string method = "auto";  // copy, optimized, async, standard; pages, api; auto
  // Name of this load. PostgreSQL keeps it in the table headrace_loads when it is given, and a load
  // that was committed is not run again. Empty: one is made, and not kept.
  std::string load_id;
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
  ValueOptions values;
  Tuning tuning;
  std::function<void(const Plan&)> planned;        // may be empty; called before the first write
  std::function<void(const Progress&)> progress;   // may be empty
  const std::atomic<bool>* cancel = nullptr;       // set by the caller to stop the load
};

}  // namespace headrace
