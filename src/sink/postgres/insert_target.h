// InsertTarget: what the three INSERT methods share: connection, statement, sums, and the words of
// an error.
//
// Owned by one writer, used by its thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sink/postgres/insert_batch.h"
#include "sink/postgres/insert_sql.h"
#include "sink/postgres/write_job.h"

namespace headrace {

class InsertTarget {
 public:
  // Fails with kInternal when the job's rows are not in binary.
  static Result<InsertTarget> open(WriterConnection connection, WriteJob job, WriterTotals& totals);

  Connection& connection() { return connection_.get(); }
  bool owns_connection() const { return connection_.is_owned(); }
  const InsertShape& shape() const { return shape_; }
  int64_t batch_rows() const { return job_.insert_rows > 0 ? job_.insert_rows : 1; }

  // The statement for one row in VALUES, whatever the shape.
  std::string row_sql() const;
  // The statement for the parameters of `batch`; valid until the next call.
  const std::string& sql(const InsertBatch& batch);

  void count_sent(int64_t rows, int64_t bytes);
  void count_stored(const PGresult* result);

  // `error` of an INSERT of these rows, which its message names. A single row is its place; of
  // several, the server does not tell which.
  Error located(Error error, const std::vector<RowRange>& ranges) const;

  // Commits as the scope demands and adds to the totals. REQUIRES: connection() not used
  // afterwards.
  Status commit();
  void close() noexcept { connection_.close(); }

 private:
  InsertTarget(WriterConnection connection, WriteJob job, WriterTotals& totals)
      : connection_(std::move(connection)), job_(std::move(job)), totals_(&totals) {}

  WriterConnection connection_;
  WriteJob job_;
  WriterTotals* totals_;
  InsertShape shape_;
  std::string sql_;
  int64_t sql_rows_ = 0;  // rows that sql_ is for; 0: none yet
  int64_t rows_sent_ = 0;
  int64_t rows_stored_ = 0;
  int64_t bytes_sent_ = 0;
};

}  // namespace headrace
