// What the server's catalogs say of a target table and of what a load may do there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/facts.h"
#include "headrace/result.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/table_copy.h"

namespace headrace {

// A foreign key of another table whose rows change when rows of the target are deleted.
struct CascadingKey {
  std::string table;
  std::string action;  // "CASCADE", "SET NULL", "SET DEFAULT"
};

struct CatalogFacts {
  SinkFacts facts;
  uint32_t oid = 0;          // of the table; 0: there is none
  double row_estimate = -1;  // the planner's; -1: never analyzed
  std::vector<CascadingKey> cascading_keys;
  TableCopy copy;  // of a plain table, for a staging table not named yet
};

// Reads all facts but `target` in one read-only transaction.
// Fails with kUsage, kNotFound (no such schema), kUnsupported (before PostgreSQL 12) and what a
// connection fails with.
Result<CatalogFacts> read_catalog(Connection& connection, const TableName& name);

// The columns of a table, in their order.
Result<std::vector<TargetColumn>> read_columns(Connection& connection, uint32_t oid);

// The planner's estimate of the rows of a table that meet a condition; empty: all. -1: not known.
// It goes by the table's size as it is now, so it knows of rows that no ANALYZE has seen.
Result<int64_t> estimate_rows(Connection& connection, const std::string& qualified_table,
                              const std::string& condition);

// Connections that this user may still open to this database; may be 0 or less.
Result<int> read_free_slots(Connection& connection);

// Whether the table has no rows; false when that cannot be seen.
Result<bool> read_is_empty(Connection& connection, const std::string& qualified_table);

}  // namespace headrace
