// What a SQLite file holds: the target table, and what else is there.
#pragma once

#include <string>
#include <vector>

#include "headrace/facts.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/connection.h"

namespace headrace {

// A unique index that ON CONFLICT can name, or the primary key.
struct SqliteUniqueKey {
  std::vector<std::string> columns;
  std::vector<std::string> collations;  // by which it tells values apart
};

// An index that CREATE INDEX made.
struct SqliteIndex {
  std::string name;
  std::string create;
  bool unique = false;
};

struct SqliteCatalog {
  bool table_exists = false;
  bool table_is_empty = false;
  std::string relation_kind;  // "table", "view", "virtual table"
  std::string table;          // as the file spells it
  std::string create_table;   // the statement that made it
  std::vector<TargetColumn> columns;
  std::vector<SqliteIndex> indexes;
  std::vector<SqliteUniqueKey> unique_keys;  // the primary key first
  bool has_primary_key = false;
  std::vector<std::string> constraints;  // beyond NOT NULL and DEFAULT
  std::vector<std::string> dependents;
  bool has_foreign_keys = false;
  // Besides the table, what belongs to it, sqlite_* tables, and the ledger of load ids (ledger.h).
  bool has_other_objects = false;
  bool has_ledger = false;
  // Of the file:
  int user_version = 0;
  int application_id = 0;
  std::string schema_text;  // all definitions; another text means another schema
};

Result<SqliteCatalog> read_sqlite_catalog(Connection& db, const std::string& table);

// Fails unless a file of exactly the planned columns, written page by page, can stand for this one:
// no other objects, no index, no constraint that only SQLite checks.
Status check_replaceable_by_pages(const SqliteCatalog& catalog, const Plan& plan);

// Affinity of a declared type: INTEGER, TEXT, BLOB, REAL or NUMERIC.
const char* sqlite_affinity(const std::string& declared_type);

// Upper-cased words of a statement that stand outside of quotes and comments.
std::vector<std::string> sqlite_bare_words(const std::string& sql);

}  // namespace headrace
