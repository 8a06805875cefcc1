#include "run/batch_queue.h"

namespace headrace {

BatchQueue::BatchQueue(size_t partition_count, int64_t max_bytes)
    : max_bytes_(max_bytes), lanes_(partition_count) {}

std::optional<size_t> BatchQueue::claim_partition() {
  std::lock_guard lock(mutex_);
  if (stopped_ || next_claim_ == lanes_.size()) return std::nullopt;
  return next_claim_++;
}

bool BatchQueue::push(size_t partition, std::unique_ptr<RecordBatch> batch) {
  const int64_t bytes = batch->byte_count;
  std::unique_lock lock(mutex_);
  Lane& lane = lanes_[partition];
  can_push_.wait(lock, [&] {
    const bool awaited = partition == current_ && lane.batches.empty();
    return stopped_ || awaited || queued_bytes_ + bytes <= max_bytes_;
  });
  if (stopped_) return false;
  queued_bytes_ += bytes;
  lane.batches.push_back(std::move(batch));
  if (partition == current_) can_pop_.notify_one();
  return true;
}

void BatchQueue::finish_partition(size_t partition) {
  std::lock_guard lock(mutex_);
  lanes_[partition].finished = true;
  if (partition == current_) can_pop_.notify_all();
}

std::unique_ptr<RecordBatch> BatchQueue::pop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_ || current_ == lanes_.size()) return nullptr;
    Lane& lane = lanes_[current_];
    if (!lane.batches.empty()) {
      auto batch = std::move(lane.batches.front());
      lane.batches.pop_front();
      queued_bytes_ -= batch->byte_count;
      batch->sequence = next_sequence_++;
      batch->first_row = next_row_;
      next_row_ += batch->row_count();
      can_push_.notify_all();
      return batch;
    }
    if (lane.finished) {
      ++current_;
      can_push_.notify_all();
      can_pop_.notify_all();
      continue;
    }
    can_pop_.wait(lock);
  }
}

void BatchQueue::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (Lane& lane : lanes_) lane.batches.clear();
  can_push_.notify_all();
  can_pop_.notify_all();
}

bool BatchQueue::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

}  // namespace headrace
