#include "sink/postgres/copy.h"

#include <utility>

#include "sink/postgres/methods.h"

namespace headrace {

CopyWriter::CopyWriter(WriterConnection connection, WriteJob job, WriterTotals& totals)
    : connection_(std::move(connection)),
      job_(std::move(job)),
      totals_(totals),
      segment_(connection_.get(), job_) {}

CopyWriter::~CopyWriter() { abort("headrace stopped"); }

Result<std::unique_ptr<SinkWriter>> CopyWriter::open(WriterConnection connection, WriteJob job,
                                                     WriterTotals& totals) {
  std::unique_ptr<CopyWriter> writer(new CopyWriter(std::move(connection), std::move(job), totals));
  HEADRACE_TRY(writer->segment_.begin(writer->job_.schema, writer->job_.table));
  totals.opened += 1;
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

Status CopyWriter::write(const RowBlock& block) {
  if (block.row_count == 0) return {};
  segment_.note({block.partition, block.partition_row, block.row_count});
  HEADRACE_TRY(segment_.send(block.bytes.view()));
  totals_.rows_sent += block.row_count;
  return {};
}

Status CopyWriter::finish() {
  HEADRACE_ASSIGN(const int64_t stored, segment_.end());
  HEADRACE_TRY(connection_.commit());
  done_ = true;
  totals_.bytes_sent += segment_.bytes_sent();
  totals_.rows_stored += stored;
  totals_.finished += 1;
  return {};
}

void CopyWriter::abort(const std::string& reason) noexcept {
  if (done_) return;
  done_ = true;
  segment_.abort(reason);
  connection_.close();
}

const PostgresMethod kCopyMethod = {"copy", CopyWriter::open};

}  // namespace headrace
