#include "sink/postgres/ddl.h"

#include <fmt/format.h>

#include <algorithm>

#include "sink/postgres/connection.h"

namespace headrace {
namespace {

constexpr size_t kMaxNameBytes = 63;
// "hdrc": keeps our advisory locks apart from an application's.
constexpr int32_t kLockSpace = 0x68647263;

uint32_t fnv1a(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

Error bad_table_name(const std::string& text) {
  return Error(ErrorCode::kUsage, fmt::format("'{}' is not the name of a table", text),
               "give table or schema.table; a part with a dot goes in double quotes");
}

// Takes one part of a name off the front of `rest`.
bool take_part(std::string_view* rest, std::string* part) {
  if (rest->empty()) return false;
  if (rest->front() != '"') {
    const size_t end = std::min(rest->find('.'), rest->size());
    *part = rest->substr(0, end);
    rest->remove_prefix(end);
    return !part->empty() && part->find('"') == std::string::npos;
  }
  rest->remove_prefix(1);
  while (!rest->empty()) {
    const char c = rest->front();
    rest->remove_prefix(1);
    if (c == '"') {
      if (rest->empty() || rest->front() != '"') return !part->empty();
      rest->remove_prefix(1);
    }
    *part += c;
  }
  return false;
}

bool is_own_load_id(const std::string& id) {
  return id.size() == 16 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<TableName> parse_table_name(const std::string& text) {
  std::string_view rest = text;
  TableName name;
  if (text.find('\0') != std::string::npos || !take_part(&rest, &name.table)) {
    return bad_table_name(text);
  }
  if (!rest.empty()) {
    if (rest.front() != '.') return bad_table_name(text);
    rest.remove_prefix(1);
    name.schema = std::exchange(name.table, {});
    if (!take_part(&rest, &name.table) || !rest.empty()) return bad_table_name(text);
  }
  for (const std::string& part : {name.schema, name.table}) {
    if (part.size() > kMaxNameBytes) {
      return Error(ErrorCode::kUsage,
                   fmt::format("the name {} has {} bytes; PostgreSQL takes {}", part, part.size(),
                               kMaxNameBytes),
                   "give a shorter name");
    }
  }
  return name;
}

std::string truncated_name(std::string_view name) {
  if (name.size() <= kMaxNameBytes) return std::string(name);
  size_t end = kMaxNameBytes;
  while (end > 0 && (static_cast<uint8_t>(name[end]) & 0xC0) == 0x80) --end;
  return std::string(name.substr(0, end));
}

std::string staging_id(const std::string& load_id) {
  if (is_own_load_id(load_id)) return load_id.substr(0, 8);
  return fmt::format("{:08x}", fnv1a(load_id));
}

std::string staging_name(const std::string& load_id, const std::string& table) {
  return truncated_name(fmt::format("{}{}_{}", kStagingPrefix, staging_id(load_id), table));
}

std::string staging_comment(const std::string& load_id) {
  return fmt::format("headrace staging, load {}", load_id);
}

std::string staging_lock_keys(std::string_view id) {
  return fmt::format("{}, {}", kLockSpace, static_cast<int32_t>(fnv1a(id)));
}

std::vector<ColumnPlan> target_columns(const Plan& plan) {
  std::vector<ColumnPlan> columns = plan.columns;
  std::erase_if(columns, [](const ColumnPlan& c) { return c.source_index == kRowNumberSource; });
  return columns;
}

std::string name_list(const std::vector<std::string>& names, std::string_view prefix) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ", ";
    list += fmt::format("{}{}", prefix, quote_identifier(name));
  }
  return list;
}

std::string create_table_sql(const std::string& qualified_table,
                             const std::vector<ColumnPlan>& columns,
                             const std::vector<std::string>& keys) {
  std::string sql = fmt::format("CREATE TABLE {} (", qualified_table);
  const char* separator = "";
  for (const ColumnPlan& column : columns) {
    sql += fmt::format("{}\n  {} {}{}", separator, quote_identifier(column.target),
                       column.target_type.sql, column.not_null ? " NOT NULL" : "");
    separator = ",";
  }
  if (!keys.empty()) sql += fmt::format(",\n  PRIMARY KEY ({})", name_list(keys));
  return sql + "\n)";
}

std::string column_list(const std::vector<ColumnPlan>& columns) {
  std::string list = "(";
  for (const ColumnPlan& column : columns) {
    if (list.size() > 1) list += ", ";
    list += quote_identifier(column.target);
  }
  return list + ")";
}

std::string copy_sql(const std::string& qualified_table, const std::vector<ColumnPlan>& columns,
                     RowFormat format, bool freeze) {
  return fmt::format("COPY {} {} FROM STDIN (FORMAT {}{})", qualified_table, column_list(columns),
                     format == RowFormat::kText ? "text" : "binary", freeze ? ", FREEZE" : "");
}

}  // namespace headrace
