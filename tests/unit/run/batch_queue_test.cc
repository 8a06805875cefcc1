#include "run/batch_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace headrace {
namespace {

std::unique_ptr<RecordBatch> batch(int64_t rows, int64_t bytes = 100, int64_t partition_row = 0) {
  auto b = std::make_unique<RecordBatch>();
  b->array->length = rows;
  b->byte_count = bytes;
  b->partition_row = partition_row;
  return b;
}

TEST(BatchQueue, NumbersBatchesInSourceOrderWhateverOrderTheyArriveIn) {
  BatchQueue queue(2, 1 << 20);
  EXPECT_EQ(queue.claim_partition(), 0u);
  EXPECT_EQ(queue.claim_partition(), 1u);
  EXPECT_FALSE(queue.claim_partition().has_value());
  ASSERT_TRUE(queue.push(1, batch(5, 100, 0)));
  ASSERT_TRUE(queue.push(0, batch(3, 100, 0)));
  ASSERT_TRUE(queue.push(0, batch(4, 100, 3)));
  queue.finish_partition(1);
  queue.finish_partition(0);
  const int64_t rows[] = {3, 4, 5};
  const int64_t first[] = {0, 3, 7};
  for (int i = 0; i < 3; ++i) {
    auto b = queue.pop();
    ASSERT_NE(b, nullptr);
    EXPECT_EQ(b->row_count(), rows[i]);
    EXPECT_EQ(b->sequence, i);
    EXPECT_EQ(b->first_row, first[i]);
  }
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST(BatchQueue, ReaderAheadWaitsButTheAwaitedPartitionNeverDoes) {
  BatchQueue queue(2, 150);
  ASSERT_TRUE(queue.push(1, batch(1, 100)));
  std::atomic<bool> pushed{false};
  std::thread ahead([&] {
    EXPECT_TRUE(queue.push(1, batch(1, 100)));
    pushed = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(pushed);
  ASSERT_TRUE(queue.push(0, batch(1, 1000)));  // over the bound, but it is the one awaited
  EXPECT_NE(queue.pop(), nullptr);
  queue.finish_partition(0);
  EXPECT_NE(queue.pop(), nullptr);  // of partition 1: makes room
  ahead.join();
  EXPECT_TRUE(pushed);
}

TEST(BatchQueue, StopWakesEveryone) {
  BatchQueue queue(2, 10);
  ASSERT_TRUE(queue.push(1, batch(1, 10)));
  std::thread reader([&] { EXPECT_FALSE(queue.push(1, batch(1, 100))); });
  std::thread worker([&] { EXPECT_EQ(queue.pop(), nullptr); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  queue.stop();
  reader.join();
  worker.join();
  EXPECT_FALSE(queue.claim_partition().has_value());
}

TEST(BatchQueue, NoPartitionsIsTheEnd) {
  BatchQueue queue(0, 10);
  EXPECT_EQ(queue.pop(), nullptr);
}

}  // namespace
}  // namespace headrace
