// Names and statements of tables that headrace makes. Pure text; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

// "t", "schema.t", or either part in double quotes. Unquoted parts are taken as they are: names
// are not folded to lower case.
struct TableName {
  std::string schema;  // empty: by search_path
  std::string table;
};
Result<TableName> parse_table_name(const std::string& text);

// Staging tables are "_headrace_<8 characters of the load id>_<table>", in the target's schema.
inline constexpr std::string_view kStagingPrefix = "_headrace_";

// The 8 characters: the load id's first 8 when it is one of ours, else 8 hex digits of its hash.
std::string staging_id(const std::string& load_id);
std::string staging_name(const std::string& load_id, const std::string& table);
std::string staging_comment(const std::string& load_id);

// The two keys of the advisory lock that a live load holds for its staging tables; `id` is
// staging_id() or characters 10 to 17 of a staging table's name. As SQL: "1234, -5678".
std::string staging_lock_keys(std::string_view id);

// At most 63 bytes, the server's limit, without cutting a UTF-8 character in two.
std::string truncated_name(std::string_view name);

// CREATE TABLE of the columns, with `keys` as primary key unless they are empty.
std::string create_table_sql(const std::string& qualified_table,
                             const std::vector<ColumnPlan>& columns,
                             const std::vector<std::string>& keys = {});

// The plan's columns that the target has: all but that of row numbers.
std::vector<ColumnPlan> target_columns(const Plan& plan);

// ("a", "b"): the columns of the plan in the target.
std::string column_list(const std::vector<ColumnPlan>& columns);

// "a", "b", each behind `prefix`.
std::string name_list(const std::vector<std::string>& names, std::string_view prefix = {});

// COPY ... FROM STDIN.
std::string copy_sql(const std::string& qualified_table, const std::vector<ColumnPlan>& columns,
                     RowFormat format, bool freeze);

}  // namespace headrace
