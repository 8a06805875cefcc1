#include "sink/sqlite/api_writer.h"

#include <gtest/gtest.h>

#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

// Loads into table t of an existing file made by `sql`.
Status load_into(const std::string& path, const std::string& sql, const Rows& rows,
                 Mode mode = Mode::kAppend) {
  Db(path).run(sql);
  const int columns = static_cast<int>(rows[0].size());
  return load(path, plan_of(columns, "api", mode), make_blocks(rows));
}

Rows extremes() {
  return {
      {int64_t{0}, int64_t{1}, int64_t{-1}},
      {int64_t{127}, int64_t{-128}, int64_t{128}},
      {int64_t{32767}, int64_t{-32768}, int64_t{32768}},
      {int64_t{8388607}, int64_t{-8388608}, int64_t{8388608}},
      {int64_t{2147483647}, int64_t{-2147483648LL}, int64_t{2147483648LL}},
      {int64_t{140737488355327}, int64_t{-140737488355328}, int64_t{140737488355328}},
      {INT64_MAX, INT64_MIN, int64_t{255}},
      {0.0, -0.0, 1e308},
      {5e-324, -1.5, 1.0 / 0.0},
      {std::string(), blob(""), kNull},
      {std::string("a\0b", 3), blob(std::string("\0\xFF", 2)), std::string("\u20AC")},
      {std::string(200'000, 'x'), blob(std::string(300'000, 'y')), kNull},
  };
}

TEST(ApiWriter, BindsEveryValueUnchanged) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  ASSERT_STATUS_OK(load_into(path, "CREATE TABLE t (c0, c1, c2)", extremes()));
  EXPECT_TRUE(Db(path).rows("SELECT * FROM t ORDER BY rowid") == extremes());
  EXPECT_EQ(integrity(path), "ok");
}

TEST(ApiWriter, BothMethodsGiveTheSameRows) {
  const TempFolder folder;
  Rows rows = extremes();
  for (const Row& row : sample_rows(500)) rows.push_back(row);
  ASSERT_STATUS_OK(load(folder.file("api.sqlite"), plan_of(3, "api"), make_blocks(rows)));
  ASSERT_STATUS_OK(load(folder.file("pages.sqlite"), plan_of(3, "pages"), make_blocks(rows)));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"api.sqlite", "pages.sqlite"}));
  const char* query = "SELECT rowid, * FROM t ORDER BY rowid";
  const Rows by_api = Db(folder.file("api.sqlite")).rows(query);
  EXPECT_TRUE(by_api == Db(folder.file("pages.sqlite")).rows(query));
  EXPECT_EQ(by_api.size(), rows.size());
}

TEST(ApiWriter, AnyNumberOfRowsAndColumns) {
  for (const int columns : {1, 3, 700, 1900}) {
    for (const size_t count : {0u, 1u, 19u, 20u, 21u, 45u}) {
      const TempFolder folder(true);
      Row row;
      for (int c = 0; c < columns; ++c) row.push_back(int64_t{c});
      const Rows rows(count, row);
      const std::string path = folder.file("a.sqlite");
      ASSERT_STATUS_OK(load(path, plan_of(columns, "api"), make_blocks(rows, 1 << 20)));
      EXPECT_TRUE(Db(path).rows("SELECT * FROM t") == rows) << columns << " x " << count;
    }
  }
}

TEST(ApiWriter, ColumnsGoByName) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  ASSERT_STATUS_OK(load_into(path, "CREATE TABLE t (x DEFAULT 9, c1, c0, g AS (c0 + 1))",
                             {{int64_t{1}, int64_t{2}}}));
  const Rows expected = {{int64_t{9}, int64_t{2}, int64_t{1}, int64_t{2}}};
  EXPECT_TRUE(Db(path).rows("SELECT * FROM t") == expected);
}

struct Refusal {
  const char* table;
  Value bad;
  const char* column;  // as the error names it
  const char* message;
};

// The bad value is in row 57 of 100, in the middle of a statement of several rows.
TEST(ApiWriter, RefusedRowsAreNamed) {
  const Refusal refusals[] = {
      {"CREATE TABLE t (c0 NOT NULL, c1)", kNull, "c0", "NOT NULL constraint failed"},
      {"CREATE TABLE t (c0 NOT NULL ON CONFLICT IGNORE, c1)", kNull, "c0", "NOT NULL"},
      {"CREATE TABLE t (c0 CHECK (c0 < 1000), c1)", int64_t{5000}, "", "CHECK constraint failed"},
      {"CREATE TABLE t (c0 UNIQUE, c1)", int64_t{3}, "", "UNIQUE constraint failed"},
      {"CREATE TABLE t (c0 UNIQUE ON CONFLICT REPLACE, c1)", int64_t{3}, "", "UNIQUE"},
      {"CREATE TABLE t (c0 UNIQUE ON CONFLICT ROLLBACK, c1)", int64_t{3}, "", "UNIQUE"},
      {"CREATE TABLE t (c0 INTEGER PRIMARY KEY, c1)", std::string("x"), "", "datatype mismatch"},
      {"CREATE TABLE t (c0 INTEGER, c1 INTEGER) STRICT", std::string("x"), "", "cannot store"},
      {"CREATE TABLE t (c0, c1); CREATE TRIGGER g BEFORE INSERT ON t WHEN new.c0 = 5000 BEGIN "
       "SELECT raise(ABORT, 'not that'); END",
       int64_t{5000}, "", "not that"},
  };
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.table);
    const TempFolder folder;
    const std::string path = folder.file("a.sqlite");
    Rows rows;
    for (int64_t i = 0; i < 100; ++i) rows.push_back({i, i});
    rows[56][0] = refusal.bad;
    const std::string old_row = "; INSERT INTO t VALUES (777, 777)";
    const Status status = load_into(path, refusal.table + old_row, rows);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
    EXPECT_EQ(status.error().where.row, 57);
    EXPECT_EQ(status.error().where.column, refusal.column);
    EXPECT_NE(status.error().message.find(refusal.message), std::string::npos)
        << status.error().message;
    EXPECT_EQ(Db(path).integer("SELECT count(*) FROM t"), 1);
    EXPECT_EQ(integrity(path), "ok");
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
  }
}

TEST(ApiWriter, NotNullInANewTable) {
  const TempFolder folder;
  Plan plan = plan_of(1, "api");
  plan.columns[0].not_null = true;
  Rows rows(100, Row{int64_t{1}});
  rows[30][0] = kNull;
  const Status status = load(folder.file("a.sqlite"), plan, make_blocks(rows));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().where.row, 31);
  EXPECT_TRUE(folder.names().empty());
}

// The trigger ends the transaction: no row may be inserted after it, on its own.
TEST(ApiWriter, ATriggerThatRollsBack) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Rows rows;
  for (int64_t i = 0; i < 100; ++i) rows.push_back({i});
  const Status status = load_into(path,
                                  "CREATE TABLE t (c0); CREATE TRIGGER g BEFORE INSERT ON t WHEN "
                                  "new.c0 = 57 BEGIN SELECT raise(ROLLBACK, 'all gone'); END",
                                  rows);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
  EXPECT_EQ(status.error().where.row, 58);
  EXPECT_EQ(Db(path).integer("SELECT count(*) FROM t"), 0);
}

// A trigger that drops rows without an error must not go unnoticed.
TEST(ApiWriter, RowsThatVanishAreAnError) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  const Status status = load_into(path,
                                  "CREATE TABLE t (c0); CREATE TRIGGER g BEFORE INSERT ON t WHEN "
                                  "new.c0 = 7 BEGIN SELECT raise(IGNORE); END",
                                  {{int64_t{1}}, {int64_t{7}}, {int64_t{2}}});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
  EXPECT_EQ(status.error().where.row, 2);
  EXPECT_EQ(Db(path).integer("SELECT count(*) FROM t"), 0);
}

TEST(ApiWriter, IndexesAndTriggersSeeTheRows) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Rows rows;
  for (int64_t i = 0; i < 3000; ++i) rows.push_back({i * 7919 % 3001});
  ASSERT_STATUS_OK(load_into(path,
                             "CREATE TABLE t (c0); CREATE INDEX i ON t (c0); CREATE TABLE n (k); "
                             "INSERT INTO n VALUES (0); CREATE TRIGGER g AFTER INSERT ON t BEGIN "
                             "UPDATE n SET k = k + 1; END",
                             rows));
  EXPECT_EQ(Db(path).integer("SELECT k FROM n"), 3000);
  EXPECT_EQ(integrity(path), "ok");
}

}  // namespace
}  // namespace headrace
