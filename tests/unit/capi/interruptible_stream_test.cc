#include "interruptible_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace headrace::capi {
namespace {

using std::chrono::milliseconds;

// A producer of empty batches whose length is their number; outlives its stream.
struct Producer {
  int64_t batches = 3;
  int fails_with = 0;  // after the batches
  std::atomic<bool> blocked{false};
  std::atomic<int64_t> given{0};
  std::atomic<int> batches_alive{0};
  std::atomic<int> released{0};
};

Producer* producer(ArrowArrayStream* stream) { return static_cast<Producer*>(stream->private_data); }

int next_batch(ArrowArrayStream* stream, ArrowArray* out) {
  Producer* p = producer(stream);
  *out = ArrowArray{};
  while (p->blocked) std::this_thread::sleep_for(milliseconds(1));
  if (p->given == p->batches) return p->fails_with;
  out->length = ++p->given;
  out->private_data = p;
  ++p->batches_alive;
  out->release = [](ArrowArray* array) {
    --static_cast<Producer*>(array->private_data)->batches_alive;
    array->release = nullptr;
  };
  return 0;
}

ArrowArrayStream stream_of(Producer* p) {
  ArrowArrayStream stream{};
  stream.private_data = p;
  stream.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return EINVAL; };
  stream.get_next = next_batch;
  stream.get_last_error = [](ArrowArrayStream*) { return "the producer says so"; };
  stream.release = [](ArrowArrayStream* s) {
    ++producer(s)->released;
    s->release = nullptr;
  };
  return stream;
}

bool eventually(const auto& condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
  return condition();
}

class InterruptibleStream : public testing::Test {
 protected:
  void open() {
    ArrowArrayStream inner = stream_of(&producer_);
    make_interruptible(&inner, &cancel_, &stream_);
    EXPECT_EQ(inner.release, nullptr) << "it was not taken over";
  }
  void release() { stream_.release(&stream_); }

  Producer producer_;
  std::atomic<bool> cancel_{false};
  ArrowArrayStream stream_{};
};

TEST_F(InterruptibleStream, GivesAllBatchesInOrderAndTheEndAgainAndAgain) {
  open();
  for (int64_t number = 1; number <= 3; ++number) {
    ArrowArray batch{};
    ASSERT_EQ(stream_.get_next(&stream_, &batch), 0);
    ASSERT_EQ(batch.length, number);
    batch.release(&batch);
  }
  for (int i = 0; i < 2; ++i) {
    ArrowArray batch{};
    ASSERT_EQ(stream_.get_next(&stream_, &batch), 0);
    EXPECT_EQ(batch.release, nullptr);
  }
  release();
  EXPECT_EQ(producer_.released, 1);
  EXPECT_EQ(producer_.batches_alive, 0);
}

TEST_F(InterruptibleStream, HandsOnAnErrorWithItsText) {
  producer_.batches = 0;
  producer_.fails_with = EIO;
  open();
  ArrowArray batch{};
  EXPECT_EQ(stream_.get_next(&stream_, &batch), EIO);
  EXPECT_STREQ(stream_.get_last_error(&stream_), "the producer says so");
  release();
  EXPECT_EQ(producer_.released, 1);
}

TEST_F(InterruptibleStream, HandsOnTheErrorOfTheSchema) {
  open();
  ArrowSchema schema{};
  EXPECT_EQ(stream_.get_schema(&stream_, &schema), EINVAL);
  EXPECT_STREQ(stream_.get_last_error(&stream_), "the producer says so");
  release();
  EXPECT_EQ(producer_.released, 1) << "a stream that nobody read";
}

TEST_F(InterruptibleStream, LeavesAProducerThatDoesNotComeBack) {
  producer_.blocked = true;
  open();
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(100));
    cancel_ = true;
  });
  const auto start = std::chrono::steady_clock::now();
  ArrowArray batch{};
  EXPECT_EQ(stream_.get_next(&stream_, &batch), ECANCELED);
  EXPECT_NE(std::string(stream_.get_last_error(&stream_)).find("cancelled"), std::string::npos);
  canceller.join();
  release();
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1000));
  EXPECT_EQ(producer_.released, 0);
  producer_.blocked = false;
  EXPECT_TRUE(eventually([&] { return producer_.released == 1; }));
  EXPECT_EQ(producer_.batches_alive, 0);
}

TEST_F(InterruptibleStream, ReleasesWhatIsAheadWhenItIsLeftEarly) {
  producer_.batches = 1000;
  open();
  ArrowArray batch{};
  ASSERT_EQ(stream_.get_next(&stream_, &batch), 0);
  batch.release(&batch);
  release();
  EXPECT_TRUE(eventually([&] { return producer_.released == 1; }));
  EXPECT_EQ(producer_.batches_alive, 0);
  EXPECT_LE(producer_.given, 4) << "it read far ahead";
}

}  // namespace
}  // namespace headrace::capi
