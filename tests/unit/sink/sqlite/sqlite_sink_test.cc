// The sink as a whole: facts, modes, and what happens to files that are in the way.
#include "sink/sqlite/sqlite_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "sink/sqlite/target_file.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

Error facts_error(const std::string& path) {
  auto facts = open_target(path, 50)->facts();
  EXPECT_FALSE(facts.ok());
  return facts.ok() ? Error() : facts.error();
}

SinkFacts facts_of(const std::string& path) {
  auto facts = open_target(path)->facts();
  EXPECT_TRUE(facts.ok()) << facts.error().message;
  return std::move(facts).value();
}

ErrorCode code_of(const Status& status) {
  EXPECT_FALSE(status.ok());
  return status.ok() ? ErrorCode::kInternal : status.error().code;
}

TEST(SqliteTarget, Words) {
  EXPECT_EQ(sqlite_path("sqlite:x"), "x");
  EXPECT_EQ(sqlite_path("sqlite:/a/b.txt"), "/a/b.txt");
  for (const char* path : {"a.sqlite", "b/a.SQLite3", "/x y/year=2025/z.db", "a.gpkg"}) {
    EXPECT_EQ(sqlite_path(path), path);
    EXPECT_TRUE(kSqliteSink.recognises(path)) << path;
  }
  for (const char* other : {"", ".db", "a.csv", "postgresql://h/x.db", "s3://b/x.sqlite",
                            "host=h dbname=x.db", "dbname=x.db", "null:"}) {
    EXPECT_FALSE(kSqliteSink.recognises(other)) << other;
  }
}

TEST(SqliteTarget, WordsThatNameNoFile) {
  LoadRequest request;
  request.table = "t";
  const auto code = [&](const char* target) {
    request.target = target;
    auto sink = kSqliteSink.open(request);
    EXPECT_FALSE(sink.ok()) << target;
    return sink.ok() ? ErrorCode::kInternal : sink.error().code;
  };
  EXPECT_EQ(code("sqlite:"), ErrorCode::kUsage);
  EXPECT_EQ(code("sqlite::memory:"), ErrorCode::kUsage);
  EXPECT_EQ(code("a.gpkg"), ErrorCode::kUnsupported);
  request.table = "sqlite_master";
  EXPECT_EQ(code("a.db"), ErrorCode::kUsage);
}

TEST(SqliteTarget, NamesWithAMeaningToSqliteAreFiles) {
  const TempFolder folder;
  const std::string here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const Status status = load("file:a.db?mode=memory", plan_of(1, "api"), make_blocks({{kNull}}));
  std::filesystem::current_path(here);
  ASSERT_STATUS_OK(status);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"file:a.db?mode=memory"});
}

TEST(SqliteFacts, NoFile) {
  const TempFolder folder;
  const SinkFacts facts = facts_of(folder.file("a.sqlite"));
  EXPECT_EQ(facts.dialect, Dialect::kSqlite);
  EXPECT_EQ(facts.server_version, sqlite3_libversion_number());
  EXPECT_FALSE(facts.file_exists || facts.table_exists || facts.file_is_busy);
  EXPECT_TRUE(facts.can_create && facts.can_insert);
  EXPECT_TRUE(folder.names().empty());
}

TEST(SqliteFacts, Table) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE T (a INTEGER NOT NULL, b); CREATE INDEX i ON T (a)");
  const std::string before = file_bytes(path);
  const SinkFacts facts = facts_of(path);
  EXPECT_TRUE(facts.file_exists && facts.table_exists && facts.table_is_empty);
  EXPECT_EQ(facts.table, "T");
  ASSERT_EQ(facts.columns.size(), 2u);
  EXPECT_EQ(facts.columns[0].type.base, "INTEGER");
  EXPECT_EQ(facts.indexes, std::vector<std::string>{"i"});
  EXPECT_FALSE(facts.file_has_other_objects || facts.file_is_busy);
  EXPECT_TRUE(file_bytes(path) == before);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
}

TEST(SqliteFacts, EmptyFileIsAnEmptyDatabase) {
  const TempFolder folder;
  write_file(folder.file("a.sqlite"), "");
  const SinkFacts facts = facts_of(folder.file("a.sqlite"));
  EXPECT_TRUE(facts.file_exists);
  EXPECT_FALSE(facts.table_exists || facts.file_has_other_objects);
}

TEST(SqliteFacts, BusyFiles) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db(path).run("CREATE TABLE t (a); PRAGMA journal_mode=WAL");
  EXPECT_TRUE(facts_of(path).file_is_busy);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.sqlite"});
  Db(path).run("PRAGMA journal_mode=DELETE");
  EXPECT_FALSE(facts_of(path).file_is_busy);
  write_file(path + "-journal", "");
  EXPECT_TRUE(facts_of(path).file_is_busy);
}

TEST(SqliteFacts, LockedFile) {
  const TempFolder folder;
  const std::string path = folder.file("a.sqlite");
  Db db(path);
  db.run("CREATE TABLE t (a); BEGIN EXCLUSIVE");
  const Error error = facts_error(path);
  EXPECT_EQ(error.code, ErrorCode::kServer);
  EXPECT_NE(error.message.find("locked"), std::string::npos);
}

TEST(SqliteFacts, PlacesWhereNoDatabaseCanBe) {
  const TempFolder folder;
  EXPECT_EQ(facts_error(folder.path()).code, ErrorCode::kIo);
  EXPECT_EQ(facts_error(folder.file("no/such/a.sqlite")).code, ErrorCode::kNotFound);
  EXPECT_EQ(facts_error("/dev/null").code, ErrorCode::kIo);
  write_file(folder.file("plain"), "x");
  EXPECT_FALSE(open_target(folder.file("plain/a.sqlite"))->facts().ok());
  ::symlink(folder.file("nowhere").c_str(), folder.file("link.sqlite").c_str());
  LoadRequest request;
  request.target = folder.file("link.sqlite");
  request.table = "t";
  EXPECT_FALSE(kSqliteSink.open(request).ok());
}

TEST(SqliteFacts, UnwritableFolder) {
  const TempFolder folder;
  const std::string inner = folder.file("inner");
  ::mkdir(inner.c_str(), 0555);
  ::chmod(folder.path().c_str(), 0755);
  // Root may write everywhere: look with the eyes of another user.
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const Error error = facts_error(inner + "/a.sqlite");
  const Status status = load(inner + "/a.sqlite", plan_of(1, "pages"), make_blocks({{kNull}}));
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(error.code, ErrorCode::kIo);
  EXPECT_NE(error.message.find(inner), std::string::npos);
  EXPECT_EQ(code_of(status), ErrorCode::kIo);
}

TEST(SqliteFacts, FilesOfAnotherKindAreLeftAlone) {
  const TempFolder folder;
  const std::string path = folder.file("a.db");
  for (const std::string& bytes : {std::string("hello"), std::string(10'000, 'x'),
                                   std::string("SQLite format 4\0 and more of it", 30)}) {
    write_file(path, bytes);
    EXPECT_EQ(facts_error(path).code, ErrorCode::kUsage);
    for (const char* method : {"pages", "api"}) {
      for (const Mode mode : {Mode::kCreate, Mode::kAppend, Mode::kReplace}) {
        EXPECT_FALSE(load(path, plan_of(1, method, mode), make_blocks({{kNull}})).ok());
        EXPECT_TRUE(file_bytes(path) == bytes);
      }
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a.db"});
  }
}

// A journal without its database would be played into the new file.
TEST(SqliteFacts, JournalOfAFileThatIsGone) {
  for (const char* suffix : {"-journal", "-wal"}) {
    const TempFolder folder;
    write_file(folder.file(std::string("a.db") + suffix), "old");
    EXPECT_EQ(facts_error(folder.file("a.db")).code, ErrorCode::kIo);
    for (const char* method : {"pages", "api"}) {
      EXPECT_FALSE(load(folder.file("a.db"), plan_of(1, method), make_blocks({{kNull}})).ok());
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{std::string("a.db") + suffix});
  }
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
    EXPECT_EQ(stats.error().code, ErrorCode::kServer);
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
  EXPECT_EQ(code_of(status), ErrorCode::kServer);
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
