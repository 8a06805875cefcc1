#include "sink/postgres/merge.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

std::string target_of(const Plan& plan) { return qualified(plan.schema, plan.table); }

std::vector<std::string> target_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const ColumnPlan& column : target_columns(plan)) names.push_back(column.target);
  return names;
}

// "s.a IS NOT NULL AND s.b IS NOT NULL": rows with a NULL in the key are never the same as others.
std::string has_key(const Plan& plan) {
  std::string sql;
  for (const std::string& key : plan.keys) {
    sql += fmt::format("{}s.{} IS NOT NULL", sql.empty() ? "" : " AND ", quote_identifier(key));
  }
  return sql;
}

std::string same_key(const Plan& plan) {
  std::string sql;
  for (const std::string& key : plan.keys) {
    sql += fmt::format("{}s.{} = d.{}", sql.empty() ? "" : " AND ", quote_identifier(key),
                       quote_identifier(key));
  }
  return sql;
}

// One duplicate, if there is any: its key as text and how often it occurs.
std::string find_duplicate_sql(const Plan& plan, const std::string& stage) {
  std::string shown;
  for (const std::string& key : plan.keys) {
    shown += fmt::format("{}s.{}::text", shown.empty() ? "" : ", ", quote_identifier(key));
  }
  return fmt::format(
      "SELECT concat_ws(', ', {}), count(*) FROM {} s WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
      shown, stage, has_key(plan), name_list(plan.keys, "s."));
}

std::string drop_duplicates_sql(const Plan& plan, const std::string& stage) {
  const std::string number = quote_identifier(kRowNumberColumn);
  return fmt::format(
      "DELETE FROM {0} s USING (SELECT {1}, {2}(s.{3}) AS {3} FROM {0} s WHERE {4} GROUP BY {1} "
      "HAVING count(*) > 1) d WHERE {5} AND s.{3} <> d.{3}",
      stage, name_list(plan.keys, "s."), plan.on_duplicate == OnDuplicate::kFirst ? "min" : "max",
      number, has_key(plan), same_key(plan));
}

// On lines of its own: a comment at its end must not swallow the parenthesis.
std::string condition(const Plan& plan) { return fmt::format("({}\n)", plan.replace_where); }

std::string find_outside_sql(const Plan& plan, const std::string& stage) {
  return fmt::format("SELECT count(*) FROM {} WHERE {} IS NOT TRUE", stage, condition(plan));
}

std::string delete_sql(const Plan& plan) {
  return fmt::format("DELETE FROM {} WHERE {}", target_of(plan), condition(plan));
}

// In the order of the key, so that two loads at once lock rows in one order.
std::string insert_sql(const Plan& plan, const std::string& stage) {
  const std::string names = name_list(target_names(plan));
  std::string sql =
      fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}", target_of(plan),
                  names, names, stage);
  if (plan.mode != Mode::kUpsert) return sql;
  sql += fmt::format(" ORDER BY {} ON CONFLICT ({}) DO ", name_list(plan.keys), name_list(plan.keys));
  if (plan.update_columns.empty()) return sql + "NOTHING";
  sql += "UPDATE SET ";
  const char* separator = "";
  for (const std::string& column : plan.update_columns) {
    sql += fmt::format("{}{} = EXCLUDED.{}", separator, quote_identifier(column),
                       quote_identifier(column));
    separator = ", ";
  }
  return sql;
}

// One statement through the extended protocol, which takes no second one: a condition cannot end it.
Result<int64_t> changed_rows(Connection& control, const std::string& sql, const char* doing) {
  HEADRACE_ASSIGN(const PgResult result, control.query(sql, {}, doing));
  return std::strtoll(PQcmdTuples(result.get()), nullptr, 10);
}

Result<int64_t> handle_duplicates(Connection& control, const Plan& plan, const std::string& stage) {
  if (plan.on_duplicate != OnDuplicate::kError) {
    return changed_rows(control, drop_duplicates_sql(plan, stage), "leaving out duplicates");
  }
  HEADRACE_ASSIGN(const PgResult rows,
                  control.query(find_duplicate_sql(plan, stage), {}, "looking for duplicates"));
  if (PQntuples(rows.get()) == 0) return int64_t{0};
  return Error(ErrorCode::kRejectedValue,
               fmt::format("key ({}) = ({}) occurs in {} rows of the source",
                           fmt::format("{}", fmt::join(plan.keys, ", ")), cell(rows, 0, 0),
                           cell(rows, 0, 1)),
               "use --on-duplicate first or last to keep one of them");
}

// Other writers wait, so that "all rows that meet the condition" is exact; readers do not.
Status lock_writers(Connection& control, const Plan& plan, int lock_timeout_ms) {
  HEADRACE_TRY(control.run(fmt::format("SET LOCAL lock_timeout = {}", lock_timeout_ms)));
  HEADRACE_TRY(control.run(
      fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", target_of(plan)), "locking the table"));
  return control.run("SET LOCAL lock_timeout = 0");
}

}  // namespace

Status check_inside(Connection& control, const Plan& plan, const std::string& stage) {
  HEADRACE_ASSIGN(const PgResult row, control.query(find_outside_sql(plan, stage), {},
                                                    "checking the rows against --replace-where"));
  const int64_t outside = cell_integer(row, 0, 0);
  if (outside == 0) return {};
  return Error(ErrorCode::kRejectedValue,
               fmt::format("{} rows of the source do not meet the condition of the rows to replace: {}",
                           outside, plan.replace_where),
               "the condition and the source must be of the same rows: correct one of them");
}

std::vector<std::string> create_stage_sql(const Plan& plan, const std::string& stage) {
  const char* kind = plan.stage_is_temporary ? "TEMPORARY" : "UNLOGGED";
  const char* end = plan.stage_is_temporary ? " ON COMMIT DROP" : "";
  const auto numbered = plan.columns.size() != target_columns(plan).size();
  if (plan.creates_table) {
    // The target's primary key would be checked row by row here; merging checks it at once.
    std::string sql = create_table_sql(stage, plan.columns) + end;
    return {fmt::format("CREATE {}{}", kind, sql.substr(6))};
  }
  // Like the target's columns in type and collation, without defaults and constraints.
  std::vector<std::string> sql = {fmt::format("CREATE {} TABLE {}{} AS SELECT {} FROM {} WITH NO DATA",
                                              kind, stage, end, name_list(target_names(plan)),
                                              target_of(plan))};
  if (numbered) {
    sql.push_back(fmt::format("ALTER TABLE {} ADD COLUMN {} bigint", stage,
                              quote_identifier(kRowNumberColumn)));
  }
  return sql;
}

Result<MergeCounts> merge(Connection& control, const Plan& plan, const std::string& stage,
                          int lock_timeout_ms) {
  MergeCounts counts;
  if (plan.mode == Mode::kUpsert) {
    HEADRACE_ASSIGN(counts.rows_duplicated, handle_duplicates(control, plan, stage));
  }
  if (plan.mode == Mode::kDeleteInsert) {
    HEADRACE_TRY(check_inside(control, plan, stage));
    HEADRACE_TRY(lock_writers(control, plan, lock_timeout_ms));
    HEADRACE_ASSIGN(counts.rows_deleted, changed_rows(control, delete_sql(plan), "deleting the old rows"));
  }
  HEADRACE_ASSIGN(counts.rows_merged, changed_rows(control, insert_sql(plan, stage),
                                                   "inserting from the staging table"));
  return counts;
}

std::vector<std::string> merge_statements(const Plan& plan, const std::string& stage) {
  std::vector<std::string> sql;
  if (plan.mode == Mode::kUpsert) {
    sql.push_back(plan.on_duplicate == OnDuplicate::kError ? find_duplicate_sql(plan, stage)
                                                           : drop_duplicates_sql(plan, stage));
  }
  if (plan.mode == Mode::kDeleteInsert) {
    sql.push_back(find_outside_sql(plan, stage));
    sql.push_back(fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", target_of(plan)));
    sql.push_back(delete_sql(plan));
  }
  sql.push_back(insert_sql(plan, stage));
  return sql;
}

}  // namespace headrace
