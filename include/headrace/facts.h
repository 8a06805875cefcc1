// What is there: facts about the source, the target and this machine. make_plan() sees only these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "headrace/partitions.h"
#include "headrace/schema.h"

namespace headrace {

// A unit of reading: row groups of one file, a whole file, or a stream. Partitions are read in
// parallel, and their rows keep the order of `index`.
struct Partition {
  int64_t index = 0;
  std::string uri;
  std::vector<int> row_groups;  // Parquet; empty: the whole file or stream
  int64_t first_row = -1;       // row of the whole source; -1: not known
  int64_t row_count = -1;       // -1: not known
  int64_t byte_count = -1;      // stored bytes of this partition; -1: not known
  // Values of Hive folders (name=value), in folder order; nullopt is __HIVE_DEFAULT_PARTITION__.
  std::vector<std::pair<std::string, std::optional<std::string>>> hive;

  bool operator==(const Partition&) const = default;
};

// What the source's metadata says of one column, over all partitions. -1: not known.
struct ColumnFacts {
  std::string physical_type;           // Parquet: INT64, BYTE_ARRAY, ...
  std::vector<std::string> encodings;  // Parquet: PLAIN, RLE_DICTIONARY, ...
  std::string compression;
  bool all_dictionary = false;  // every data page is dictionary-encoded
  int64_t compressed_bytes = -1;
  int64_t uncompressed_bytes = -1;
  int64_t null_count = -1;
  std::optional<std::string> min;  // as text
  std::optional<std::string> max;
};

struct SourceFacts {
  std::string uri;     // as the user gave it
  std::string format;  // "parquet", "arrow", "csv", "stream"
  Schema schema;
  std::vector<ColumnFacts> columns;  // same order as schema.fields; empty if not known
  std::vector<Partition> partitions;
  std::vector<std::string> files;
  int64_t row_count = -1;
  bool row_count_is_exact = false;
  int64_t byte_count = -1;

  std::string to_json() const;
  std::string to_text() const;
};

enum class Dialect { kNone, kPostgres, kSqlite };

// A column's type in the target.
struct TargetType {
  std::string sql;      // as DDL says it: "numeric(15,2)", "DECIMAL(15,2)"
  std::string base;     // PostgreSQL: pg_type.typname of the base type ("int8", "bpchar"); SQLite: affinity
  int32_t typmod = -1;  // PostgreSQL: pg_attribute.atttypmod
  std::vector<std::string> labels;  // of an enum

  bool operator==(const TargetType&) const = default;
};

struct TargetColumn {
  std::string name;
  TargetType type;
  bool not_null = false;
  bool has_default = false;
  bool generated = false;        // GENERATED ALWAYS AS (...): never written
  bool identity_always = false;  // GENERATED ALWAYS AS IDENTITY

  bool operator==(const TargetColumn&) const = default;
};

// A load that is done, as the target keeps it.
struct CommittedLoad {
  std::string when;  // "2026-11-22 19:00:00Z"
  int64_t rows = 0;
};

// Facts about a target table and its database.
struct SinkFacts {
  Dialect dialect = Dialect::kNone;
  std::string target;       // masked: never holds a password
  std::string server_kind;  // "plain", "file", "set" (of SQLite files), "null"
  int server_version = 0;   // PostgreSQL: 150004; SQLite: 3040001
  std::string schema;       // PostgreSQL: schema of the table, resolved
  std::string table;
  bool table_exists = false;
  bool table_is_empty = false;
  std::string relation_kind;  // "table", "partitioned table", "view", ...
  std::vector<TargetColumn> columns;
  std::vector<std::string> indexes;      // names
  std::vector<std::string> constraints;  // names
  // Columns of the unique indexes that ON CONFLICT can name, the primary key first.
  std::vector<std::vector<std::string>> unique_keys;
  bool has_primary_key = false;  // unique_keys[0] is it
  // Objects that a swap by renaming would not carry over, in words with the reason: "materialized
  // view v_sales (...)", "trigger audit (it runs ...)". Empty: a swap loses nothing.
  std::vector<std::string> dependents;
  std::vector<std::string> carried;  // objects that a swap carries over, in words
  int64_t row_estimate = -1;         // the server's; -1: never analyzed
  bool has_identity = false;         // a column takes its values from a sequence of its own
  int64_t matching_estimate = -1;    // delete_insert: rows that meet the condition; -1: not known
  bool can_create = true;  // CREATE on the schema, or a writable folder
  bool can_insert = true;
  std::string copy_refusal;  // why the server refuses COPY FROM into this table; empty: it takes it
  bool can_create_temporary = true;  // temporary tables in this database
  bool is_owner = true;
  int max_writers = 1;  // connection slots left beside ours, or threads a file takes; may be 0
  // SQLite: the file exists, holds other objects than the table, has a -wal or -journal.
  bool file_exists = false;
  bool file_has_other_objects = false;
  bool file_is_busy = false;
  std::optional<CommittedLoad> committed;  // of the request's load id
  // Partitioned table: its tree, and why rows cannot be routed on the client (empty: they can).
  std::vector<PartitionNode> partitions;
  std::string no_routing;
  std::optional<InterruptedLoad> interrupted;  // of the request's load id
};

struct HostFacts {
  int cores = 1;
  int64_t memory_bytes = 0;
};

}  // namespace headrace
