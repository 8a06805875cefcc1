// BatchQueue: batches on their way from the reader threads to the workers, in source order.
//
// Readers claim partitions in order and push their batches; workers pop batches in the order of
// (partition, batch), so that the rows of a load are numbered alike in every run. Bounded by bytes:
// a reader that is ahead waits, except that the partition being popped may always have one batch.
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/arrow_c.h"

namespace headrace {

class BatchQueue {
 public:
  BatchQueue(size_t partition_count, int64_t max_bytes);

  // The next partition to read, or nothing when all are claimed or the queue was stopped.
  std::optional<size_t> claim_partition();

  // False when the queue was stopped; the batch is dropped then.
  bool push(size_t partition, std::unique_ptr<RecordBatch> batch);
  void finish_partition(size_t partition);

  // The next batch with sequence and first_row set; nullptr at the end, or when stopped.
  std::unique_ptr<RecordBatch> pop();

  // Ends all waiting. What is queued is dropped.
  void stop();
  bool stopped() const;

 private:
  struct Lane {
    std::deque<std::unique_ptr<RecordBatch>> batches;
    bool finished = false;
  };

  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable can_push_;
  std::condition_variable can_pop_;
  std::vector<Lane> lanes_;
  size_t next_claim_ = 0;
  size_t current_ = 0;  // partition being popped
  int64_t queued_bytes_ = 0;
  int64_t next_sequence_ = 0;
  int64_t next_row_ = 0;
  bool stopped_ = false;
};

}  // namespace headrace
