#include "sink/postgres/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "encode/format/pg_binary.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/methods.h"

namespace headrace {

CopyWriter::CopyWriter(WriterConnection connection, WriteJob job, WriterTotals& totals)
    : connection_(std::move(connection)),
      job_(std::move(job)),
      totals_(totals),
      stream_(connection_.get()) {}

CopyWriter::~CopyWriter() { abort("headrace stopped"); }

Result<std::unique_ptr<SinkWriter>> CopyWriter::open(WriterConnection connection, WriteJob job,
                                                     WriterTotals& totals) {
  std::unique_ptr<CopyWriter> writer(new CopyWriter(std::move(connection), std::move(job), totals));
  HEADRACE_TRY(writer->begin());
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

Status CopyWriter::begin() {
  HEADRACE_TRY(stream_.begin(
      copy_sql(qualified(job_.schema, job_.table), job_.columns, job_.format, job_.freeze)));
  totals_.opened += 1;
  if (job_.format == RowFormat::kPgBinary) return stream_.send(pg_binary::header());
  return {};
}

void CopyWriter::mark(const RowBlock& block) {
  if (!marks_.empty()) {
    const Mark& last = marks_.back();
    const int64_t follows = last.partition_row + (rows_ + 1 - last.first_line);
    if (last.partition == block.partition && follows == block.partition_row) return;
  }
  marks_.push_back({rows_ + 1, block.partition, block.partition_row});
}

// Adds the place in the source and the column, if the server named row and column of this COPY.
Error CopyWriter::located(Error error) const {
  std::string context;
  for (const std::string& line : error.context) context += line + "\n";
  std::vector<std::string> names;
  for (const ColumnPlan& column : job_.columns) names.push_back(column.target);
  const CopyPlace place = copy_place(context, job_.table, names);
  name_target(job_, &error);
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

Status CopyWriter::write(const RowBlock& block) {
  if (block.row_count == 0) return {};
  mark(block);
  rows_ += block.row_count;
  Status sent = stream_.send(block.bytes.view());
  if (!sent.ok()) return located(std::move(sent).error());
  totals_.rows_sent += block.row_count;
  return {};
}

Status CopyWriter::finish() {
  if (job_.format == RowFormat::kPgBinary) {
    Status sent = stream_.send(pg_binary::trailer());
    if (!sent.ok()) return located(std::move(sent).error());
  }
  auto stored = stream_.end();
  if (!stored.ok()) return located(std::move(stored).error());
  HEADRACE_TRY(connection_.commit());
  done_ = true;
  totals_.bytes_sent += stream_.bytes_sent();
  totals_.rows_stored += *stored;
  totals_.finished += 1;
  return {};
}

void CopyWriter::abort(const std::string& reason) noexcept {
  if (done_) return;
  done_ = true;
  stream_.abort(reason);
  connection_.close();
}

const PostgresMethod kCopyMethod = {"copy", CopyWriter::open};

}  // namespace headrace
