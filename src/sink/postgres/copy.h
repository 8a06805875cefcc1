// CopyWriter: RowBlocks through one COPY FROM STDIN, in binary or text.
//
// A writer belongs to one thread.
#pragma once

#include <memory>
#include <string>

#include "sink/postgres/copy_segment.h"
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
  CopyWriter(WriterConnection connection, WriteJob job, WriterTotals& totals);

  WriterConnection connection_;
  WriteJob job_;
  WriterTotals& totals_;
  CopySegment segment_;
  bool done_ = false;
};

}  // namespace headrace
