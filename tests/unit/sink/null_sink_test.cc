#include "sink/null_sink.h"

#include <gtest/gtest.h>

#include <thread>

namespace headrace {
namespace {

TEST(NullSink, TakesEverything) {
  EXPECT_TRUE(kNullSink.recognises("null:"));
  EXPECT_FALSE(kNullSink.recognises("null"));
  LoadRequest request;
  request.target = "null:";
  auto sink = kNullSink.open(request);
  ASSERT_TRUE(sink.ok());
  auto facts = (*sink)->facts();
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->server_kind, "null");
  EXPECT_EQ(facts->dialect, Dialect::kPostgres);
  EXPECT_FALSE(facts->table_exists);
  EXPECT_GT(facts->max_writers, 100);
  ASSERT_TRUE((*sink)->prepare(Plan(), "x").ok());
  std::vector<std::thread> threads;
  for (int w = 0; w < 4; ++w) {
    threads.emplace_back([&sink, w] {
      auto writer = (*sink)->open_writer(w);
      ASSERT_TRUE(writer.ok());
      RowBlock block;
      block.bytes.append("0123456789", 10);
      for (int i = 0; i < 100; ++i) ASSERT_TRUE((*writer)->write(block).ok());
      ASSERT_TRUE((*writer)->finish().ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto stats = (*sink)->publish();
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats->bytes_sent, 4000);
}

}  // namespace
}  // namespace headrace
