#include "sink/sqlite/merge.h"

#include <fmt/format.h>
#include <strings.h>

#include "sink/plan_sums.h"
#include "sink/sqlite/ddl.h"

namespace headrace {
namespace {

// Rows with a NULL in the key are never the same as others.
std::string has_key(const Plan& plan) {
  std::string sql;
  for (const std::string& key : plan.keys) {
    sql += fmt::format("{}{} IS NOT NULL", sql.empty() ? "" : " AND ", sqlite_identifier(key));
  }
  return sql;
}

// "a" COLLATE "BINARY", "b" COLLATE "NOCASE"
std::string grouping(const Plan& plan, const SqliteUniqueKey& key) {
  std::string sql;
  for (const std::string& name : plan.keys) {
    sql += (sql.empty() ? "" : ", ") + sqlite_identifier(name);
    for (size_t i = 0; i < key.columns.size(); ++i) {
      if (strcasecmp(key.columns[i].c_str(), name.c_str()) != 0) continue;
      sql += " COLLATE " + sqlite_identifier(key.collations[i]);
    }
  }
  return sql;
}

// One duplicate, if there is any: its key as text and how often it occurs.
std::string find_duplicate_sql(const Plan& plan, const SqliteUniqueKey& key) {
  std::string shown;
  for (const std::string& name : plan.keys) {
    shown += (shown.empty() ? "" : " || ', ' || ") + sqlite_identifier(name);
  }
  return fmt::format(
      "SELECT {} || '', count(*) FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1 "
      "ORDER BY min({}) LIMIT 1",
      shown, kSqliteStage, has_key(plan), grouping(plan, key), sqlite_identifier(kRowNumberColumn));
}

std::string drop_duplicates_sql(const Plan& plan, const SqliteUniqueKey& key) {
  return fmt::format(
      "DELETE FROM {0} WHERE {1} AND {2} NOT IN (SELECT {3}({2}) FROM {0} WHERE {1} GROUP BY {4})",
      kSqliteStage, has_key(plan), sqlite_identifier(kRowNumberColumn),
      plan.on_duplicate == OnDuplicate::kFirst ? "min" : "max", grouping(plan, key));
}

Result<int64_t> handle_duplicates(Connection& db, const Plan& plan, const SqliteUniqueKey& key) {
  if (plan.on_duplicate != OnDuplicate::kError) {
    HEADRACE_TRY(db.run_one(drop_duplicates_sql(plan, key)));
    return int64_t{sqlite3_changes(db.get())};
  }
  HEADRACE_ASSIGN(Statement find, db.prepare(find_duplicate_sql(plan, key)));
  HEADRACE_ASSIGN(const bool found, find.step());
  if (!found) return int64_t{0};
  return Error(ErrorCode::kRejectedValue,
               fmt::format("key ({}) = ({}) occurs in {} rows of the source",
                           fmt::join(plan.keys, ", "), find.text(0), find.integer(1)),
               "use --on-duplicate first or last to keep one of them");
}

}  // namespace

std::string sqlite_create_stage(const Plan& plan) {
  std::string sql = fmt::format("CREATE TABLE {} ({} INTEGER PRIMARY KEY", kSqliteStage,
                                sqlite_identifier(kRowNumberColumn));
  for (const ColumnPlan& column : plan.columns) {
    // The affinity's own name; without a type a column has that of BLOB, whatever "ANY" means.
    const std::string& affinity = column.target_type.base;
    sql += fmt::format(", {} {}", sqlite_identifier(column.target),
                       affinity == "BLOB" ? "" : affinity);
  }
  return sql + ")";
}

// In the order of the key: pages of the target are visited one after the other.
std::string sqlite_merge_statement(const Plan& plan) {
  const std::string names = sqlite_name_list(plan_column_names(plan));
  const std::string keys = sqlite_name_list(plan.keys);
  std::string sql = fmt::format(
      "INSERT OR ABORT INTO {} ({}) SELECT {} FROM {} WHERE true ORDER BY {} ON CONFLICT ({}) DO ",
      sqlite_identifier(plan.table), names, names, kSqliteStage, keys, keys);
  if (plan.update_columns.empty()) return sql + "NOTHING";
  sql += "UPDATE SET ";
  const char* separator = "";
  for (const std::string& column : plan.update_columns) {
    sql += fmt::format("{}{} = excluded.{}", separator, sqlite_identifier(column),
                       sqlite_identifier(column));
    separator = ", ";
  }
  return sql;
}

Result<SqliteMergeCounts> merge_sqlite_stage(Connection& db, const Plan& plan,
                                             const SqliteUniqueKey& key) {
  SqliteMergeCounts counts;
  HEADRACE_ASSIGN(counts.rows_duplicated, handle_duplicates(db, plan, key));
  HEADRACE_TRY(db.run_one(sqlite_merge_statement(plan)));
  counts.rows_merged = sqlite3_changes(db.get());
  return counts;
}

}  // namespace headrace
