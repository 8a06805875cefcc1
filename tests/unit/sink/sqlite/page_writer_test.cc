// Whole files by method pages: what SQLite says of them, and that they are alike in every run.
#include "sink/sqlite/page_writer.h"

#include <gtest/gtest.h>

#include "sink/sqlite/page_format.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

// Loads `rows`, and checks the file in all ways that need no second writer.
void check_load(const Rows& rows, int page_bytes, size_t block_bytes = 4000) {
  SCOPED_TRACE(::testing::Message() << rows.size() << " rows, page size " << page_bytes);
  const TempFolder folder(true);
  const std::string path = folder.file("a.sqlite");
  const int columns = rows.empty() ? 3 : static_cast<int>(rows[0].size());
  ASSERT_STATUS_OK(load(path, plan_of(columns, "pages", Mode::kCreate, page_bytes),
                        make_blocks(rows, block_bytes)));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
  EXPECT_EQ(integrity(path), "ok");
  Db db(path);
  EXPECT_EQ(db.integer("PRAGMA page_size"), page_bytes);
  EXPECT_EQ(db.integer("PRAGMA page_count") * page_bytes,
            static_cast<int64_t>(std::filesystem::file_size(path)));
  EXPECT_EQ(db.integer("PRAGMA freelist_count"), 0);
  EXPECT_TRUE(db.rows("SELECT * FROM t ORDER BY rowid") == rows);
  EXPECT_EQ(db.integer("SELECT count(*) FROM t"), static_cast<int64_t>(rows.size()));
  if (!rows.empty()) {
    EXPECT_EQ(db.integer("SELECT min(rowid) = 1 AND max(rowid) = count(*) FROM t"), 1);
  }
}

TEST(PageWriter, RowCountsAndPageSizes) {
  for (const int page_bytes : {512, 1024, 4096, 65536}) {
    for (const int64_t count : {0, 1, 2, 3, 10, 200, 3000}) {
      check_load(sample_rows(count), page_bytes);
    }
  }
}

TEST(PageWriter, ManyRowsMakeSeveralInteriorLevels) { check_load(sample_rows(60000), 512, 100000); }

TEST(PageWriter, OneByteRecords) {
  check_load(Rows(5000, Row{kNull}), 512);
  check_load(Rows(5000, Row{int64_t{1}}), 4096);
}

TEST(PageWriter, PayloadsAroundTheSpillLimits) {
  for (const int page_bytes : {512, 1024, 4096, 65536}) {
    Rows rows;
    const int64_t room = page_bytes - 4;
    for (const int64_t base : {page_bytes - 35, page_bytes - 12, page_bytes, 2 * page_bytes,
                               page_bytes + 3 * static_cast<int>(room)}) {
      for (int64_t bytes = base - 45; bytes < base + 25; ++bytes) {
        rows.push_back({std::string(static_cast<size_t>(bytes), 'p'), bytes});
      }
    }
    check_load(rows, page_bytes, 20000);
  }
}

TEST(PageWriter, ValuesOfAllSizes) {
  for (const int page_bytes : {512, 4096, 65536}) {
    Rows rows;
    for (size_t bytes = 1; bytes <= 5'000'000; bytes = bytes * 3 + 1) {
      std::string value(bytes, '\0');
      for (size_t i = 0; i < bytes; ++i) value[i] = static_cast<char>(i * 7 + i / 251);
      rows.push_back({blob(value), int64_t{7}});
      rows.push_back({blob(value), kNull});
    }
    check_load(rows, page_bytes, 300'000);
  }
}

TEST(PageWriter, TheOnlyRowSpills) {
  check_load({{std::string(1'000'000, 'x'), int64_t{1}}}, 512);
  check_load({{std::string(10'000'000, 'x'), int64_t{1}}}, 4096);
  check_load({{std::string(70'000, 'x'), int64_t{1}}}, 65536);
}

TEST(PageWriter, MoreThan127ColumnsAndMoreThan16383HeaderBytes) {
  Row wide;
  for (int64_t i = 0; i < 1900; ++i) wide.push_back(i);
  check_load(Rows(20, wide), 4096);
  for (Value& value : wide) value = std::string(9000, 'w');
  check_load(Rows(2, wide), 4096);
}

TEST(PageWriter, TheSchemaMayNeedMoreThanOnePage) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Plan plan = plan_of(600, "pages", Mode::kCreate, 512);
  const Rows rows(100, Row(600, int64_t{5}));
  ASSERT_STATUS_OK(load(path, plan, make_blocks(rows)));
  EXPECT_EQ(integrity(path), "ok");
  EXPECT_TRUE(Db(path).rows("SELECT * FROM t") == rows);
}

TEST(PageWriter, HeaderFields) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  ASSERT_STATUS_OK(load(path, plan_of(3, "pages"), make_blocks(sample_rows(1000))));
  const std::string bytes = file_bytes(path);
  const auto* header = reinterpret_cast<const uint8_t*>(bytes.data());
  EXPECT_EQ(load_be32(header + sqlite_page::kPageCountAt), bytes.size() / 4096);
  EXPECT_EQ(load_be32(header + sqlite_page::kChangeCounterAt),
            load_be32(header + sqlite_page::kVersionValidForAt));
  EXPECT_EQ(load_be32(header + sqlite_page::kSchemaFormatAt), 4u);
  EXPECT_EQ(load_be32(header + sqlite_page::kTextEncodingAt), 1u);
  EXPECT_EQ(header[sqlite_page::kWriteVersionAt], 1);
  EXPECT_EQ(header[sqlite_page::kReservedBytesAt], 0);
}

TEST(PageWriter, DeclaredColumnsAreKept) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Plan plan = plan_of(2, "pages");
  plan.table = "my \"table\"";
  plan.columns[0].target = "say \"a\"";
  plan.columns[0].target_type.sql = "DECIMAL(15,2)";
  plan.columns[0].not_null = true;
  plan.columns[1].target = "group";
  plan.columns[1].target_type.sql = "TEXT";
  LoadRequest request;
  request.target = path;
  request.table = plan.table;
  auto sink = std::move(kSqliteSink.open(request)).value();
  ASSERT_STATUS_OK(sink->prepare(plan, "id"));
  ASSERT_STATUS_OK(write_blocks(*sink, plan, make_blocks({{int64_t{4}, std::string("x")}})));
  ASSERT_TRUE(sink->publish().ok());
  EXPECT_EQ(Db(path).text("SELECT sql FROM sqlite_master"),
            "CREATE TABLE \"my \"\"table\"\"\" (\"say \"\"a\"\"\" DECIMAL(15,2) NOT NULL, "
            "\"group\" TEXT)");
  EXPECT_EQ(integrity(path), "ok");
}

// The same bytes whatever the number of threads and their timing, with and without chains.
TEST(PageWriter, ThreadsAndTimingDoNotChangeTheFile) {
  for (const size_t text_bytes : {20u, 900u, 9000u}) {
    const TempFolder folder(true);
    const Blocks blocks = make_blocks(sample_rows(2000, text_bytes), 8 * text_bytes + 500, 4);
    const Plan plan = plan_of(3, "pages", Mode::kCreate, 1024);
    const std::string alone = folder.file("alone.sqlite");
    ASSERT_STATUS_OK(load(alone, plan, blocks));
    EXPECT_EQ(integrity(alone), "ok");
    const std::string expected = file_bytes(alone);
    for (unsigned run = 1; run <= 6; ++run) {
      const std::string path = folder.file("run" + std::to_string(run) + ".sqlite");
      ASSERT_STATUS_OK(load(path, plan, blocks, 1 + static_cast<int>(run % 4), run));
      EXPECT_TRUE(file_bytes(path) == expected) << "run " << run;
    }
  }
}

// Blocks that are held back and blocks that are too large for it, in turns.
TEST(PageWriter, LargeBlocksAmongSmallOnes) {
  Rows rows;
  for (int i = 0; i < 60; ++i) {
    rows.push_back({std::string(i % 7 == 3 ? 5'000'000 : 200'000, 'x'), int64_t{i}});
  }
  const Blocks blocks = make_blocks(rows, 1, 2);
  const TempFolder folder;
  const Plan plan = plan_of(2, "pages");
  ASSERT_STATUS_OK(load(folder.file("one.sqlite"), plan, blocks));
  ASSERT_STATUS_OK(load(folder.file("four.sqlite"), plan, blocks, 4, 5));
  EXPECT_EQ(integrity(folder.file("one.sqlite")), "ok");
  EXPECT_TRUE(file_bytes(folder.file("one.sqlite")) == file_bytes(folder.file("four.sqlite")));
}

TEST(PageWriter, EmptyBlocksCount) {
  Blocks blocks = make_blocks(sample_rows(100), 500, 2);
  for (auto& block : blocks) block->batch += 1;
  auto empty = std::make_unique<RowBlock>();
  empty->last_in_batch = true;
  blocks.insert(blocks.begin(), std::move(empty));
  const TempFolder folder;
  ASSERT_STATUS_OK(load(folder.file("a.sqlite"), plan_of(3, "pages"), blocks, 3, 1));
  EXPECT_EQ(integrity(folder.file("a.sqlite")), "ok");
  EXPECT_EQ(Db(folder.file("a.sqlite")).integer("SELECT count(*) FROM t"), 100);
}

TEST(PageWriter, TheFileIsAnOrdinaryDatabaseAfterwards) {
  const TempFolder folder(true);
  const std::string path = folder.file("a.sqlite");
  for (const size_t text_bytes : {30u, 3000u}) {
    std::filesystem::remove(path);
    const Blocks blocks = make_blocks(sample_rows(4000, text_bytes), 50'000);
    ASSERT_STATUS_OK(load(path, plan_of(3, "pages"), blocks, 2, 3));
    Db db(path);
    db.run("INSERT INTO t SELECT * FROM t");
    EXPECT_EQ(db.integer("SELECT max(rowid) FROM t"), 8000);
    db.run("UPDATE t SET c1 = c1 || c1 WHERE rowid % 3 = 0");
    db.run("DELETE FROM t WHERE rowid % 5 < 3");
    db.run("CREATE INDEX i ON t (c1)");
    EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
    db.run("VACUUM");
    EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
    db.run("DELETE FROM t");
    db.run("PRAGMA journal_mode=WAL");
    db.run("INSERT INTO t VALUES (1, 2, 3)");
    EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
  }
}

TEST(PageWriter, FailureOfOneWriterWakesTheOthers) {
  const TempFolder folder;
  auto sink = open_target(folder.file("a.sqlite"));
  Plan plan = plan_of(3, "pages");
  plan.workers = 2;
  ASSERT_STATUS_OK(sink->prepare(plan, "id"));
  const Blocks blocks = make_blocks(sample_rows(100), 100, 1);
  auto first = std::move(sink->open_writer(0)).value();
  auto second = std::move(sink->open_writer(1)).value();
  Status ended;
  std::thread waiter([&] {
    ended = second->write(*blocks[1]);
    if (ended.ok()) ended = second->finish();  // waits for block 0
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  first->abort("no more");
  waiter.join();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, ErrorCode::kCancelled);
  EXPECT_NE(ended.error().message.find("no more"), std::string::npos);
  EXPECT_FALSE(sink->publish().ok());
  sink->abandon();
  EXPECT_TRUE(folder.names().empty());
}

TEST(PageWriter, ADroppedWriterFailsTheLoad) {
  const TempFolder folder;
  auto sink = open_target(folder.file("a.sqlite"));
  Plan plan = plan_of(3, "pages");
  ASSERT_STATUS_OK(sink->prepare(plan, "id"));
  const Blocks blocks = make_blocks(sample_rows(10));
  {
    ASSERT_STATUS_OK(std::move(sink->open_writer(0)).value()->write(*blocks[0]));
  }
  EXPECT_FALSE(sink->publish().ok());
  sink.reset();
  EXPECT_TRUE(folder.names().empty());
}

TEST(PageWriter, AMissingBlockFailsTheLoad) {
  const TempFolder folder;
  Blocks blocks = make_blocks(sample_rows(100), 500, 2);
  blocks.erase(blocks.begin() + 1);
  const Status status = load(folder.file("a.sqlite"), plan_of(3, "pages"), blocks);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInternal);
  EXPECT_TRUE(folder.names().empty());
}

TEST(PageWriter, BadPageSize) {
  const TempFolder folder;
  const Status status =
      load(folder.file("a.sqlite"), plan_of(1, "pages", Mode::kCreate, 1000), Blocks());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUsage);
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace headrace
