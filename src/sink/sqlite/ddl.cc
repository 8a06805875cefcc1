#include "sink/sqlite/ddl.h"

#include <fmt/format.h>
#include <strings.h>

#include "sink/plan_sums.h"
#include "sink/sqlite/row_source.h"

namespace headrace {
namespace {

constexpr std::string_view kReservedPrefix = "sqlite_";

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

std::string sqlite_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string sqlite_create_table(const Plan& plan) {
  std::string sql = "CREATE TABLE " + sqlite_identifier(plan.table) + " (";
  const char* separator = "";
  // The key of mode upsert becomes the primary key.
  const std::vector<std::string>& keys = plan.primary_key.empty() ? plan.keys : plan.primary_key;
  bool declared = keys.empty();
  for (const ColumnPlan& column : plan.columns) {
    sql += separator + sqlite_identifier(column.target);
    if (!column.target_type.sql.empty()) sql += ' ' + column.target_type.sql;
    const bool is_rowid = plan.primary_key.size() == 1 && column.target == plan.primary_key[0] &&
                          strcasecmp(column.target_type.sql.c_str(), "INTEGER") == 0;
    // The rowid is never NULL; an INSERT without it, or with NULL, gets the next number.
    if (is_rowid) sql += " PRIMARY KEY";
    if (column.not_null && !is_rowid) sql += " NOT NULL";
    declared |= is_rowid;
    separator = ", ";
  }
  if (!declared) sql += fmt::format(", PRIMARY KEY ({})", sqlite_name_list(keys));
  return sql + (plan.strict ? ") STRICT" : ")");
}

std::string sqlite_create_index(const Plan& plan, const IndexPlan& index) {
  std::string columns;
  for (size_t i = 0; i < index.columns.size(); ++i) {
    columns += (i == 0 ? "" : ", ") + sqlite_identifier(index.columns[i]) + index.suffixes[i];
  }
  return fmt::format("CREATE {}INDEX {} ON {} ({})", index.unique ? "UNIQUE " : "",
                     sqlite_identifier(index.name), sqlite_identifier(plan.table), columns);
}

std::string sqlite_name_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += sqlite_identifier(name);
  }
  return list;
}

std::string sqlite_insert(const Plan& plan, const std::string& stage,
                          const std::string& source_columns) {
  const std::string names = sqlite_name_list(plan_column_names(plan));
  const bool staged = !stage.empty();
  return fmt::format("INSERT OR FAIL INTO {} ({}{}) SELECT {}{} FROM {}",
                     staged ? stage : sqlite_identifier(plan.table),
                     staged ? sqlite_identifier(kRowNumberColumn) + ", " : "", names,
                     staged ? "rowid, " : "", source_columns, RowSource::kTable);
}

std::string sqlite_delete_all(const Plan& plan) {
  return "DELETE FROM " + sqlite_identifier(plan.table);
}

Status check_sqlite_table_name(const std::string& table) {
  if (table.empty()) return Error(ErrorCode::kUsage, "the table has no name", "give --table NAME");
  if (has_nul(table)) return Error(ErrorCode::kUsage, "the table's name holds a NUL character");
  if (strncasecmp(table.c_str(), kReservedPrefix.data(), kReservedPrefix.size()) == 0) {
    return Error(ErrorCode::kUsage,
                 fmt::format("SQLite keeps table names that begin with {} for itself: {}",
                             kReservedPrefix, table),
                 "give another name");
  }
  return {};
}

Status check_sqlite_names(const Plan& plan) {
  HEADRACE_TRY(check_sqlite_table_name(plan.table));
  if (plan.columns.empty()) {
    return Error(ErrorCode::kUsage, "a SQLite table needs at least one column");
  }
  for (const ColumnPlan& column : plan.columns) {
    if (has_nul(column.target) || has_nul(column.target_type.sql)) {
      return Error(ErrorCode::kUsage, "a column's name holds a NUL character", "rename the column");
    }
  }
  return {};
}

}  // namespace headrace
