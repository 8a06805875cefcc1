// What a target's words mean, the facts of a file, and places where no database can be.
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
  EXPECT_EQ(error.code, ErrorCode::kBusy);
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
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
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

}  // namespace
}  // namespace headrace
