// Names of the plan's choices, and the plan as text.
#include <fmt/format.h>

#include "headrace/plan.h"
#include "plan/text_layout.h"

namespace headrace {
namespace {

constexpr size_t kMaxTypeWidth = 60;

const char* mode_meaning(const Plan& plan) {
  switch (plan.mode) {
    case Mode::kCreate:
      return "the table must not exist";
    case Mode::kAppend:
      return plan.creates_table ? "the table is made" : "rows are added";
    case Mode::kReplace:
      return plan.creates_table ? "the table is made" : "all rows are replaced";
    case Mode::kTruncate:
      return plan.creates_table ? "the table is made" : "the table is emptied first";
    case Mode::kUpsert:
      return plan.creates_table ? "the table is made"
                                : "rows with a known key are updated, others inserted";
    case Mode::kDeleteInsert:
      return plan.creates_table ? "the table is made" : "rows that meet the condition are replaced";
  }
  return "";
}

std::string source_line(const Plan& plan) {
  std::string rows = plan.row_count < 0 ? "rows not known" : count_text(plan.row_count, "row");
  return fmt::format("{} ({}, {}, {})", printable(plan.source), plan.source_format, rows,
                     count_text(static_cast<int64_t>(plan.partitions.size()), "partition"));
}

std::string target_line(const Plan& plan) {
  const std::string table = plan.schema.empty() ? plan.table : plan.schema + "." + plan.table;
  std::string line = printable(plan.target);
  if (!table.empty()) line += ", table " + printable(table);
  return line;
}

std::string method_line(const Plan& plan) {
  std::string line = plan.method;
  if (plan.method != plan.method_requested && !plan.method_requested.empty()) {
    line += fmt::format(" (asked for: {})", printable(plan.method_requested));
  }
  if (!plan.method_reason.empty()) line += ": " + printable(plan.method_reason);
  return line;
}

std::string parallel_line(const Plan& plan) {
  return fmt::format("{}, {}, batches of {}, blocks of {}, {} read ahead",
                     count_text(plan.readers, "reader"), count_text(plan.workers, "writer"),
                     count_text(plan.batch_rows, "row"), memory_text(plan.block_bytes),
                     memory_text(plan.read_ahead_bytes));
}

std::string columns_table(const Plan& plan) {
  TextTable table({{"#", true}, {"source"}, {"type"}, {"target"}, {"type"}, {"null"}, {"codec"}});
  int number = 0;
  for (const ColumnPlan& column : plan.columns) {
    table.add_row({std::to_string(++number), printable(column.field.name),
                   clipped(printable(type_name(column.field.type)), kMaxTypeWidth),
                   printable(column.target),
                   clipped(printable(column.target_type.sql), kMaxTypeWidth),
                   column.not_null ? "not null" : "null", column.codec});
  }
  return table.render();
}

std::string indented(std::string_view text) { return "  " + printable_lines(text, "  ") + "\n"; }

}  // namespace

const char* mode_name(Mode mode) {
  switch (mode) {
    case Mode::kCreate:
      return "create";
    case Mode::kAppend:
      return "append";
    case Mode::kReplace:
      return "replace";
    case Mode::kTruncate:
      return "truncate";
    case Mode::kUpsert:
      return "upsert";
    case Mode::kDeleteInsert:
      return "delete_insert";
  }
  return "create";
}

const char* on_duplicate_name(OnDuplicate on_duplicate) {
  switch (on_duplicate) {
    case OnDuplicate::kError:
      return "error";
    case OnDuplicate::kFirst:
      return "first";
    case OnDuplicate::kLast:
      return "last";
  }
  return "error";
}

const char* verify_level_name(VerifyLevel level) {
  switch (level) {
    case VerifyLevel::kNone:
      return "none";
    case VerifyLevel::kQuick:
      return "quick";
    case VerifyLevel::kFull:
      return "full";
  }
  return "none";
}

const char* row_format_name(RowFormat format) {
  switch (format) {
    case RowFormat::kPgBinary:
      return "pg_binary";
    case RowFormat::kText:
      return "text";
    case RowFormat::kSqliteRecord:
      return "sqlite_record";
  }
  return "pg_binary";
}

const char* commit_scope_name(CommitScope scope) {
  switch (scope) {
    case CommitScope::kNone:
      return "none";
    case CommitScope::kSingle:
      return "single";
    case CommitScope::kSwap:
      return "swap";
    case CommitScope::kStaged:
      return "staged";
    case CommitScope::kFile:
      return "file";
    case CommitScope::kTogether:
      return "together";
  }
  return "none";
}

std::string Plan::to_text() const {
  std::string out;
  append_field(&out, "source", source_line(*this));
  append_field(&out, "target", target_line(*this));
  append_field(&out, "mode", fmt::format("{}: {}", mode_name(mode), mode_meaning(*this)));
  append_field(&out, "key", printable(fmt::format("{}", fmt::join(keys, ", "))));
  append_field(&out, "condition", printable(replace_where));
  append_field(&out, "method", method_line(*this));
  append_field(&out, "rows as", row_format_name(row_format));
  append_field(&out, "commit", commit_scope_name(commit_scope));
  append_field(&out, "indexes", index_action);
  append_field(&out, "parallel", parallel_line(*this));
  if (insert_rows > 0) {
    append_field(&out, "insert", fmt::format("{} a statement", count_text(insert_rows, "row")));
  }
  if (dialect == Dialect::kSqlite) append_field(&out, "page size", memory_text(page_bytes));
  if (lock_timeout_ms > 0 && dialect == Dialect::kPostgres) {
    append_field(&out, "lock wait", fmt::format("{} ms per attempt", grouped(lock_timeout_ms)));
  }
  if (values.nan_as_null) append_field(&out, "values", "NaN is stored as NULL");
  if (values.srid >= 0) {
    append_field(&out, "srid", fmt::format("{} for geometries that carry none", values.srid));
  }
  if (values.promote_to_multi) {
    append_field(&out, "geometry", "promoted to multi where the column is");
  }
  out += "\ncolumns\n" + columns_table(*this);
  if (!ddl.empty()) out += "\nddl\n";
  for (const std::string& statement : ddl) out += indented(statement);
  if (!decisions.empty()) out += "\ndecisions\n" + decisions_table(decisions);
  if (!warnings.empty()) out += "\nwarnings\n";
  for (const std::string& warning : warnings) out += indented(warning);
  return out;
}

}  // namespace headrace
