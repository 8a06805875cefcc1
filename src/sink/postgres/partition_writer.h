// PartitionWriter: rows into tables beside their partitions, by COPY, one after the other on one
// connection.
//
//   block ─► router ─┬─► the leaf whose COPY is open: sent at once
//                    └─► other leaves: a buffer each; a full one becomes the open COPY
//
// So sorted rows travel as they would into one table, and unsorted ones in pieces of about a
// megabyte. Memory: kMaxBufferBytes a writer, whatever the number of partitions.
//
// A writer belongs to one thread; the stages are shared by all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "sink/postgres/copy_segment.h"
#include "sink/postgres/partition_router.h"
#include "sink/postgres/partition_stages.h"
#include "sink/postgres/write_job.h"
#include "sink/sink.h"

namespace headrace {

class PartitionWriter final : public SinkWriter {
 public:
  PartitionWriter(WriterConnection connection, WriteJob job, WriterTotals& totals,
                  PartitionStages& stages);
  ~PartitionWriter() override;

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  struct Pending {
    Buffer bytes;
    std::vector<RowRange> rows;
  };

  Status place(const RowBlock& block, size_t row);
  Status take(const RowBlock& block, size_t begin, size_t end);
  Status switch_to(int32_t leaf);
  Status end_copy();
  Pending& pending_of(int32_t leaf);

  WriterConnection connection_;
  WriteJob job_;
  WriterTotals& totals_;
  PartitionStages& stages_;
  PartitionRouter router_;
  std::optional<CopySegment> segment_;
  int32_t current_ = -1;
  std::vector<int32_t> leaves_;   // of the block's rows
  std::vector<Pending> pending_;  // by node
  size_t pending_bytes_ = 0;
  size_t nodes_known_ = 0;
  int64_t rows_sent_ = 0;
  int64_t rows_stored_ = 0;
  int64_t bytes_sent_ = 0;
  bool done_ = false;
};

}  // namespace headrace
