// Source columns against the target's: by name, types checked by the codecs' own rules.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "encode/codec.h"
#include "plan/steps.h"

namespace headrace {
namespace {

constexpr size_t kPgNameBytes = 63;
constexpr size_t kPgColumns = 1600;
constexpr size_t kSqliteColumns = 2000;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Error mismatch(std::string message, std::string hint) {
  return Error(ErrorCode::kTypeMismatch, std::move(message), std::move(hint));
}

Error without_codec(const Field& field) {
  return Error(ErrorCode::kUnsupported,
               fmt::format("column {} has type {}, which headrace cannot load yet", field.name,
                           type_name(field.type)),
               "leave the column out, or convert it in the source");
}

Status check_names(const PlanInput& in) {
  const bool sqlite = in.sink.dialect == Dialect::kSqlite;
  std::set<std::string> seen;
  for (const Field& field : in.source.schema.fields) {
    if (field.name.empty() || field.name.find('\0') != std::string::npos) {
      return mismatch("a source column has no usable name", "name every column in the source");
    }
    // SQLite's column names do not differ by case.
    if (!seen.insert(sqlite ? lower(field.name) : field.name).second) {
      return mismatch(fmt::format("the source has two columns named {}", field.name),
                      "rename one of them in the source");
    }
    if (!sqlite && field.name.size() > kPgNameBytes) {
      return mismatch(fmt::format("column name {} has {} bytes; PostgreSQL takes {}", field.name,
                                  field.name.size(), kPgNameBytes),
                      "shorten the name in the source");
    }
  }
  const size_t limit = sqlite ? kSqliteColumns : kPgColumns;
  if (seen.empty()) return mismatch("the source has no columns", "");
  if (seen.size() > limit) {
    return mismatch(fmt::format("{} columns; the database takes {}", seen.size(), limit), "");
  }
  return {};
}

// Column affinity changes values silently; only pairs that keep every value are taken.
bool sqlite_keeps(const DataType& type, const std::string& affinity) {
  const DataType& value = type.id == TypeId::kDictionary ? type.children[0].type : type;
  const bool is_text = value.id == TypeId::kUtf8 || value.id == TypeId::kLargeUtf8 ||
                       value.id == TypeId::kUtf8View;
  const bool is_float = value.id == TypeId::kFloat16 || value.id == TypeId::kFloat32 ||
                        value.id == TypeId::kFloat64;
  const bool is_small_decimal = value.id == TypeId::kDecimal && value.precision <= 15;
  const bool is_large_decimal = value.id == TypeId::kDecimal && value.precision > 15;
  // JSON text: SQLite looks whether it is a number before it keeps it.
  const bool is_nested = value.id >= TypeId::kList && value.id <= TypeId::kMap;
  const bool is_large_integer = value.id == TypeId::kInt64 || value.id == TypeId::kUint64;
  if (affinity == "TEXT") return !is_float && !is_small_decimal;
  if (affinity == "REAL") {
    return !is_text && !is_nested && !is_large_decimal && !is_large_integer;
  }
  if (affinity == "INTEGER" || affinity == "NUMERIC") {
    return !is_text && !is_nested && !is_large_decimal;
  }
  return true;  // BLOB: no conversion
}

Status check_types(const PlanInput& in, const RowFormat format, const ColumnPlan& column) {
  const TypeFamily* family = find_type_family(column.field.type);
  auto codec = family->make(column.field.type, column.target_type, format, in.request.values);
  if (!codec.ok()) {
    Error error = std::move(codec).error();
    error.message = fmt::format("column {}: {}", column.field.name, error.message);
    error.where.column = column.field.name;
    return error;
  }
  const bool sqlite = in.sink.dialect == Dialect::kSqlite && in.sink.table_exists;
  if (sqlite && !sqlite_keeps(column.field.type, column.target_type.base)) {
    return mismatch(fmt::format("column {}: {} would be changed by the affinity of {} ({})",
                                column.field.name, type_name(column.field.type),
                                column.target_type.sql, column.target_type.base),
                    "change the column's type in the target, or load into a new table");
  }
  return {};
}

RowFormat format_for(const PlanInput& in) {
  if (in.sink.dialect == Dialect::kSqlite) return RowFormat::kSqliteRecord;
  return in.request.tuning.row_format == "text" ? RowFormat::kText : RowFormat::kPgBinary;
}

const TargetColumn* find_target(const SinkFacts& sink, const std::string& name) {
  const bool sqlite = sink.dialect == Dialect::kSqlite;
  for (const TargetColumn& column : sink.columns) {
    if (sqlite ? lower(column.name) == lower(name) : column.name == name) return &column;
  }
  return nullptr;
}

// The only target column that differs from `name` by case alone.
const TargetColumn* find_by_case(const SinkFacts& sink, const std::string& name) {
  const TargetColumn* found = nullptr;
  for (const TargetColumn& column : sink.columns) {
    if (lower(column.name) != lower(name)) continue;
    if (found != nullptr) return nullptr;
    found = &column;
  }
  return found;
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

// Columns that stand on one side only.
Status check_difference(const PlanInput& in, const Plan& plan,
                        const std::vector<std::string>& without_target) {
  std::vector<std::string> unfilled, demanded;
  for (const TargetColumn& column : in.sink.columns) {
    const bool filled = std::any_of(plan.columns.begin(), plan.columns.end(),
                                    [&](const ColumnPlan& c) { return c.target == column.name; });
    if (filled) continue;
    unfilled.push_back(column.name);
    if (column.not_null && !column.has_default && !column.generated && !column.identity_always) {
      demanded.push_back(column.name);
    }
  }
  if (!without_target.empty()) {
    return mismatch(
        fmt::format("the source has {} that table {} does not have: {}",
                    without_target.size() == 1 ? "a column" : "columns", in.sink.table,
                    joined(without_target)),
        unfilled.empty() ? "add the columns to the target, or leave them out of the source"
                         : fmt::format("only in the target: {}", joined(unfilled)));
  }
  if (!demanded.empty()) {
    return mismatch(fmt::format("NOT NULL columns of {} without a source column and default: {}",
                                in.sink.table, joined(demanded)),
                    "give the columns a default, or add them to the source");
  }
  return {};
}

Status match_existing(const PlanInput& in, Plan* plan) {
  std::vector<std::string> without_target;
  for (ColumnPlan& column : plan->columns) {
    const TargetColumn* target = find_target(in.sink, column.field.name);
    if (target == nullptr) {
      target = find_by_case(in.sink, column.field.name);
      if (target != nullptr) {
        decide(plan, "column " + column.field.name, target->name, "the names differ by case alone");
      }
    }
    if (target == nullptr) {
      without_target.push_back(column.field.name);
      continue;
    }
    if (target->generated) {
      return mismatch(fmt::format("column {} of the target is generated and cannot be written",
                                  target->name),
                      "leave the column out of the source");
    }
    column.target = target->name;
    column.target_type = target->type;
    column.not_null = target->not_null;
  }
  HEADRACE_TRY(check_difference(in, *plan, without_target));
  std::set<std::string> used;
  for (const ColumnPlan& column : plan->columns) {
    if (!used.insert(column.target).second) {
      return mismatch(fmt::format("two source columns go to column {}", column.target),
                      "rename one of them in the source");
    }
  }
  return {};
}

}  // namespace

Status plan_columns(const PlanInput& in, Plan* plan) {
  HEADRACE_TRY(check_names(in));
  plan->row_format = format_for(in);
  const Dialect dialect =
      in.sink.dialect == Dialect::kNone ? Dialect::kPostgres : in.sink.dialect;
  for (size_t i = 0; i < in.source.schema.fields.size(); ++i) {
    const Field& field = in.source.schema.fields[i];
    const TypeFamily* family = find_type_family(field.type);
    if (family == nullptr) return without_codec(field);
    ColumnPlan column;
    column.source_index = static_cast<int>(i);
    column.field = field;
    column.target = field.name;
    column.target_type = family->default_target(field.type, dialect);
    if (dialect == Dialect::kSqlite) {
      column.target_type = sqlite_target(field.type, column.target_type, in.request);
    }
    column.not_null = !field.nullable;
    column.codec = family->name;
    plan->columns.push_back(std::move(column));
  }
  if (in.sink.table_exists && !in.sink.columns.empty()) {
    HEADRACE_TRY(match_existing(in, plan));
  }
  HEADRACE_TRY(plan_geometry(in, plan));
  for (const ColumnPlan& column : plan->columns) {
    HEADRACE_TRY(check_types(in, plan->row_format, column));
  }
  return {};
}

}  // namespace headrace
