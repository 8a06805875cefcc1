// Faults while rows travel: afterwards the target is as before, nothing is left, and the error says
// why.
#include <sys/socket.h>

#include "postgres_fixture.h"
#include "sink/postgres/copy_stream.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/publish.h"

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

class PostgresFailure : public PostgresTest {
 protected:
  std::unique_ptr<SinkWriter> begin(Mode mode, CommitScope scope) {
    const SinkFacts facts = open();
    Status prepared = sink_->prepare(plan(facts, mode, scope, 2), "0123456789abcdef");
    EXPECT_TRUE(prepared.ok()) << prepared.error().message;
    auto writer = sink_->open_writer(0);
    EXPECT_TRUE(writer.ok()) << writer.error().message;
    return writer.ok() ? std::move(writer).value() : nullptr;
  }

  // Ends the backends of headrace's sessions that run `what` in this test's schema.
  void terminate(const std::string& what) {
    const std::string sql = fmt::format(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
        "'headrace' "
        "AND pid <> pg_backend_pid() AND query LIKE '{}'",
        what);
    ASSERT_TRUE(wait_for([&] { return value(sql) != "0"; })) << what;
  }

  Status write_until_error(SinkWriter& writer, int limit = 2000) {
    Status status;
    for (int i = 0; i < limit && status.ok(); ++i) status = writer.write(rows(1 + i * 5000, 5000));
    return status;
  }
};

TEST_F(PostgresFailure, TheRowAndColumnThatTheServerRefuses) {
  run("CREATE TABLE t (id int, name varchar(12))");
  for (const CommitScope scope : {CommitScope::kSingle, CommitScope::kSwap}) {
    SCOPED_TRACE(static_cast<int>(scope));
    auto writer = begin(Mode::kAppend, scope);
    ASSERT_TRUE(writer->write(rows(1, 100, 3, 0)).ok());
    ASSERT_TRUE(writer->write(rows(1, 50, 7, 1000)).ok());
    RowBlock bad = rows(1, 6, 7, 1050);
    add_row(&bad, {int4(7), text("far too long for it")});
    add_row(&bad, {int4(8), text("fine")});
    Status status = writer->write(bad);
    if (status.ok()) status = write_until_error(*writer);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
    EXPECT_EQ(status.error().sqlstate, "22001");
    EXPECT_EQ(status.error().where.partition, 7);
    EXPECT_EQ(status.error().where.row, 1057);
    EXPECT_EQ(status.error().where.column, "name");
    writer->abort("test");
    writer.reset();
    sink_.reset();
    EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
  }
}

TEST_F(PostgresFailure, ARowThatAConstraintRefuses) {
  run("CREATE TABLE t (id int CHECK (id <> 1234), name text)");
  auto writer = begin(Mode::kReplace, CommitScope::kSwap);
  Status status = writer->write(rows(1, 5000, 2, 10));
  if (status.ok()) status = writer->finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().sqlstate, "23514");
  EXPECT_EQ(status.error().where.partition, 2);
  EXPECT_EQ(status.error().where.row, 10 + 1234);
  EXPECT_EQ(status.error().message.find("_headrace_"), std::string::npos) << status.error().message;
}

TEST_F(PostgresFailure, SendingStopsAtTheServersError) {
  run("CREATE TABLE t (id int CHECK (id <> 5001), name text)");
  const std::string role = make_role("tls", "LOGIN PASSWORD 'pw'");
  run("GRANT INSERT ON t TO " + role);
  const std::string tcp = fmt::format("host=127.0.0.1 port={} dbname=postgres user={} password=pw",
                                      value("SHOW port"), role);
  for (const std::string& target : {uri_, tcp + " sslmode=disable", tcp + " sslmode=require"}) {
    if (target.find("require") != std::string::npos && value("SHOW ssl") != "on") continue;
    SCOPED_TRACE(target);
    request_.target = target;
    auto writer = begin(Mode::kAppend, CommitScope::kSingle);
    int sent = 0;
    Status status;
    for (; sent < 5000 && status.ok(); ++sent)
      status = writer->write(rows(1 + sent * 5000, 5000, 0, sent * 5000));
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().sqlstate, "23514");
    EXPECT_EQ(status.error().where.row, 5001);
    EXPECT_LT(sent, 300) << "blocks of 120 kB";
    writer.reset();
    sink_.reset();
  }
}

TEST_F(PostgresFailure, AKilledBackend) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  for (const CommitScope scope : {CommitScope::kSingle, CommitScope::kSwap}) {
    SCOPED_TRACE(static_cast<int>(scope));
    auto writer = begin(Mode::kReplace, scope);
    auto other = scope == CommitScope::kSwap ? std::move(sink_->open_writer(1)).value() : nullptr;
    ASSERT_TRUE(writer->write(rows(1, 1000)).ok());
    const std::string table = scope == CommitScope::kSwap ? "_headrace_01234567_t" : "t";
    terminate(fmt::format("COPY \"{}\".\"{}\"%", schema_, table));
    const Status status = write_until_error(*writer);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().sqlstate, "57P01") << status.error().message;
    EXPECT_EQ(status.error().code, ErrorCode::kConnection);
    writer->abort("test");
    if (other != nullptr) other->abort("another part of the load failed");
    writer.reset();
    other.reset();
    sink_->abandon();
    sink_.reset();
    EXPECT_EQ(value("SELECT count(*), max(name) FROM t"), "1|old");
    EXPECT_EQ(value("SELECT to_regclass('_headrace_01234567_t') IS NULL"), "t");
  }
}

TEST_F(PostgresFailure, TheControlConnectionIsKilled) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  auto writer = begin(Mode::kReplace, CommitScope::kSwap);
  ASSERT_TRUE(writer->write(rows(1, 1000)).ok());
  ASSERT_TRUE(writer->finish().ok());
  terminate("SELECT pg_try_advisory_xact_lock%");
  auto stats = sink_->publish();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().code, ErrorCode::kConnection);
  sink_->abandon();  // drops the staging table on a new connection
  EXPECT_EQ(value("SELECT to_regclass('_headrace_01234567_t') IS NULL"), "t");
  EXPECT_EQ(value("SELECT max(name) FROM t"), "old");
}

TEST_F(PostgresFailure, AbortLeavesNothing) {
  for (const CommitScope scope : {CommitScope::kSingle, CommitScope::kSwap}) {
    auto writer = begin(Mode::kCreate, scope);
    ASSERT_TRUE(writer->write(rows(1, 50000)).ok());
    const auto start = Clock::now();
    writer->abort("enough");
    writer.reset();
    sink_->abandon();
    sink_->abandon();
    EXPECT_LT(seconds(start), 3);
    EXPECT_EQ(
        value("SELECT to_regclass('t') IS NULL AND to_regclass('_headrace_01234567_t') IS NULL"),
        "t");
    ASSERT_FALSE(sink_->publish().ok());
    sink_.reset();
  }
}

TEST_F(PostgresFailure, DestructorsAbortAndAbandon) {
  for (const CommitScope scope : {CommitScope::kSingle, CommitScope::kSwap}) {
    auto writer = begin(Mode::kCreate, scope);
    ASSERT_TRUE(writer->write(rows(1, 10)).ok());
    writer.reset();
    sink_.reset();
    EXPECT_EQ(
        value("SELECT to_regclass('t') IS NULL AND to_regclass('_headrace_01234567_t') IS NULL"),
        "t");
  }
}

TEST_F(PostgresFailure, PublishNeedsAllWriters) {
  auto writer = begin(Mode::kCreate, CommitScope::kSwap);
  EXPECT_FALSE(sink_->publish().ok());
}

TEST_F(PostgresFailure, CancelBetweenBlocks) {
  auto writer = begin(Mode::kCreate, CommitScope::kSwap);
  ASSERT_TRUE(writer->write(rows(1, 1000)).ok());
  cancel_ = true;
  const auto start = Clock::now();
  const Status status = writer->write(rows(1, 1000));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_LT(seconds(start), 1);
}

TEST_F(PostgresFailure, CancelWhileTheServerTakesNothing) {
  run("CREATE TABLE t (id int, name text);"
      "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id = 3000 THEN "
      "PERFORM pg_sleep(60); "
      "END IF; RETURN NEW; END$$; CREATE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW EXECUTE "
      "FUNCTION wait()");
  auto writer = begin(Mode::kAppend, CommitScope::kSingle);
  std::thread canceller([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    cancel_ = true;
  });
  const auto start = Clock::now();
  Status status = write_until_error(*writer);  // until the buffers are full
  canceller.join();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  writer.reset();
  sink_.reset();
  EXPECT_LT(seconds(start), 5);
  EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
  EXPECT_TRUE(wait_for([this] {
    return value(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headrace' AND "
               "query LIKE '%" +
               schema_ + "%' AND state = 'active' AND pid <> pg_backend_pid()") == "0";
  })) << "the server still works for us";
}

TEST_F(PostgresFailure, CancelWhileWaitingForALock) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  run("BEGIN; LOCK TABLE t IN SHARE MODE");
  const SinkFacts facts = open();
  Plan p = plan(facts, Mode::kReplace, CommitScope::kSingle);
  p.lock_timeout_ms = 60000;
  std::thread canceller([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    cancel_ = true;
  });
  const auto start = Clock::now();
  const Status status = sink_->prepare(p, "x");
  canceller.join();
  run("COMMIT");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_LT(seconds(start), 3);
}

class PostgresSlowIndexes : public PostgresFailure {
 protected:
  void make_table() {
    run("CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN IF $1 = 777 "
        "THEN "
        "PERFORM pg_sleep(60); END IF; RETURN $1; END$$;"
        "CREATE TABLE t (id int, name text); CREATE INDEX t_slow ON t (" +
        schema_ +
        ".slow(id));"
        "INSERT INTO t VALUES (1, 'old')");
  }
};

TEST_F(PostgresSlowIndexes, CancelWhileAnIndexIsBuilt) {
  make_table();
  auto writer = begin(Mode::kReplace, CommitScope::kSwap);
  ASSERT_TRUE(writer->write(rows(1, 1000)).ok());
  ASSERT_TRUE(writer->finish().ok());
  std::thread canceller([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    cancel_ = true;
  });
  const auto start = Clock::now();
  auto stats = sink_->publish();
  canceller.join();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().code, ErrorCode::kCancelled) << stats.error().message;
  sink_->abandon();
  EXPECT_LT(seconds(start), 5);
  EXPECT_EQ(value("SELECT max(name) FROM t"), "old");
}

TEST_F(PostgresSlowIndexes, AnIndexThatFailsCancelsTheOthers) {
  make_table();
  run("CREATE UNIQUE INDEX t_unique ON t (id)");
  auto writer = begin(Mode::kReplace, CommitScope::kSwap);
  auto other = sink_->open_writer(1);
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(writer->write(rows(1, 1000)).ok());
  ASSERT_TRUE(writer->finish().ok());
  ASSERT_TRUE((*other)->write(rows(1, 1)).ok());
  ASSERT_TRUE((*other)->finish().ok());
  const auto start = Clock::now();
  auto stats = sink_->publish();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().sqlstate, "23505") << stats.error().message;
  EXPECT_LT(seconds(start), 5);
  sink_->abandon();
  EXPECT_EQ(value("SELECT max(name) FROM t"), "old");
}

TEST_F(PostgresFailure, AConstraintThatIsCheckedAtCommit) {
  run("CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, name text)");
  auto stats = load(Mode::kAppend, CommitScope::kSingle, blocks(rows(1, 10), rows(5, 1)));
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().sqlstate, "23505");
  sink_.reset();
  EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
}

TEST_F(PostgresFailure, TheBackendIsKilledInCommit) {
  run("CREATE TABLE t (id int, name text);"
      "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(30); "
      "RETURN NULL; END$$;"
      "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
      "EXECUTE FUNCTION late()");
  auto writer = begin(Mode::kAppend, CommitScope::kSingle);
  ASSERT_TRUE(writer->write(rows(1, 1)).ok());
  ASSERT_TRUE(writer->finish().ok());
  const std::string pid = value(
      "SELECT pid FROM pg_locks WHERE relation = 't'::regclass AND mode = 'RowExclusiveLock'");
  std::thread killer([this, pid] {
    EXPECT_TRUE(wait_for([&] {
      return value("SELECT query FROM pg_stat_activity WHERE pid = " + pid) == "COMMIT";
    }));
    run("SELECT pg_terminate_backend(" + pid + ")");
  });
  auto stats = sink_->publish();
  killer.join();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().sqlstate, "57P01");
  EXPECT_EQ(stats.error().message.find("not known"), std::string::npos) << stats.error().message;
  EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
}

TEST_F(PostgresFailure, TheConnectionIsLostInACommitThatSucceeds) {
  run("CREATE TABLE t (id int);"
      "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(1); "
      "RETURN NULL; END$$;"
      "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION late()");
  ConnectionPool pool(uri_, nullptr);
  auto connection = pool.open();
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE((*connection)->run(fmt::format("BEGIN; INSERT INTO {}.t VALUES (1)", schema_)).ok());
  const std::string pid = std::to_string(PQbackendPID((*connection)->raw()));
  const int socket = PQsocket((*connection)->raw());
  std::thread cutter([this, pid, socket] {
    EXPECT_TRUE(wait_for([&] {
      return value("SELECT query FROM pg_stat_activity WHERE pid = " + pid) == "COMMIT";
    }));
    shutdown(socket, SHUT_RDWR);
  });
  const Status committed = commit(**connection, pool);
  cutter.join();
  EXPECT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_FALSE((*connection)->alive());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "1");
}

TEST_F(PostgresFailure, CommitOfAFailedTransaction) {
  ConnectionPool pool(uri_, nullptr);
  auto connection = pool.open();
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE((*connection)->run("BEGIN").ok());
  ASSERT_FALSE((*connection)->run("SELECT 1/0").ok());
  EXPECT_FALSE(commit(**connection, pool).ok());
}

TEST_F(PostgresFailure, ManySmallAndOneLargeBlock) {
  auto writer = begin(Mode::kCreate, CommitScope::kSwap);
  ASSERT_NE(writer, nullptr);
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(writer->write(rows(i, 1)).ok());
  RowBlock large;
  add_row(&large, {int4(-1), text(std::string(40 << 20, 'x'))});
  add_row(&large, {int4(-2), null()});
  ASSERT_TRUE(writer->write(large).ok());
  ASSERT_TRUE(writer->finish().ok());
  ASSERT_TRUE(loaded(sink_->publish()).ok());
  EXPECT_EQ(value("SELECT count(*), max(length(name)), count(name) FROM t"), "3002|41943040|3001");
}

}  // namespace
}  // namespace headrace
