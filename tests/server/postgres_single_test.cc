// Scope single: one connection, one transaction.
#include "postgres_fixture.h"

namespace headrace {
namespace {

using PostgresSingle = PostgresTest;

TEST_F(PostgresSingle, Create) {
  columns_[0].not_null = true;
  auto stats =
      loaded(load(Mode::kCreate, CommitScope::kSingle, blocks(rows(1, 1000), rows(1001, 500))));
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(value("SELECT count(*), sum(id), min(name), max(length(name)) FROM t"),
            "1500|1125750|name 1|9");
  EXPECT_EQ(value("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
                  "WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"),
            "id|integer|t\nname|text|f");
  EXPECT_GT(stats->bytes_sent, 1500 * 16);
  EXPECT_GT(stats->wal_bytes, 0);
  EXPECT_EQ(stats->lock_seconds, 0);
  EXPECT_TRUE(stats->warnings.empty());
  EXPECT_GE(std::stod(value("SELECT reltuples FROM pg_class WHERE oid = 't'::regclass")), 1500)
      << "not analyzed";
}

TEST_F(PostgresSingle, CreateWithoutRows) {
  ASSERT_TRUE(loaded(load(Mode::kCreate, CommitScope::kSingle, {})).ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
}

TEST_F(PostgresSingle, NothingIsSeenBeforePublish) {
  ASSERT_TRUE(sink_ == nullptr);
  const SinkFacts facts = open();
  ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kCreate, CommitScope::kSingle), "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write(rows(1, 10)).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_EQ(value("SELECT to_regclass('t') IS NULL"), "t");
  ASSERT_TRUE(sink_->publish().ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10");
}

TEST_F(PostgresSingle, CreateMeetsATable) {
  const SinkFacts facts = open();
  run("CREATE TABLE t (x int)");
  const Status status = sink_->prepare(plan(facts, Mode::kCreate, CommitScope::kSingle), "x");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kTargetExists);
}

TEST_F(PostgresSingle, AppendKeepsRowsAndReplaceDoesNot) {
  run("CREATE TABLE t (id int PRIMARY KEY, name text)");
  ASSERT_TRUE(loaded(load(Mode::kAppend, CommitScope::kSingle, blocks(rows(1, 10)))).ok());
  ASSERT_TRUE(loaded(load(Mode::kAppend, CommitScope::kSingle, blocks(rows(11, 10)))).ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "20");
  ASSERT_TRUE(loaded(load(Mode::kReplace, CommitScope::kSingle, blocks(rows(5, 3)))).ok());
  EXPECT_EQ(value("SELECT count(*), min(id) FROM t"), "3|5");
}

TEST_F(PostgresSingle, ReadersSeeTheOldRowsWhileReplacing) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  const SinkFacts facts = open();
  ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kReplace, CommitScope::kSingle), "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write(rows(2, 5)).ok());
  run("SET lock_timeout = '1s'");
  EXPECT_EQ(value("SELECT name FROM t"), "old");
  ASSERT_TRUE((*writer)->finish().ok());
  ASSERT_TRUE(sink_->publish().ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "5");
}

TEST_F(PostgresSingle, ReplaceDoesNotCascade) {
  run("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'old');"
      "CREATE TABLE orders (t_id int REFERENCES t ON DELETE CASCADE); INSERT INTO orders VALUES "
      "(1)");
  auto stats = load(Mode::kReplace, CommitScope::kSingle, blocks(rows(2, 1)));
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(stats.error().message.find("orders"), std::string::npos);
  sink_.reset();
  EXPECT_EQ(value("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM t)"), "1|1");
}

TEST_F(PostgresSingle, PartitionedTable) {
  run("CREATE TABLE t (id int, name text) PARTITION BY RANGE (id);"
      "CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (100);"
      "CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (100) TO (200)");
  const SinkFacts facts = open();
  EXPECT_EQ(facts.relation_kind, "partitioned table");
  EXPECT_EQ(facts.dependents, std::vector<std::string>{"partitioned table"});
  ASSERT_TRUE(loaded(load(Mode::kAppend, CommitScope::kSingle, blocks(rows(90, 20)))).ok());
  EXPECT_EQ(value("SELECT (SELECT count(*) FROM t_low), (SELECT count(*) FROM t_high)"), "10|10");
  ASSERT_TRUE(loaded(load(Mode::kReplace, CommitScope::kSingle, blocks(rows(95, 6)))).ok());
  EXPECT_EQ(value("SELECT (SELECT count(*) FROM t_low), (SELECT count(*) FROM t_high)"), "5|1");
}

TEST_F(PostgresSingle, IdentityDefaultAndGeneratedColumns) {
  run("CREATE TABLE t (id int, name text, n int GENERATED ALWAYS AS IDENTITY, at int DEFAULT 7, "
      "twice int GENERATED ALWAYS AS (id * 2) STORED)");
  const SinkFacts facts = open();
  ASSERT_EQ(facts.columns.size(), 5u);
  EXPECT_TRUE(facts.columns[2].identity_always);
  EXPECT_TRUE(facts.columns[3].has_default);
  EXPECT_TRUE(facts.columns[4].generated);
  EXPECT_FALSE(facts.columns[4].has_default);
  ASSERT_TRUE(loaded(load(Mode::kAppend, CommitScope::kSingle, blocks(rows(5, 2)))).ok());
  EXPECT_EQ(value("SELECT * FROM t ORDER BY id"), "5|name 5|1|7|10\n6|name 6|2|7|12");
}

TEST_F(PostgresSingle, TextFormat) {
  run("CREATE TABLE t (id int, name text, d date, i interval)");
  columns_.push_back(column("d", "date", "date"));
  columns_.push_back(column("i", "interval", "interval"));
  // Of the user's settings none may change how values are read.
  const std::string role = make_role("styled", "LOGIN SUPERUSER");
  run(fmt::format(
      "ALTER ROLE {0} SET datestyle = 'SQL, DMY'; ALTER ROLE {0} SET intervalstyle = sql_standard",
      role));
  request_.target = uri_ + "&user=" + role;
  const SinkFacts facts = open();
  Plan p = plan(facts, Mode::kAppend, CommitScope::kSingle);
  p.row_format = RowFormat::kText;
  ASSERT_TRUE(sink_->prepare(p, "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  RowBlock block;
  const std::string_view lines = "1\ta\\tb\\\\\t2024-03-04\t-1 days +02:03:04\n2\t\\N\t\\N\t\\N\n";
  block.bytes.append(lines.data(), lines.size());
  block.row_count = 2;
  ASSERT_TRUE((*writer)->write(block).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  ASSERT_TRUE(loaded(sink_->publish()).ok());
  EXPECT_EQ(value("SELECT id, name, d, extract(epoch FROM i) FROM t ORDER BY id"),
            "1|a\tb\\|2024-03-04|-79016.000000\n2|||");
  sink_.reset();
}

TEST_F(PostgresSingle, ATriggerThatLeavesRowsOutIsTold) {
  run("CREATE TABLE t (id int, name text);"
      "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE INFO 'row %', "
      "NEW.id; "
      "RAISE NOTICE 'n'; IF NEW.id % 2 = 0 THEN RETURN NULL; END IF; RETURN NEW; END$$;"
      "CREATE TRIGGER odd BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION odd()");
  // INFO comes whatever client_min_messages is; it must not be taken for an error.
  std::vector<RowBlock> many;
  for (int i = 0; i < 50; ++i) many.push_back(rows(i * 100, 100));
  auto stats = loaded(load(Mode::kAppend, CommitScope::kSingle, many));
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "2500");
  ASSERT_EQ(stats->warnings.size(), 1u);
  EXPECT_NE(stats->warnings[0].find("5000 rows were sent and 2500 stored"), std::string::npos);
}

TEST_F(PostgresSingle, AppendNeedsInsertOnly) {
  run("CREATE TABLE t (id int, name text)");
  const std::string role = make_role("inserter", "LOGIN");
  run(fmt::format("REVOKE CREATE ON SCHEMA {0} FROM {1}; GRANT INSERT ON t TO {1}", schema_, role));
  request_.target = uri_ + "&user=" + role;
  const SinkFacts facts = open();
  EXPECT_FALSE(facts.can_create);
  EXPECT_TRUE(facts.can_insert);
  EXPECT_FALSE(facts.is_owner);
  ASSERT_TRUE(loaded(load(Mode::kAppend, CommitScope::kSingle, blocks(rows(1, 10)))).ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10");
  sink_.reset();
}

TEST_F(PostgresSingle, StrangeNames) {
  request_.table = schema_ + ".\"we\"\"ird. näme\"";
  columns_[1].target = columns_[1].field.name = "a \"b\" 'c' \\";
  ASSERT_TRUE(loaded(load(Mode::kCreate, CommitScope::kSingle, blocks(rows(1, 3)))).ok());
  EXPECT_EQ(value("SELECT count(\"a \"\"b\"\" 'c' \\\") FROM \"we\"\"ird. näme\""), "3");
}

}  // namespace
}  // namespace headrace
