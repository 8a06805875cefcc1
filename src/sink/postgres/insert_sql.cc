#include "sink/postgres/insert_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

// $1: the table. Base types of domains, over all levels.
constexpr char kTypes[] = R"(
WITH RECURSIVE base AS (
  SELECT a.attname, a.attidentity, a.atttypid AS type
  FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attname, b.attidentity, t.typbasetype
  FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT b.attname, t.oid, CASE WHEN t.typtype = 'c' THEN 0 ELSE t.typarray END, b.attidentity = 'a'
FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd')";

struct ServerType {
  uint32_t type = 0;
  uint32_t array_type = 0;
  bool identity_always = false;
};

std::string parameters(int64_t first, size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(list), "{}${}", i == 0 ? "" : ", ",
                   first + static_cast<int64_t>(i));
  }
  return list;
}

// Several arrays make rows only under the bare name; one is looked up as any function is.
std::string unnest(size_t columns) {
  return fmt::format("SELECT * FROM {}unnest({})", columns == 1 ? "pg_catalog." : "",
                     parameters(1, columns));
}

std::string values(size_t columns, int64_t rows) {
  std::string sql = "VALUES ";
  for (int64_t row = 0; row < rows; ++row) {
    fmt::format_to(std::back_inserter(sql), "{}({})", row == 0 ? "" : ", ",
                   parameters(row * static_cast<int64_t>(columns) + 1, columns));
  }
  return sql;
}

}  // namespace

Result<InsertShape> read_insert_shape(Connection& connection, const WriteJob& job) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kTypes, {qualified(job.schema, job.table)},
                                                        "reading the types of the columns"));
  std::map<std::string, ServerType> types;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    types[cell(rows, i, 0)] = {static_cast<uint32_t>(cell_integer(rows, i, 1)),
                               static_cast<uint32_t>(cell_integer(rows, i, 2)),
                               cell_is_true(rows, i, 3)};
  }
  InsertShape shape;
  for (const ColumnPlan& column : job.columns) {
    const auto found = types.find(column.target);
    if (found == types.end()) {
      return Error(ErrorCode::kServer,
                   fmt::format("table {}.{} has no column {} any more", job.schema, job.target,
                               column.target),
                   "run the load again");
    }
    shape.types.push_back(found->second.type);
    shape.array_types.push_back(found->second.array_type);
    shape.overriding |= found->second.identity_always;
    if (found->second.array_type == 0) shape.form = InsertForm::kValues;
  }
  return shape;
}

std::string insert_sql(const std::string& qualified_table, const std::vector<ColumnPlan>& columns,
                       InsertForm form, bool overriding, int64_t rows, const std::string& suffix) {
  return fmt::format(
      "INSERT INTO {} {}{} {}{}{}", qualified_table, column_list(columns),
      overriding ? " OVERRIDING SYSTEM VALUE" : "",
      form == InsertForm::kArrays ? unnest(columns.size()) : values(columns.size(), rows),
      suffix.empty() ? "" : " ", suffix);
}

std::string planned_insert_sql(const std::string& qualified_table, const Plan& plan,
                               bool overriding) {
  // Names of array types begin with an underscore.
  const bool has_array = std::any_of(
      plan.columns.begin(), plan.columns.end(),
      [](const ColumnPlan& column) { return column.target_type.base.starts_with("_"); });
  const bool values = has_array || plan.method == "standard";
  return insert_sql(qualified_table, plan.columns,
                    values ? InsertForm::kValues : InsertForm::kArrays, overriding, 1);
}

}  // namespace headrace
