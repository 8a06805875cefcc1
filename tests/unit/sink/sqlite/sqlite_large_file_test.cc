// Files across the lock-byte page, at 1 GiB. Slow: each writes and reads more than 1 GB.
#include <gtest/gtest.h>

#include "sink/sqlite/page_format.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

constexpr int64_t kBlobBytes = 1 << 20;

// Gives blocks of one blob each up to about `bytes`, then `small_rows` small rows, then more blobs.
class LargeLoad {
 public:
  LargeLoad(SinkWriter& writer, int64_t bytes) : writer_(writer), bytes_(bytes) {}

  Status run(int64_t small_rows, int64_t more_blobs) {
    const std::string value(kBlobBytes, 'L');
    for (int64_t i = 0; i < bytes_ / kBlobBytes; ++i) HEADRACE_TRY(add({blob(value), kNull}));
    HEADRACE_TRY(write());
    for (int64_t i = 0; i < small_rows; ++i) HEADRACE_TRY(add({std::string("small"), i}));
    for (int64_t i = 0; i < more_blobs; ++i) HEADRACE_TRY(add({blob(value), kNull}));
    HEADRACE_TRY(write());
    return writer_.finish();
  }

  int64_t rows() const { return rowid_; }

 private:
  Status add(const Row& row) {
    add_row(&block_, ++rowid_, row);
    return block_.bytes.size() < 500'000 ? Status() : write();
  }
  Status write() {
    block_.last_in_batch = true;
    HEADRACE_TRY(writer_.write(block_));
    const int64_t batch = block_.batch;
    block_.clear();
    block_.batch = batch + 1;
    return {};
  }

  SinkWriter& writer_;
  int64_t bytes_;
  RowBlock block_;
  int64_t rowid_ = 0;
};

void check_large_file(int page_bytes, int64_t blobs_before, int64_t small_rows) {
  const TempFolder folder;
  const std::string path = folder.file("large.sqlite");
  auto sink = open_target(path);
  ASSERT_STATUS_OK(sink->prepare(plan_of(2, "pages", Mode::kCreate, page_bytes), "large"));
  int64_t rows = 0;
  {
    auto writer = std::move(sink->open_writer(0)).value();
    LargeLoad load(*writer, blobs_before);
    ASSERT_STATUS_OK(load.run(small_rows, 20));
    rows = load.rows();
  }
  ASSERT_TRUE(sink->publish().ok());
  ASSERT_GT(std::filesystem::file_size(path), sqlite_page::kLockByte + (10 << 20));
  // The lock-byte page holds nothing.
  std::ifstream in(path, std::ios::binary);
  const uint64_t lock_page = sqlite_page::lock_byte_page(static_cast<uint32_t>(page_bytes));
  std::string page(static_cast<size_t>(page_bytes), 'x');
  in.seekg(static_cast<std::streamoff>((lock_page - 1) * static_cast<uint64_t>(page_bytes)));
  in.read(page.data(), page_bytes);
  EXPECT_EQ(page, std::string(static_cast<size_t>(page_bytes), '\0'));
  EXPECT_EQ(integrity(path), "ok");
  Db db(path);
  EXPECT_EQ(db.integer("SELECT count(*) FROM t"), rows);
  EXPECT_EQ(db.integer("SELECT sum(c0 = 'small') FROM t"), small_rows);
  EXPECT_EQ(db.integer("SELECT sum(length(c0)) FROM t WHERE c1 IS NULL"),
            (rows - small_rows) * kBlobBytes);
  db.run("INSERT INTO t VALUES ('one more', 1); DELETE FROM t WHERE rowid % 50 = 0");
  EXPECT_EQ(db.text("PRAGMA quick_check"), "ok");
}

TEST(SqliteLargeFile, SlowChainAcrossTheLockPage) {
  check_large_file(65536, (int64_t{1} << 30) + (4 << 20), 1000);
}

TEST(SqliteLargeFile, SlowLeavesAcrossTheLockPage) {
  check_large_file(4096, (int64_t{1} << 30) - (8 << 20), 1'200'000);
}

}  // namespace
}  // namespace headrace
