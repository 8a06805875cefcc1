#include "sink/postgres/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "encode/format/pg_binary.h"
#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

void replace_all(std::string* text, const std::string& from, const std::string& to) {
  if (from == to) return;
  for (size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

}  // namespace

std::string begin_copy_transaction() {
  return "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
         "SET LOCAL client_min_messages = error;"
         "SET LOCAL datestyle = 'ISO, YMD';"
         "SET LOCAL intervalstyle = postgres;"
         "SET LOCAL idle_in_transaction_session_timeout = 0";
}

CopyWriter::CopyWriter(std::unique_ptr<Connection> owned, Connection& connection, CopyJob job,
                       CopyTotals& totals, ConnectionPool* pool)
    : owned_(std::move(owned)),
      connection_(connection),
      job_(std::move(job)),
      totals_(totals),
      pool_(pool),
      stream_(connection) {}

CopyWriter::~CopyWriter() { abort("headrace stopped"); }

Result<std::unique_ptr<CopyWriter>> CopyWriter::borrow(Connection& connection, CopyJob job,
                                                       CopyTotals& totals) {
  std::unique_ptr<CopyWriter> writer(
      new CopyWriter(nullptr, connection, std::move(job), totals, nullptr));
  HEADRACE_TRY(writer->begin());
  return writer;
}

Result<std::unique_ptr<CopyWriter>> CopyWriter::own(ConnectionPool& pool, CopyJob job,
                                                    CopyTotals& totals) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  Connection& borrowed = *connection;
  std::unique_ptr<CopyWriter> writer(
      new CopyWriter(std::move(connection), borrowed, std::move(job), totals, &pool));
  HEADRACE_TRY(borrowed.run(begin_copy_transaction(), "BEGIN"));
  HEADRACE_TRY(writer->begin());
  return writer;
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
  replace_all(&error.message, job_.table, job_.target);
  for (std::string& line : error.context) replace_all(&line, job_.table, job_.target);
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
  if (owned_ != nullptr) {
    HEADRACE_ASSIGN(const PgResult result, connection_.exec("COMMIT", "COMMIT"));
    if (std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
      return Error(ErrorCode::kServer, "COMMIT: the server rolled the transaction back");
    }
    pool_->give(std::move(owned_));
  }
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
  owned_.reset();  // the server rolls back
}

}  // namespace headrace
