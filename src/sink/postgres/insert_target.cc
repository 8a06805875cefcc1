#include "sink/postgres/insert_target.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "sink/postgres/pg_error.h"

namespace headrace {

Result<InsertTarget> InsertTarget::open(WriterConnection connection, WriteJob job,
                                        WriterTotals& totals) {
  if (job.format != RowFormat::kPgBinary) {
    return Error(ErrorCode::kInternal, "INSERT takes rows in binary");
  }
  InsertTarget target(std::move(connection), std::move(job), totals);
  HEADRACE_ASSIGN(target.shape_, read_insert_shape(target.connection(), target.job_));
  totals.opened += 1;
  return target;
}

std::string InsertTarget::row_sql() const {
  return insert_sql(qualified(job_.schema, job_.table), job_.columns, InsertForm::kValues,
                    shape_.overriding, 1);
}

const std::string& InsertTarget::sql(const InsertBatch& batch) {
  const bool same = shape_.form == InsertForm::kArrays || batch.rows() == sql_rows_;
  if (sql_.empty() || !same) {
    sql_ = insert_sql(qualified(job_.schema, job_.table), job_.columns, shape_.form,
                      shape_.overriding, batch.rows());
    sql_rows_ = batch.rows();
  }
  return sql_;
}

void InsertTarget::count_sent(int64_t rows, int64_t bytes) {
  rows_sent_ += rows;
  bytes_sent_ += bytes;
}

void InsertTarget::count_stored(const PGresult* result) {
  rows_stored_ += std::strtoll(PQcmdTuples(const_cast<PGresult*>(result)), nullptr, 10);
}

Error InsertTarget::located(Error error, const std::vector<RowRange>& ranges) const {
  if (error.code == ErrorCode::kCancelled) return error;
  name_target(job_, job_.table, &error);
  error.message = fmt::format("INSERT of {}: {}", range_text(ranges), error.message);
  if (ranges.size() != 1) return error;
  error.where.partition = ranges[0].partition;
  if (ranges[0].count == 1) error.where.row = ranges[0].first + 1;
  return error;
}

Status InsertTarget::commit() {
  HEADRACE_TRY(connection_.commit());
  totals_->rows_sent += rows_sent_;
  totals_->rows_stored += rows_stored_;
  totals_->bytes_sent += bytes_sent_;
  totals_->finished += 1;
  return {};
}

}  // namespace headrace
