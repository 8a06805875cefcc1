// CopySegment: one COPY FROM STDIN into one table, and where each of its rows comes from.
//
// A row that the server refuses is reported with its row of the source and its column.
//
//   note(rows) ─► send(bytes of these rows) ─► ... ─► end | abort
//
// The segment borrows connection and job; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sink/postgres/copy_stream.h"
#include "sink/postgres/insert_batch.h"
#include "sink/postgres/write_job.h"

namespace headrace {

class CopySegment {
 public:
  CopySegment(Connection& connection, const WriteJob& job) : stream_(connection), job_(job) {}

  // Runs the COPY of `table` in `schema` and sends its header.
  Status begin(const std::string& schema, const std::string& table);

  // The next rows that are sent.
  void note(const RowRange& rows);
  Status send(std::string_view bytes);

  // Gives the rows that the server stored.
  Result<int64_t> end();
  void abort(const std::string& reason) noexcept { stream_.abort(reason); }

  int64_t rows() const { return rows_; }
  int64_t bytes_sent() const { return stream_.bytes_sent(); }

 private:
  // Rows of this COPY from `first_line` on, until the next mark, and where they come from.
  struct Mark {
    int64_t first_line;  // 1-based
    int64_t partition;
    int64_t partition_row;  // 0-based
  };

  Error located(Error error) const;

  CopyStream stream_;
  const WriteJob& job_;
  std::string table_;
  std::vector<Mark> marks_;
  int64_t rows_ = 0;
};

}  // namespace headrace
