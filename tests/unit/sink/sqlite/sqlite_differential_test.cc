// Random tables by both methods: the files must hold the same, and SQLite must find nothing wrong.
#include <gtest/gtest.h>

#include <random>

#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

class RandomTables {
 public:
  explicit RandomTables(unsigned seed) : random_(seed) {}

  int64_t upto(int64_t limit) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit));
  }

  // Mostly short, sometimes around a page, seldom many pages; a table has few of the long ones.
  size_t size(int page_bytes) {
    const int64_t kind = upto(20);
    const auto bytes = kind == 0   ? upto(12 * page_bytes)
                       : kind == 1 ? page_bytes + upto(120) - 100
                                   : upto(40);
    if (bytes > long_bytes_left_) return static_cast<size_t>(upto(40));
    if (kind < 2) long_bytes_left_ -= bytes;
    return static_cast<size_t>(bytes);
  }

  Value value(int page_bytes) {
    switch (upto(8)) {
      case 0:
        return kNull;
      case 1:
        return upto(3);
      case 2:
        return static_cast<int64_t>(random_() << upto(40)) * (upto(2) * 2 - 1);
      case 3:
        return static_cast<int64_t>(random_() ^ (random_() << 32));
      case 4:
        return static_cast<double>(static_cast<int64_t>(random_())) / 1024.0 + 0.0001;
      case 5:
        return blob(text(size(page_bytes), 256));
      default:
        return text(size(page_bytes), 95);
    }
  }

  Rows rows(int columns, int page_bytes) {
    Rows rows(static_cast<size_t>(upto(upto(4) == 0 ? 3000 : 200)));
    for (Row& row : rows) {
      for (int c = 0; c < columns; ++c) row.push_back(value(page_bytes));
    }
    return rows;
  }

 private:
  std::string text(size_t bytes, int64_t kinds) {
    std::string out(bytes, ' ');
    for (char& c : out) c = static_cast<char>(kinds == 95 ? 32 + upto(kinds) : upto(kinds));
    return out;
  }

  std::mt19937_64 random_;
  int64_t long_bytes_left_ = 1'000'000;
};

TEST(SqliteDifferential, PagesAndApiHoldTheSame) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    RandomTables random(seed);
    const int page_bytes = 512 << random.upto(8);
    const int columns = static_cast<int>(1 + random.upto(random.upto(10) == 0 ? 150 : 6));
    const Rows rows = random.rows(columns, page_bytes);
    const Blocks blocks = make_blocks(rows, static_cast<size_t>(1 + random.upto(30'000)),
                                      static_cast<int>(1 + random.upto(5)));
    const TempFolder folder(true);
    const std::string pages = folder.file("pages.sqlite"), api = folder.file("api.sqlite");
    ASSERT_STATUS_OK(load(pages, plan_of(columns, "pages", Mode::kCreate, page_bytes), blocks,
                          static_cast<int>(1 + random.upto(3)), seed % 4));
    ASSERT_STATUS_OK(load(api, plan_of(columns, "api", Mode::kCreate, page_bytes), blocks));
    ASSERT_EQ(integrity(pages), "ok");
    const char* query = "SELECT rowid, * FROM t ORDER BY rowid";
    const Rows found = Db(pages).rows(query);
    ASSERT_TRUE(found == Db(api).rows(query));
    ASSERT_EQ(found.size(), rows.size());
    Db db(pages);
    db.run(
        "DELETE FROM t WHERE rowid % 3 = 1; UPDATE t SET c0 = zeroblob(700) WHERE rowid % 5 = 1; "
        "INSERT INTO t (c0) SELECT c0 FROM t");
    ASSERT_EQ(db.text("PRAGMA integrity_check"), "ok");
  }
}

}  // namespace
}  // namespace headrace
