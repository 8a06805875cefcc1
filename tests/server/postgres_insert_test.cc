// Methods standard, optimized and async against a real server.
#include <sys/resource.h>

#include "postgres_fixture.h"
#include "sink/postgres/methods.h"

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

struct Way {
  const char* method;
  CommitScope scope;
};

std::string name_of(const Way& way) {
  return fmt::format("{} {}", way.method, commit_scope_name(way.scope));
}

constexpr Way kWays[] = {{"standard", CommitScope::kSingle},
                         {"optimized", CommitScope::kSingle},
                         {"optimized", CommitScope::kSwap},
                         {"async", CommitScope::kSingle},
                         {"async", CommitScope::kSwap}};

double seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// An int4[] of one dimension, as array_recv takes it.
Cell int4_array(const std::vector<int32_t>& values) {
  std::string bytes;
  for (const int32_t header : {1, 0, 23, static_cast<int32_t>(values.size()), 1}) {
    bytes += *int4(header);
  }
  for (const int32_t v : values) bytes += *int4(4) + *int4(v);
  return bytes;
}

class PostgresInsert : public PostgresTest {
 protected:
  std::unique_ptr<SinkWriter> begin(const Way& way, Mode mode, int64_t insert_rows = 1000,
                                    int workers = 1) {
    const SinkFacts facts = open();
    Plan p = plan(facts, mode, way.scope, workers);
    p.method = way.method;
    p.insert_rows = insert_rows;
    Status prepared = sink_->prepare(p, "0123456789abcdef");
    EXPECT_TRUE(prepared.ok()) << prepared.error().message;
    auto writer = sink_->open_writer(0);
    EXPECT_TRUE(writer.ok()) << writer.error().message;
    return writer.ok() ? std::move(writer).value() : nullptr;
  }

  Result<PublishStats> load_by(const Way& way, Mode mode, const std::vector<RowBlock>& blocks,
                               int64_t insert_rows = 1000) {
    auto writer = begin(way, mode, insert_rows);
    if (writer == nullptr) return Error(ErrorCode::kInternal, "no writer");
    for (const RowBlock& block : blocks) HEADRACE_TRY(writer->write(block));
    HEADRACE_TRY(writer->finish());
    writer.reset();
    return sink_->publish();
  }

  Status write_until_error(SinkWriter& writer, int limit = 2000) {
    Status status;
    for (int i = 0; i < limit && status.ok(); ++i) status = writer.write(rows(1 + i * 500, 500));
    if (status.ok()) status = writer.finish();
    return status;
  }
};

TEST_F(PostgresInsert, SeveralBatchesWithNulls) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    std::vector<RowBlock> all;
    for (int b = 0; b < 5; ++b) {
      RowBlock block;
      block.partition_row = b * 730;
      for (int i = b * 730; i < (b + 1) * 730; ++i) {
        add_row(&block, {int4(i), i % 7 == 0 ? null() : text(fmt::format("name {}", i))});
      }
      all.push_back(std::move(block));
    }
    auto stats = loaded(load_by(way, Mode::kCreate, all));
    ASSERT_TRUE(stats.ok());
    EXPECT_TRUE(stats->warnings.empty());
    EXPECT_GT(stats->bytes_sent, 3650 * 10);
    EXPECT_EQ(value("SELECT count(*), count(DISTINCT id), min(id), max(id), "
                    "count(*) FILTER (WHERE name IS NULL), "
                    "count(*) FILTER (WHERE name IS NULL AND id % 7 = 0), "
                    "count(*) FILTER (WHERE name = 'name ' || id) FROM t"),
              "3650|3650|0|3649|522|522|3128");
    sink_.reset();
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, ZeroRows) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    ASSERT_TRUE(loaded(load_by(way, Mode::kCreate, blocks(rows(1, 0)))).ok());
    EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
    sink_.reset();
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, OneColumn) {
  columns_ = {column("id", "integer", "int4")};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    RowBlock block;
    for (int i = 0; i < 10; ++i) add_row(&block, {int4(i)});
    ASSERT_TRUE(loaded(load_by(way, Mode::kCreate, blocks(std::move(block)), 3)).ok());
    EXPECT_EQ(value("SELECT count(*), sum(id) FROM t"), "10|45");
    sink_.reset();
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, ArraysAndCompositesKeepTheirShape) {
  run("CREATE TYPE pair AS (a int, b int); CREATE DOMAIN some_ints AS int[]");
  columns_ = {column("id", "integer", "int4"), column("tags", "integer[]", "_int4"),
              column("p", "pair", "pair"), column("d", "some_ints", "_int4")};
  const std::string two_by_two = *int4(2) + *int4(0) + *int4(23) + *int4(2) + *int4(1) + *int4(2) +
                                 *int4(1) + *int4(4) + *int4(1) + *int4(4) + *int4(2) + *int4(4) +
                                 *int4(3) + *int4(4) + *int4(4);
  const std::string pair = *int4(2) + *int4(23) + *int4(4) + *int4(8) + *int4(23) + *int4(-1);
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    run("CREATE TABLE t (id int, tags int[], p pair, d some_ints)");
    RowBlock block;
    add_row(&block, {int4(1), int4_array({5, 6}), pair, int4_array({7})});
    add_row(&block, {int4(2), text(two_by_two), null(), null()});
    add_row(&block, {int4(3), null(), pair, int4_array({8, 9})});
    ASSERT_TRUE(loaded(load_by(way, Mode::kAppend, blocks(std::move(block)), 2)).ok());
    EXPECT_EQ(value("SELECT * FROM t ORDER BY id"),
              "1|{5,6}|(8,)|{7}\n2|{{1,2},{3,4}}||\n3||(8,)|{8,9}");
    sink_.reset();
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, IdentityGeneratedDefaultDomainEnumAndModifiers) {
  run("CREATE DOMAIN short_text AS varchar(10) CHECK (VALUE <> 'bad');"
      "CREATE DOMAIN shorter AS short_text CHECK (length(VALUE) < 8);"
      "CREATE TYPE mood AS ENUM ('sad', 'happy')");
  columns_ = {column("id", "integer", "int4"), column("name", "shorter", "varchar"),
              column("m", "mood", "enum"), column("c", "character(5)", "bpchar"),
              column("b", "bit(3)", "bit")};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    run("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, at int DEFAULT 7, name shorter, "
        "twice int GENERATED ALWAYS AS (id * 2) STORED, m mood, c character(5), b bit(3), "
        "n int GENERATED BY DEFAULT AS IDENTITY)");
    const std::string bits = *int4(3) + "\xA0";
    RowBlock block;
    add_row(&block, {int4(40), text("one"), text("happy"), text("abcde"), text(bits)});
    add_row(&block, {int4(41), null(), null(), text("ab"), null()});
    ASSERT_TRUE(loaded(load_by(way, Mode::kAppend, blocks(std::move(block)))).ok());
    EXPECT_EQ(value("SELECT * FROM t ORDER BY id"),
              "40|7|one|80|happy|abcde|101|1\n41|7||82||ab   ||2");
    RowBlock bad;
    add_row(&bad, {int4(1), text("bad"), text("sad"), text("x"), null()});
    auto refused = load_by(way, Mode::kAppend, blocks(std::move(bad)));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().sqlstate, "23514");
    EXPECT_EQ(refused.error().code, ErrorCode::kRejectedValue);
    sink_.reset();
    EXPECT_EQ(value("SELECT count(*) FROM t"), "2");
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, ARefusedRowNamesItsBatchAndTheTargetIsAsBefore) {
  run("CREATE TABLE t (id int CHECK (id <> 1234), name text)");
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    run("TRUNCATE t; INSERT INTO t VALUES (-1, 'old')");
    auto writer = begin(way, way.scope == CommitScope::kSwap ? Mode::kReplace : Mode::kAppend);
    Status status = writer->write(rows(1, 1100, 7, 0));
    if (status.ok()) status = writer->write(rows(1101, 3000, 7, 1100));
    if (status.ok()) status = writer->finish();
    ASSERT_FALSE(status.ok());
    const Error& error = status.error();
    EXPECT_EQ(error.code, ErrorCode::kRejectedValue);
    EXPECT_EQ(error.sqlstate, "23514");
    EXPECT_EQ(error.where.partition, 7);
    const bool exact = std::string(way.method) == "standard";
    EXPECT_EQ(error.where.row, exact ? 1234 : -1);
    EXPECT_NE(error.message.find(exact ? "INSERT of row 1,234 (partition 7): "
                                       : "INSERT of rows 1,001 to 2,000 (partition 7): "),
              std::string::npos)
        << error.message;
    EXPECT_NE(error.message.find("1234"), std::string::npos) << "the server's detail";
    EXPECT_EQ(error.message.find("_headrace_"), std::string::npos) << error.message;
    writer->abort("test");
    writer.reset();
    sink_->abandon();
    sink_.reset();
    EXPECT_EQ(value("SELECT count(*), max(name) FROM t"), "1|old");
  }
}

TEST_F(PostgresInsert, ABatchOverTwoPartitionsNamesBoth) {
  run("CREATE TABLE t (id int CHECK (id <> 60), name text)");
  auto writer = begin({"optimized", CommitScope::kSingle}, Mode::kAppend);
  ASSERT_TRUE(writer->write(rows(1, 50, 2, 100)).ok());
  ASSERT_TRUE(writer->write(rows(51, 30, 3, 0)).ok());
  const Status status = writer->finish();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("rows 101 to 150 (partition 2) and rows 1 to 30 "
                                        "(partition 3)"),
            std::string::npos)
      << status.error().message;
  EXPECT_EQ(status.error().where.partition, -1);
}

TEST_F(PostgresInsert, AKilledBackend) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    auto writer = begin(way, Mode::kReplace);
    ASSERT_TRUE(writer->write(rows(1, 2500)).ok());
    const std::string kill = fmt::format(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
        "'headrace' AND pid <> pg_backend_pid() AND query LIKE 'INSERT INTO \"{}\"%'",
        schema_);
    ASSERT_TRUE(wait_for([&] { return value(kill) != "0"; }));
    const Status status = write_until_error(*writer);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().sqlstate, "57P01") << status.error().message;
    EXPECT_EQ(status.error().code, ErrorCode::kConnection);
    writer->abort("test");
    writer.reset();
    sink_->abandon();
    sink_.reset();
    EXPECT_EQ(value("SELECT count(*), max(name) FROM t"), "1|old");
    EXPECT_EQ(value("SELECT to_regclass('_headrace_01234567_t') IS NULL"), "t");
  }
}

TEST_F(PostgresInsert, CancelWhileTheServerWorks) {
  run("CREATE TABLE t (id int, name text);"
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(60); "
      "RETURN NULL; END$$;"
      "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION slow()");
  for (const char* method : {"standard", "optimized", "async"}) {
    SCOPED_TRACE(method);
    auto writer = begin({method, CommitScope::kSingle}, Mode::kAppend);
    std::thread canceller([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      cancel_ = true;
    });
    const auto start = Clock::now();
    const Status status = write_until_error(*writer);
    canceller.join();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled) << status.error().message;
    writer->abort("the load was cancelled");
    writer.reset();
    sink_->abandon();
    sink_.reset();
    EXPECT_LT(seconds(start), 5);
    cancel_ = false;
    EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
    EXPECT_TRUE(wait_for([this] {
      return value(fmt::format("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND "
                               "query LIKE 'INSERT INTO \"{}\"%'",
                               schema_)) == "0";
    })) << "the server still works for us";
  }
}

TEST_F(PostgresInsert, AbortWithBatchesInFlight) {
  run("CREATE TABLE t (id int, name text)");
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    auto writer = begin(way, Mode::kAppend);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(writer->write(rows(i * 500, 500)).ok());
    const auto start = Clock::now();
    writer->abort("another part of the load failed");
    writer.reset();
    sink_->abandon();
    sink_.reset();
    EXPECT_LT(seconds(start), 5);
    EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
    EXPECT_TRUE(wait_for([this] {
      return value(fmt::format("SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                               "'headrace' AND query LIKE '%{}%' AND pid <> pg_backend_pid()",
                               schema_)) == "0";
    })) << "a session of the load lives on";
  }
}

// 1,600 columns: many array parameters, and with an array column 40 rows a statement.
TEST_F(PostgresInsert, AsManyColumnsAsATableTakes) {
  constexpr int kColumns = 1600;
  for (const bool with_array : {false, true}) {
    columns_.clear();
    for (int i = 0; i < kColumns; ++i) {
      const bool array = with_array && i == 0;
      columns_.push_back(
          column(fmt::format("c{}", i), array ? "int[]" : "int", array ? "_int4" : "int4"));
    }
    RowBlock block;
    for (int r = 0; r < 100; ++r) {
      std::vector<Cell> cells(kColumns);
      cells[0] = with_array ? int4_array({r}) : int4(r);
      cells[kColumns - 1] = int4(2 * r);
      add_row(&block, cells);
    }
    for (const Way& way : kWays) {
      SCOPED_TRACE(name_of(way));
      auto writer = begin(way, Mode::kCreate);
      ASSERT_NE(writer, nullptr);
      Status status = writer->write(block);
      if (status.ok()) status = writer->finish();
      ASSERT_TRUE(status.ok()) << status.error().message;
      ASSERT_TRUE(loaded(sink_->publish()).ok());
      EXPECT_EQ(
          value(fmt::format("SELECT count(*), sum(c0{}), sum(c1599), count(c1), count(c800) FROM t",
                            with_array ? "[1]" : "")),
          "100|4950|9900|0|0");
      sink_.reset();
      run("DROP TABLE t");
    }
  }
}

TEST_F(PostgresInsert, WideTexts) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    auto writer = begin(way, Mode::kCreate, 10000);
    for (int b = 0; b < 30; ++b) {
      RowBlock block;
      for (int i = 0; i < 100; ++i) {
        add_row(&block,
                {int4(b * 100 + i), text(std::string(5000, static_cast<char>('a' + i % 26)))});
      }
      ASSERT_TRUE(writer->write(block).ok());
    }
    RowBlock large;  // larger than a batch may be
    add_row(&large, {int4(-1), text(std::string(20 << 20, 'x'))});
    ASSERT_TRUE(writer->write(large).ok());
    const Status finished = writer->finish();
    ASSERT_TRUE(finished.ok()) << finished.error().message;
    ASSERT_TRUE(loaded(sink_->publish()).ok());
    EXPECT_EQ(value("SELECT count(*), max(length(name)), count(*) FILTER (WHERE name = "
                    "repeat(chr(97 + id % 100 % 26), 5000)) FROM t"),
              "3001|20971520|3000");
    sink_.reset();
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, FourConnectionsFillOneTable) {
  for (const char* method : {"optimized", "async"}) {
    SCOPED_TRACE(method);
    run("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'old')");
    auto first = begin({method, CommitScope::kSwap}, Mode::kReplace, 500, 4);
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    for (int w = 0; w < 4; ++w) {
      threads.emplace_back([&, w] {
        auto opened =
            w == 0 ? Result<std::unique_ptr<SinkWriter>>(std::move(first)) : sink_->open_writer(w);
        bool ok = opened.ok();
        for (int b = 0; ok && b < 10; ++b)
          ok = (*opened)->write(rows(w * 7000 + b * 700, 700)).ok();
        if (!ok || !(*opened)->finish().ok()) ++failures;
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(failures, 0);
    EXPECT_EQ(value("SELECT name FROM t"), "old") << "nothing is seen before it is published";
    ASSERT_TRUE(loaded(sink_->publish()).ok());
    EXPECT_EQ(value("SELECT count(*), min(id), max(id) FROM t"), "28000|0|27999");
    sink_.reset();
    run("DROP TABLE t");
  }
}

TEST_F(PostgresInsert, RowsThatATriggerLeavesOutAreTold) {
  run("CREATE TABLE t (id int, name text);"
      "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE INFO 'row %', "
      "NEW.id;"
      "IF NEW.id % 2 = 0 THEN RETURN NULL; END IF; RETURN NEW; END$$;"
      "CREATE TRIGGER odd BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION odd()");
  for (const char* method : {"standard", "optimized", "async"}) {
    SCOPED_TRACE(method);
    run("TRUNCATE t");
    auto stats = loaded(load_by({method, CommitScope::kSingle}, Mode::kAppend,
                                blocks(rows(0, 1500), rows(1500, 1500))));
    ASSERT_TRUE(stats.ok());
    EXPECT_EQ(value("SELECT count(*) FROM t"), "1500");
    ASSERT_EQ(stats->warnings.size(), 1u);
    EXPECT_NE(stats->warnings[0].find("3000 rows were sent and 1500 stored"), std::string::npos);
  }
}

TEST_F(PostgresInsert, AppendNeedsInsertOnly) {
  run("CREATE TABLE t (id int, name text)");
  const std::string role = make_role("inserter", "LOGIN");
  run(
      fmt::format("REVOKE CREATE ON SCHEMA {0} FROM {1}; GRANT INSERT ON t TO {1};"
                  "ALTER ROLE {1} SET search_path = {0};"
                  "CREATE FUNCTION unnest(int[]) RETURNS SETOF int LANGUAGE sql AS 'SELECT 0'",
                  schema_, role));
  request_.target = uri_ + "&user=" + role;
  for (const char* method : {"standard", "optimized", "async"}) {
    SCOPED_TRACE(method);
    ASSERT_TRUE(
        loaded(load_by({method, CommitScope::kSingle}, Mode::kAppend, blocks(rows(1, 10)))).ok());
    EXPECT_EQ(value("SELECT count(DISTINCT id), sum(id) FROM t"), "10|55");
    run("TRUNCATE t");
  }
  sink_.reset();
}

int64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

// The server is slower than the writer: what were not bounded would pile up here.
TEST_F(PostgresInsert, AsyncKeepsItsMemory) {
  run("CREATE TABLE t (id int, name text)");
  auto writer = begin({"async", CommitScope::kSingle}, Mode::kAppend, 10000);
  RowBlock block;
  for (int i = 0; i < 5000; ++i) add_row(&block, {int4(i), text(std::string(200, 'm'))});
  const int64_t before = peak_bytes();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(writer->write(block).ok());
  ASSERT_TRUE(writer->finish().ok());
  const int64_t grown = peak_bytes() - before;
  ASSERT_TRUE(loaded(sink_->publish()).ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "1000000");
  EXPECT_LT(grown, 32 << 20) << "of 214 MB that were sent";
  RecordProperty("grown_kib", static_cast<int>(grown >> 10));
}

TEST_F(PostgresInsert, AMethodThatIsNotThere) {
  EXPECT_EQ(find_postgres_method("carrier-pigeon"), nullptr);
  for (const char* name : {"copy", "standard", "optimized", "async"}) {
    ASSERT_NE(find_postgres_method(name), nullptr);
    EXPECT_STREQ(find_postgres_method(name)->name, name);
  }
}

}  // namespace
}  // namespace headrace
