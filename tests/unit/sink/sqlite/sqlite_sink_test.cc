// The sink as a whole: modes, and what happens to files and processes that are in the way.
#include "sink/sqlite/sqlite_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

ErrorCode code_of(const Status& status) {
  EXPECT_FALSE(status.ok());
  return status.ok() ? ErrorCode::kInternal : status.error().code;
}

TEST(SqliteSink, CreateRefusesAnExistingTable) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  const std::string before = file_bytes(path);
  for (const char* method : {"pages", "api"}) {
    const Status status = load(path, plan_of(1, method), make_blocks({{int64_t{2}}}));
    EXPECT_EQ(code_of(status), ErrorCode::kTargetExists);
    EXPECT_TRUE(file_bytes(path) == before);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
}

TEST(SqliteSink, CreateAndAppendKeepTheOtherTables) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE u (a); INSERT INTO u VALUES (1)");
  ASSERT_STATUS_OK(load(path, plan_of(1, "api"), make_blocks({{int64_t{2}}, {int64_t{3}}})));
  ASSERT_STATUS_OK(load(path, plan_of(1, "api", Mode::kAppend), make_blocks({{int64_t{4}}})));
  Db db(path);
  EXPECT_EQ(db.integer("SELECT sum(c0) FROM t"), 9);
  EXPECT_EQ(db.integer("SELECT a FROM u"), 1);
}

TEST(SqliteSink, AppendMakesAMissingTable) {
  for (const char* method : {"pages", "api"}) {
    const TempFolder folder;
    const std::string path = folder.file("a.sqlite");
    Plan plan = plan_of(1, method, Mode::kAppend);
    plan.creates_table = true;
    ASSERT_STATUS_OK(load(path, plan, make_blocks({{int64_t{2}}})));
    EXPECT_EQ(Db(path).integer("SELECT c0 FROM t"), 2);
  }
}

TEST(SqliteSink, ReplaceThroughSqliteKeepsEverythingElse) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run(
      "CREATE TABLE t (c0 INTEGER DEFAULT 5, x DEFAULT 6); CREATE INDEX i ON t (c0); "
      "CREATE TABLE u (a); INSERT INTO u VALUES (1); INSERT INTO t VALUES (1, 1), (2, 2)");
  ASSERT_STATUS_OK(load(path, plan_of(1, "api", Mode::kReplace), make_blocks({{int64_t{9}}})));
  Db db(path);
  const Rows expected = {{int64_t{9}, int64_t{6}}};
  EXPECT_TRUE(db.rows("SELECT * FROM t") == expected);
  EXPECT_EQ(db.integer("SELECT a FROM u"), 1);
  EXPECT_EQ(db.integer("SELECT count(*) FROM sqlite_master WHERE name = 'i'"), 1);
  EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
}

TEST(SqliteSink, ReplaceByPagesKeepsDefinitionAndPermissions) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  const std::string definition =
      "CREATE TABLE T (c0 INTEGER NOT NULL DEFAULT 5 /* five */, c1 TEXT)";
  Db(path).run(definition +
               "; INSERT INTO t VALUES (1, 1); PRAGMA user_version=42; "
               "PRAGMA application_id=4711");
  ::chmod(path.c_str(), 0640);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path.c_str(), 1234, 1235), 0);
  }
  Rows rows;
  for (int64_t i = 0; i < 1000; ++i) rows.push_back({i, std::to_string(i)});
  ASSERT_STATUS_OK(load(path, plan_of(2, "pages", Mode::kReplace), make_blocks(rows), 2, 1));
  EXPECT_EQ(integrity(path), "ok");
  Db db(path);
  EXPECT_EQ(db.text("SELECT sql FROM sqlite_master"), definition);
  EXPECT_TRUE(db.rows("SELECT * FROM t") == rows);
  EXPECT_EQ(db.integer("PRAGMA user_version"), 42);
  EXPECT_EQ(db.integer("PRAGMA application_id"), 4711);
  struct stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
  if (::geteuid() == 0) {
    EXPECT_EQ(status.st_uid, 1234u);
    EXPECT_EQ(status.st_gid, 1235u);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
}

TEST(SqliteSink, ReplaceByPagesRefusesWhatItWouldLose) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE t (c0); CREATE TABLE u (a)");
  const std::string before = file_bytes(path);
  const Status status = load(path, plan_of(1, "pages", Mode::kReplace), make_blocks({{kNull}}));
  EXPECT_EQ(code_of(status), ErrorCode::kUnsupported);
  EXPECT_TRUE(file_bytes(path) == before);
}

TEST(SqliteSink, ReplaceFollowsALinkToTheFile) {
  const TempFolder folder;
  Db(folder.file("real.sqlite")).run("CREATE TABLE t (c0)");
  ::symlink("real.sqlite", folder.file("link.sqlite").c_str());
  ASSERT_STATUS_OK(load(folder.file("link.sqlite"), plan_of(1, "pages", Mode::kReplace),
                        make_blocks({{int64_t{8}}})));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link.sqlite")));
  EXPECT_EQ(Db(folder.file("real.sqlite")).integer("SELECT c0 FROM t"), 8);
}

// A connection that is open but idle keeps the old file. It cannot write to it any more, so it
// cannot leave a journal that would hit the new file.
TEST(SqliteSink, IdleConnectionsSurviveAReplace) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db idle(path);
  idle.run("CREATE TABLE t (c0); INSERT INTO t VALUES (1)");
  ASSERT_STATUS_OK(load(path, plan_of(1, "pages", Mode::kReplace), make_blocks({{int64_t{2}}})));
  EXPECT_EQ(idle.integer("SELECT c0 FROM t"), 1);
  EXPECT_EQ(idle.try_run("INSERT INTO t VALUES (3)"), SQLITE_READONLY_DBMOVED);
  EXPECT_EQ(Db(path).integer("SELECT c0 FROM t"), 2);
  EXPECT_EQ(integrity(path), "ok");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
}

TEST(SqliteSink, ReplaceWaitsForLocksAndGivesUp) {
  for (const char* lock : {"BEGIN; SELECT * FROM t", "BEGIN IMMEDIATE"}) {
    const TempFolder folder;
    const std::string path = folder.file("a.sqlite");
    Db other(path);
    other.run("CREATE TABLE t (c0); INSERT INTO t VALUES (1)");
    auto sink = open_target(path, 50);
    const Plan plan = plan_of(1, "pages", Mode::kReplace);
    ASSERT_STATUS_OK(sink->prepare(plan, "id"));
    ASSERT_STATUS_OK(write_blocks(*sink, plan, make_blocks({{int64_t{2}}})));
    other.run(lock);
    auto stats = sink->publish();
    ASSERT_FALSE(stats.ok());
    EXPECT_EQ(stats.error().code, ErrorCode::kBusy);
    sink->abandon();
    other.run("COMMIT; INSERT INTO t VALUES (5)");
    EXPECT_EQ(other.integer("SELECT sum(c0) FROM t"), 6);
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
  }
}

TEST(SqliteSink, ReplaceRefusesAFileThatChangedMeanwhile) {
  for (const char* change : {"CREATE TABLE u (a)", "PRAGMA journal_mode=WAL"}) {
    const TempFolder folder;
    const std::string path = folder.file("a.sqlite");
    Db other(path);
    other.run("CREATE TABLE t (c0)");
    auto sink = open_target(path, 50);
    const Plan plan = plan_of(1, "pages", Mode::kReplace);
    ASSERT_STATUS_OK(sink->prepare(plan, "id"));
    ASSERT_STATUS_OK(write_blocks(*sink, plan, make_blocks({{int64_t{2}}})));
    other.run(change);
    EXPECT_FALSE(sink->publish().ok()) << change;
    sink.reset();
    EXPECT_EQ(other.integer("SELECT count(*) FROM t"), 0);
    other.run("INSERT INTO t VALUES (5)");
  }
}

TEST(SqliteSink, AFileThatAppearsIsNotOverwritten) {
  for (const char* method : {"pages", "api"}) {
    const TempFolder folder;
    const std::string path = folder.file("a.sqlite");
    auto sink = open_target(path);
    const Plan plan = plan_of(1, method);
    ASSERT_STATUS_OK(sink->prepare(plan, "id"));
    ASSERT_STATUS_OK(write_blocks(*sink, plan, make_blocks({{int64_t{2}}})));
    write_file(path, "precious");
    auto stats = sink->publish();
    ASSERT_FALSE(stats.ok());
    EXPECT_EQ(stats.error().code, ErrorCode::kTargetExists);
    sink->abandon();
    EXPECT_EQ(file_bytes(path), "precious");
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
  }
}

TEST(SqliteSink, WalDatabasesWork) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db other(path);
  other.run("PRAGMA journal_mode=WAL; CREATE TABLE t (c0); INSERT INTO t VALUES (1)");
  // A reader in the middle of a transaction does not stop the load, and sees nothing of it.
  other.run("BEGIN");
  EXPECT_EQ(other.integer("SELECT count(*) FROM t"), 1);
  ASSERT_STATUS_OK(load(path, plan_of(1, "api", Mode::kAppend), make_blocks({{int64_t{2}}})));
  EXPECT_EQ(other.integer("SELECT count(*) FROM t"), 1);
  other.run("COMMIT");
  EXPECT_EQ(other.integer("SELECT count(*) FROM t"), 2);
  EXPECT_EQ(other.text("PRAGMA journal_mode"), "wal");
}

TEST(SqliteSink, LockedByAWriter) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db other(path);
  other.run("CREATE TABLE t (c0); BEGIN IMMEDIATE");
  auto sink = open_target(path, 50);
  const Status status = sink->prepare(plan_of(1, "api", Mode::kAppend), "id");
  EXPECT_EQ(code_of(status), ErrorCode::kBusy);
}

TEST(SqliteSink, AbandonLeavesTheTargetAsItWas) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE t (c0); INSERT INTO t VALUES (1)");
  const std::string before = file_bytes(path);
  for (const char* method : {"pages", "api"}) {
    auto sink = open_target(path);
    const Plan plan = plan_of(1, method, Mode::kReplace);
    ASSERT_STATUS_OK(sink->prepare(plan, "id"));
    ASSERT_STATUS_OK(write_blocks(*sink, plan, make_blocks(Rows(1000, Row{int64_t{2}}))));
    sink->abandon();
    sink->abandon();
    EXPECT_FALSE(sink->publish().ok());
    EXPECT_TRUE(file_bytes(path) == before);
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
    // And it can be prepared again, for the other method too.
    ASSERT_STATUS_OK(sink->prepare(plan_of(1, "api", Mode::kReplace), "id"));
    ASSERT_TRUE(sink->open_writer(0).ok());
  }
}

TEST(SqliteSink, ForeignKeysThatNobodyCheckedAreAWarning) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (c0 REFERENCES p)");
  auto sink = open_target(path);
  const Plan plan = plan_of(1, "api", Mode::kAppend);
  ASSERT_STATUS_OK(sink->prepare(plan, "id"));
  ASSERT_STATUS_OK(write_blocks(*sink, plan, make_blocks({{int64_t{2}}})));
  auto stats = sink->publish();
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats->warnings.size(), 1u);
  EXPECT_EQ(stats->files, std::vector<std::string>{path});
  EXPECT_GT(stats->bytes_sent, 0);
}

TEST(SqliteSink, Ddl) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  auto sink = open_target(path);
  ASSERT_TRUE(sink->facts().ok());
  EXPECT_EQ(sink->ddl(plan_of(1, "pages")),
            std::vector<std::string>{"CREATE TABLE \"t\" (\"c0\")"});
  Db(path).run("CREATE TABLE t (c0 TEXT)");
  ASSERT_TRUE(sink->facts().ok());
  EXPECT_EQ(sink->ddl(plan_of(1, "pages", Mode::kReplace)),
            std::vector<std::string>{"CREATE TABLE t (c0 TEXT)"});
  EXPECT_EQ(sink->ddl(plan_of(1, "api", Mode::kReplace)),
            std::vector<std::string>{"DELETE FROM \"t\""});
  EXPECT_TRUE(sink->ddl(plan_of(1, "api", Mode::kAppend)).empty());
}

}  // namespace
}  // namespace headrace
