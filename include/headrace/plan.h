// Plan: every choice of a load, made before the first byte is written, with its reasons.
// A Plan is a value: it can be printed, tested without a database, and sent elsewhere as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/facts.h"
#include "headrace/request.h"
#include "headrace/result.h"
#include "headrace/schema.h"

namespace headrace {

// How rows look in a RowBlock.
enum class RowFormat {
  kPgBinary,      // PostgreSQL COPY BINARY tuples, without file header and trailer
  kText,          // PostgreSQL COPY TEXT lines
  kSqliteRecord,  // SQLite table leaf cells: payload size, rowid, record
};

// What one commit covers (SPEC 2.2).
enum class CommitScope {
  kNone,    // nothing to commit (null:)
  kSingle,  // one connection, one transaction
  kSwap,    // N connections fill a table nobody sees; one short transaction publishes it
  kStaged,  // a staging table is filled, then merged into the target in one transaction
  kFile,    // a file under a temporary name, synced and renamed
  kTogether,  // N transactions write into the target, committed behind a curtain (--atomic fast)
};

const char* row_format_name(RowFormat format);
const char* commit_scope_name(CommitScope scope);

struct ColumnPlan {
  int source_index = 0;
  Field field;         // of the source
  std::string target;  // column name in the target
  TargetType target_type;
  bool not_null = false;  // declared so in the target
  std::string codec;      // family of the codec, as in the registry
  bool is_rowid = false;  // SQLite, method pages: the value is the row's rowid
  bool is_geometry = false;  // SQLite: stored as ValueOptions::geometry says
  bool operator==(const ColumnPlan&) const = default;
};

// A column of a staging table that holds the row's number in the source, 1-based: it tells which of
// two rows with one key came last. As a ColumnPlan it has kRowNumberSource for a source.
inline constexpr char kRowNumberColumn[] = "_headrace_row";
inline constexpr int kRowNumberSource = -1;

struct Decision {
  std::string subject;
  std::string choice;
  std::string reason;
  bool operator==(const Decision&) const = default;
};

// SQLite: an index that the load makes.
struct IndexPlan {
  std::string name;
  std::vector<std::string> columns;  // of the target
  std::vector<std::string> suffixes;  // of each column: "", " DESC", " COLLATE NOCASE"
  bool unique = false;
  bool operator==(const IndexPlan&) const = default;
};

// SQLite: which rows go to which file.
struct SqliteLayout {
  bool partitioned = false;  // several files and a manifest
  int64_t part_rows = 0;     // rows of a file; 0: no limit
  std::string partition_by;  // target column; a file for each value
  bool operator==(const SqliteLayout&) const = default;
};

struct Plan {
  std::string source;
  std::string source_format;
  std::string target;  // masked
  Dialect dialect = Dialect::kNone;
  std::string schema;  // PostgreSQL; empty for others
  std::string table;
  Mode mode = Mode::kCreate;
  std::string method;
  std::string method_requested;
  std::string method_reason;
  std::string fallback_reason;  // why it is not the method that comes first; empty: it is
  RowFormat row_format = RowFormat::kPgBinary;
  CommitScope commit_scope = CommitScope::kSingle;
  std::string index_action;  // "none", "keep", "build after": before the rows are seen
  std::vector<ColumnPlan> columns;
  std::vector<Partition> partitions;
  int64_t row_count = -1;
  bool creates_table = false;  // a table of the planned columns is made in the target
  bool already_committed = false;   // the target holds this load's rows: nothing is to be done
  bool keeps_rows = false;  // scope swap: rows of the old table that stay go into the new one, too
  bool stage_is_temporary = false;  // scope staged: a temporary table, which one writer fills
  std::vector<std::string> keys;            // upsert
  std::vector<std::string> update_columns;  // upsert; empty: rows that are there stay as they are
  OnDuplicate on_duplicate = OnDuplicate::kError;
  std::string replace_where;  // delete_insert
  std::vector<std::string> primary_key;  // SQLite, new table
  std::vector<IndexPlan> indexes;        // SQLite
  bool strict = false;                   // SQLite, new table
  int64_t sort_bytes = 0;  // SQLite pages: memory for keys of indexes and of a table that is sorted
  // Scope swap into a partitioned table: its tree; each row goes into a table beside its partition.
  // Empty: rows are not routed here.
  std::vector<PartitionNode> tree;
  std::string create_partitions;  // as LoadRequest's
  // What an interrupted load of this id has committed: these rows are left out.
  std::vector<RowInterval> committed_rows;
  std::vector<std::string> ddl;  // as it will run, for people to read
  int readers = 1;
  int workers = 1;
  int64_t batch_rows = 0;
  int64_t insert_rows = 0;  // rows of an INSERT; 0: method without INSERT
  int64_t block_bytes = 0;
  int64_t read_ahead_bytes = 0;
  int page_bytes = 4096;
  SqliteLayout layout;
  VerifyLevel verify = VerifyLevel::kNone;
  bool analyze = true;
  int64_t maintenance_work_mem_bytes = 0;  // of each index build; 0: the server's
  int lock_timeout_ms = 0;
  ValueOptions values;
  std::vector<Decision> decisions;
  std::vector<std::string> warnings;

  std::string to_json() const;
  static Result<Plan> from_json(const std::string& text);
  std::string to_text() const;
};

// Pure: no input or output. Fails with kTypeMismatch, kTargetExists, kUsage or kUnsupported.
Result<Plan> make_plan(const LoadRequest& request, const SourceFacts& source,
                       const SinkFacts& sink, const HostFacts& host);

}  // namespace headrace
