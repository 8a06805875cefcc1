#include "sink/postgres/copy_segment.h"

#include <algorithm>
#include <utility>

#include "encode/format/pg_binary.h"
#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

constexpr char kCheckViolation[] = "23514";

}  // namespace

Status CopySegment::begin(const std::string& schema, const std::string& table) {
  table_ = table;
  HEADRACE_TRY(stream_.begin(copy_sql(qualified(schema, table), job_.columns, job_.format, job_.freeze)));
  if (job_.format == RowFormat::kPgBinary) return stream_.send(pg_binary::header());
  return {};
}

void CopySegment::note(const RowRange& rows) {
  if (!marks_.empty()) {
    const Mark& last = marks_.back();
    const int64_t follows = last.partition_row + (rows_ + 1 - last.first_line);
    if (last.partition == rows.partition && follows == rows.first) {
      rows_ += rows.count;
      return;
    }
  }
  marks_.push_back({rows_ + 1, rows.partition, rows.first});
  rows_ += rows.count;
}

// Adds the place in the source and the column, if the server named row and column of this COPY.
Error CopySegment::located(Error error) const {
  std::string context;
  for (const std::string& line : error.context) context += line + "\n";
  std::vector<std::string> names;
  for (const ColumnPlan& column : job_.columns) names.push_back(column.target);
  const CopyPlace place = copy_place(context, table_, names);
  name_target(job_, table_, &error);
  if (error.sqlstate == kCheckViolation && error.message.find("no partition of relation") != std::string::npos) {
    error.hint = "create the partition, or load by --method copy with --create-partitions";
  }
  if (place.line < 1 || place.line > rows_) return error;
  auto after = std::upper_bound(marks_.begin(), marks_.end(), place.line,
                                [](int64_t line, const Mark& m) { return line < m.first_line; });
  if (after != marks_.begin()) {
    const Mark& mark = *(after - 1);
    error.where.partition = mark.partition;
    error.where.row = mark.partition_row + (place.line - mark.first_line) + 1;
  }
  for (const ColumnPlan& column : job_.columns) {
    if (!place.column.empty() && column.target == place.column)
      error.where.column = column.field.name;
  }
  return error;
}

Status CopySegment::send(std::string_view bytes) {
  Status sent = stream_.send(bytes);
  if (!sent.ok()) return located(std::move(sent).error());
  return {};
}

Result<int64_t> CopySegment::end() {
  if (job_.format == RowFormat::kPgBinary) HEADRACE_TRY(send(pg_binary::trailer()));
  auto stored = stream_.end();
  if (!stored.ok()) return located(std::move(stored).error());
  return stored;
}

}  // namespace headrace
