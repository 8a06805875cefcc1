// CopyWriter: RowBlocks through COPY FROM STDIN, in binary or text.
//
// A row that the server refuses is reported with its row of the source and its column.
//
// A writer belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sink/postgres/copy_stream.h"
#include "sink/postgres/write_job.h"
#include "sink/sink.h"

namespace headrace {

class CopyWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> open(WriterConnection connection, WriteJob job,
                                                  WriterTotals& totals);

  ~CopyWriter() override;

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  // Rows of this COPY from `first_line` on, until the next mark, and where they come from.
  struct Mark {
    int64_t first_line;  // 1-based
    int64_t partition;
    int64_t partition_row;  // 0-based
  };

  CopyWriter(WriterConnection connection, WriteJob job, WriterTotals& totals);
  Status begin();
  void mark(const RowBlock& block);
  Error located(Error error) const;

  WriterConnection connection_;
  WriteJob job_;
  WriterTotals& totals_;
  CopyStream stream_;
  std::vector<Mark> marks_;
  int64_t rows_ = 0;
  bool done_ = false;
};

}  // namespace headrace
