// Scope swap: several connections fill a staging table, one transaction publishes it.
#include "postgres_fixture.h"
#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

class PostgresSwap : public PostgresTest {
 protected:
  // Everything about the table that a swap must carry, as text; OIDs are left out.
  std::string description(const std::string& table = "t") {
    const std::string of = fmt::format("'{}'::regclass", table);
    return value(fmt::format(
               "SELECT 'table', relname, relkind, relpersistence, pg_get_userbyid(relowner), "
               "(SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(relacl) x), "
               "reloptions::text, "
               "relreplident, reltablespace, obj_description(oid, 'pg_class') FROM pg_class WHERE "
               "oid = {0}",
               of)) +
           "\n" +
           value(fmt::format(
               "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity, "
               "attgenerated, attstorage, "
               "attcompression, attstattarget, attcollation::regcollation, (SELECT string_agg(o, ' "
               "') FROM "
               "unnest(attoptions) o WHERE o !~ '^pg_'), attacl::text, "
               "col_description(attrelid, attnum), pg_get_expr(adbin, adrelid) FROM pg_attribute a "
               "LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum "
               "WHERE attrelid = {0} AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
               of)) +
           "\n" +
           value(fmt::format("SELECT pg_get_indexdef(indexrelid), indisprimary, indisunique, "
                             "indisclustered, indisreplident, "
                             "obj_description(indexrelid, 'pg_class') FROM pg_index WHERE indrelid "
                             "= {0} ORDER BY 1",
                             of)) +
           "\n" +
           value(fmt::format(
               "SELECT conname, contype, pg_get_constraintdef(oid), condeferrable, condeferred, "
               "obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conrelid = {0} "
               "ORDER BY 1",
               of)) +
           "\n" +
           value(fmt::format("SELECT s.relname, d.deptype, a.attname FROM pg_depend d JOIN "
                             "pg_class s ON s.oid = d.objid "
                             "AND s.relkind = 'S' JOIN pg_attribute a ON a.attrelid = refobjid AND "
                             "a.attnum = refobjsubid "
                             "WHERE refobjid = {0} AND d.classid = 'pg_class'::regclass ORDER BY 1",
                             of));
  }

  std::string oid() { return value("SELECT 't'::regclass::oid"); }
};

TEST_F(PostgresSwap, CreateWithTwoWritersAtOnce) {
  const SinkFacts facts = open();
  ASSERT_TRUE(
      sink_->prepare(plan(facts, Mode::kCreate, CommitScope::kSwap, 2), "0123456789abcdef").ok());
  std::vector<std::thread> threads;
  std::vector<Status> results(2);
  for (int w = 0; w < 2; ++w) {
    threads.emplace_back([this, w, &results] {
      auto writer = sink_->open_writer(w);
      if (!writer.ok()) {
        results[w] = std::move(writer).error();
        return;
      }
      for (int i = 0; i < 20 && results[w].ok(); ++i) {
        results[w] = (*writer)->write(rows((w * 20 + i) * 10000, 10000));
      }
      if (results[w].ok()) results[w] = (*writer)->finish();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Status& result : results) ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(value("SELECT to_regclass('t') IS NULL"), "t");
  auto stats = loaded(sink_->publish());
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(value("SELECT count(*), count(DISTINCT id), sum(id) FROM t"),
            "400000|400000|79999800000");
  EXPECT_EQ(value("SELECT obj_description('t'::regclass) IS NULL"), "t");
  EXPECT_EQ(value("SELECT reltuples FROM pg_class WHERE oid = 't'::regclass"), "400000")
      << "analyzed";
  EXPECT_GT(stats->bytes_sent, 400000 * 16);
  EXPECT_GT(stats->wal_bytes, 400000 * 20);
}

TEST_F(PostgresSwap, StagingIsRecognisableAndLocked) {
  const SinkFacts facts = open();
  const std::string id = "fedcba9876543210";
  ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kCreate, CommitScope::kSwap, 2), id).ok());
  EXPECT_EQ(value("SELECT obj_description('_headrace_fedcba98_t'::regclass)"),
            "headrace staging, load fedcba9876543210");
  const std::string try_lock =
      fmt::format("SELECT pg_try_advisory_xact_lock({})", staging_lock_keys("fedcba98"));
  EXPECT_EQ(value(try_lock), "f");
  // The lock's transaction holds back no VACUUM.
  EXPECT_EQ(value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headrace' AND "
                  "state = 'idle in transaction' AND (backend_xmin IS NOT NULL OR backend_xid IS "
                  "NOT NULL)"),
            "0");
  sink_->abandon();
  EXPECT_EQ(value(try_lock), "t");
  EXPECT_EQ(value("SELECT to_regclass('_headrace_fedcba98_t') IS NULL"), "t");
}

TEST_F(PostgresSwap, ReplaceKeepsEverything) {
  const std::string owner = make_role("owner"), reader = make_role("reader"),
                    writer = make_role("writer");
  run(fmt::format(
      "CREATE FUNCTION plus_one(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1';"
      "CREATE TABLE t (id int NOT NULL DEFAULT 42, name text COMPRESSION pglz COLLATE \"C\", extra "
      "varchar(10) DEFAULT 'x',"
      "  n serial, twice int GENERATED ALWAYS AS (id * 2) STORED, auto bigint GENERATED BY DEFAULT "
      "AS IDENTITY (START 100 INCREMENT 7),"
      "  CONSTRAINT positive CHECK (id > 0), CONSTRAINT t_key PRIMARY KEY (id) INCLUDE (name) WITH "
      "(fillfactor = 80),"
      "  CONSTRAINT \"uniq\"\"ue\" UNIQUE (name, id) DEFERRABLE INITIALLY DEFERRED) WITH "
      "(fillfactor = 77, toast.autovacuum_enabled = off);"
      "CREATE INDEX t_expression ON t (plus_one(id), lower(name) DESC NULLS LAST);"
      "CREATE INDEX \"t partial\" ON t USING btree (name text_pattern_ops) WHERE id > 10 AND name "
      "LIKE '% ON %';"
      "CREATE INDEX t_hash ON t USING hash (extra);"
      "CREATE INDEX t_brin ON t USING brin (id) WITH (pages_per_range = 4);"
      "ALTER TABLE t CLUSTER ON t_expression; ALTER TABLE t REPLICA IDENTITY USING INDEX t_key;"
      "ALTER TABLE t ALTER name SET STATISTICS 500, ALTER name SET STORAGE EXTERNAL, ALTER id SET "
      "(n_distinct = -0.5);"
      "COMMENT ON TABLE t IS 'the ''table'' \\ it; DROP'; COMMENT ON COLUMN t.name IS 'the name';"
      "COMMENT ON INDEX t_hash IS 'index ''comment'''; COMMENT ON CONSTRAINT t_key ON t IS 'key'; "
      "COMMENT ON CONSTRAINT positive ON t IS 'pos';"
      "INSERT INTO t (id, name) SELECT g, 'old' FROM generate_series(1, 10) g;"
      "ALTER TABLE t OWNER TO {0}; GRANT SELECT ON t TO {1}, PUBLIC; GRANT INSERT, UPDATE ON t TO "
      "{2} WITH GRANT OPTION;"
      "GRANT UPDATE (name), SELECT (id) ON t TO {1}; REVOKE TRUNCATE ON t FROM {0};"
      "ALTER DEFAULT PRIVILEGES IN SCHEMA {3} GRANT DELETE ON TABLES TO {2}",
      owner, reader, writer, schema_));
  const std::string before = description();
  const std::string old_oid = oid();
  const std::string next = value("SELECT nextval('t_n_seq'), nextval('t_auto_seq')");
  auto stats = loaded(load(Mode::kReplace, CommitScope::kSwap, blocks(rows(1, 5000))));
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(description(), before);
  EXPECT_NE(oid(), old_oid);
  EXPECT_EQ(value("SELECT count(*), min(name), max(extra), max(twice), min(n), min(auto) FROM t"),
            "5000|name 1|x|10000|12|177");
  // The rows of the load took the values after the old ones.
  EXPECT_EQ(next, "11|170");
  EXPECT_EQ(value("SELECT nextval('t_auto_seq') > (SELECT max(auto) FROM t)"), "t");
  EXPECT_GT(stats->lock_seconds, 0);
  EXPECT_LT(stats->lock_seconds, 2);
  EXPECT_GT(stats->index_seconds, 0);
  EXPECT_TRUE(stats->warnings.empty());
  // And it can be done again.
  ASSERT_TRUE(loaded(load(Mode::kReplace, CommitScope::kSwap, blocks(rows(1, 50)))).ok());
  EXPECT_EQ(description(), before);
  EXPECT_EQ(value("SELECT count(*) FROM t"), "50");
  run(fmt::format("ALTER DEFAULT PRIVILEGES IN SCHEMA {} REVOKE DELETE ON TABLES FROM {}", schema_,
                  writer));
}

TEST_F(PostgresSwap, UnloggedAndReplicaIdentityFull) {
  run("CREATE UNLOGGED TABLE t (id int, name text); ALTER TABLE t REPLICA IDENTITY FULL");
  const std::string before = description();
  ASSERT_TRUE(loaded(load(Mode::kReplace, CommitScope::kSwap, blocks(rows(1, 10)))).ok());
  EXPECT_EQ(description(), before);
}

TEST_F(PostgresSwap, ReadersSeeTheOldRowsUntilTheEnd) {
  run("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'old')");
  const SinkFacts facts = open();
  ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kReplace, CommitScope::kSwap), "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write(rows(2, 5)).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  EXPECT_EQ(value("SELECT name FROM t"), "old");
  run("INSERT INTO t VALUES (7, 'written meanwhile, replaced as well')");
  ASSERT_TRUE(loaded(sink_->publish()).ok());
  EXPECT_EQ(value("SELECT count(*), min(id) FROM t"), "5|2");
}

TEST_F(PostgresSwap, AppendToAnEmptyTable) {
  run("CREATE TABLE t (id int PRIMARY KEY, name text)");
  const std::string before = description();
  auto stats = loaded(load(Mode::kAppend, CommitScope::kSwap, blocks(rows(1, 100))));
  ASSERT_TRUE(stats.ok());
  EXPECT_TRUE(stats->warnings.empty());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "100");
  EXPECT_EQ(description(), before);
}

TEST_F(PostgresSwap, AppendToATableThatIsNoLongerEmpty) {
  run("CREATE TABLE t (id int PRIMARY KEY, name text, n int GENERATED ALWAYS AS IDENTITY)");
  for (const char* when : {"early", "late"}) {
    SCOPED_TRACE(when);
    run("TRUNCATE t");
    const std::string before = oid();
    const SinkFacts facts = open();
    ASSERT_TRUE(facts.table_is_empty);
    ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kAppend, CommitScope::kSwap), "x").ok());
    auto writer = sink_->open_writer(0);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->write(rows(1, 100)).ok());
    ASSERT_TRUE((*writer)->finish().ok());
    // Late: the row is not committed while publish() looks first, and is when it has the lock.
    auto other = Connection::open(uri_, nullptr);
    ASSERT_TRUE(other.ok());
    const std::string insert =
        fmt::format("INSERT INTO {}.t VALUES (1000, 'of another session')", schema_);
    std::thread committer;
    if (std::string(when) == "early") {
      ASSERT_TRUE((*other)->run(insert).ok());
    } else {
      ASSERT_TRUE((*other)->run("BEGIN; " + insert).ok());
      committer = std::thread([&] {
        wait_for([this] {
          return value(
                     "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = "
                     "'AccessExclusiveLock' AND relation = 't'::regclass") == "1";
        });
        EXPECT_TRUE((*other)->run("COMMIT").ok());
      });
    }
    auto stats = loaded(sink_->publish());
    if (committer.joinable()) committer.join();
    ASSERT_TRUE(stats.ok());
    EXPECT_EQ(value("SELECT count(*), max(id) FROM t"), "101|1000");
    EXPECT_EQ(oid(), before);
    ASSERT_EQ(stats->warnings.size(), 1u);
    EXPECT_NE(stats->warnings[0].find("not any more"), std::string::npos);
  }
}

TEST_F(PostgresSwap, ATableThatAppearedMeanwhile) {
  const SinkFacts facts = open();
  ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kCreate, CommitScope::kSwap), "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write(rows(1, 10)).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  run("CREATE TABLE t (mine int)");
  auto stats = sink_->publish();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().code, ErrorCode::kTargetExists);
  EXPECT_EQ(value("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0"),
            "mine");
}

TEST_F(PostgresSwap, ATableThatChangedMeanwhile) {
  const std::string role = make_role("late");
  for (const std::string& change :
       {std::string("ALTER TABLE t ADD COLUMN more int"),
        std::string("CREATE VIEW v AS SELECT id FROM t"),
        std::string("CREATE INDEX late ON t (name)"), "GRANT SELECT ON t TO " + role,
        std::string("COMMENT ON TABLE t IS 'late'"),
        std::string("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t "
                    "VALUES (1, 'old')")}) {
    SCOPED_TRACE(change);
    run("DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id int PRIMARY KEY, name text); INSERT "
        "INTO t VALUES (1, 'old')");
    const SinkFacts facts = open();
    ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kReplace, CommitScope::kSwap), "x").ok());
    auto writer = sink_->open_writer(0);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->write(rows(1, 10)).ok());
    ASSERT_TRUE((*writer)->finish().ok());
    run(change);
    auto stats = sink_->publish();
    ASSERT_FALSE(stats.ok());
    EXPECT_EQ(stats.error().code, ErrorCode::kServer);
    EXPECT_NE(stats.error().message.find("was changed by someone else"), std::string::npos)
        << stats.error().message;
    sink_.reset();
    EXPECT_EQ(value("SELECT name FROM t"), "old");
  }
}

TEST_F(PostgresSwap, ALockThatIsNotGranted) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  auto reader = Connection::open(uri_ + "&application_name=slow_report", nullptr);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE((*reader)->run(fmt::format("BEGIN; SELECT * FROM {}.t", schema_)).ok());
  const SinkFacts facts = open();
  Plan p = plan(facts, Mode::kReplace, CommitScope::kSwap);
  p.lock_timeout_ms = 200;
  ASSERT_TRUE(sink_->prepare(p, "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write(rows(2, 10)).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  auto stats = sink_->publish();
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().sqlstate, "55P03");
  EXPECT_NE(stats.error().hint.find("slow_report"), std::string::npos) << stats.error().hint;
  sink_.reset();
  EXPECT_EQ(value("SELECT name FROM t"), "old");
}

TEST_F(PostgresSwap, ALockThatIsGrantedLater) {
  run("CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'old')");
  auto reader = Connection::open(uri_, nullptr);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE((*reader)->run(fmt::format("BEGIN; SELECT * FROM {}.t", schema_)).ok());
  const SinkFacts facts = open();
  Plan p = plan(facts, Mode::kReplace, CommitScope::kSwap);
  p.lock_timeout_ms = 300;
  ASSERT_TRUE(sink_->prepare(p, "x").ok());
  auto writer = sink_->open_writer(0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->write(rows(2, 10)).ok());
  ASSERT_TRUE((*writer)->finish().ok());
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    EXPECT_TRUE((*reader)->run("COMMIT").ok());
  });
  auto stats = loaded(sink_->publish());
  later.join();
  ASSERT_TRUE(stats.ok());
  EXPECT_LT(stats->lock_seconds, 0.5) << "waiting for the lock is not holding it";
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10");
}

TEST_F(PostgresSwap, TwoLoadsOfOneId) {
  const SinkFacts facts = open();
  ASSERT_TRUE(sink_->prepare(plan(facts, Mode::kCreate, CommitScope::kSwap), "nightly").ok());
  auto second = kPostgresSink.open(request_);
  ASSERT_TRUE(second.ok());
  ASSERT_TRUE((*second)->facts().ok());
  const Status status =
      (*second)->prepare(plan(facts, Mode::kCreate, CommitScope::kSwap), "nightly");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("nightly is running"), std::string::npos);
  second->reset();
  const std::string stage = staging_name("nightly", "t");
  EXPECT_EQ(value(fmt::format("SELECT to_regclass('{}') IS NOT NULL", stage)), "t")
      << "dropped by the other";
}

TEST_F(PostgresSwap, ACrashedLoadOfTheSameId) {
  const std::string stage = staging_name("nightly", "t");
  run(fmt::format("CREATE TABLE {0} (junk int); COMMENT ON TABLE {0} IS '{1}'", stage,
                  staging_comment("nightly")));
  ASSERT_TRUE(loaded(load(Mode::kCreate, CommitScope::kSwap, blocks(rows(1, 10)), "nightly")).ok());
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10");
}

TEST_F(PostgresSwap, ADuplicateKeyIsFoundByTheIndex) {
  run("CREATE TABLE t (id int CONSTRAINT my_key PRIMARY KEY, name text); INSERT INTO t VALUES (1, "
      "'old')");
  auto stats = load(Mode::kReplace, CommitScope::kSwap, blocks(rows(1, 10), rows(5, 1)));
  ASSERT_FALSE(stats.ok());
  EXPECT_EQ(stats.error().sqlstate, "23505");
  EXPECT_EQ(stats.error().code, ErrorCode::kRejectedValue);
  EXPECT_NE(stats.error().message.find("my_key"), std::string::npos) << stats.error().message;
  EXPECT_EQ(stats.error().message.find("_headrace_"), std::string::npos) << stats.error().message;
  sink_.reset();
  EXPECT_EQ(value("SELECT name FROM t"), "old");
}

TEST_F(PostgresSwap, ByAnOwnerWhoIsNoSuperuser) {
  const std::string role = make_role("plain", "LOGIN"), group = make_role("team");
  run(
      fmt::format("GRANT {1} TO {0}; CREATE TABLE t (id int PRIMARY KEY, name text); ALTER TABLE t "
                  "OWNER TO {1};"
                  "REVOKE ALL ON t FROM {1}; GRANT SELECT, DELETE ON t TO {1}",
                  role, group));
  request_.target = uri_ + "&user=" + role;
  const std::string before = description();
  const SinkFacts facts = open();
  EXPECT_TRUE(facts.is_owner);
  EXPECT_TRUE(facts.dependents.empty()) << facts.dependents[0];
  ASSERT_TRUE(loaded(load(Mode::kReplace, CommitScope::kSwap, blocks(rows(1, 10)))).ok());
  EXPECT_EQ(description(), before);
  EXPECT_EQ(value("SELECT count(*) FROM t"), "10");
  sink_.reset();
}

TEST_F(PostgresSwap, DdlShowsWhatWillRun) {
  run("CREATE TABLE t (id int CONSTRAINT my_key PRIMARY KEY, name text)");
  const SinkFacts facts = open();
  std::string all;
  for (const std::string& sql : sink_->ddl(plan(facts, Mode::kReplace, CommitScope::kSwap)))
    all += sql + "\n";
  for (const char* part :
       {"LIKE", "_headrace_xxxxxxxx_t", "COPY", "CREATE UNIQUE INDEX", "LOCK TABLE", "DROP TABLE",
        "RENAME TO \"t\"", "PRIMARY KEY USING INDEX", "RENAME TO \"my_key\""}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  }
  EXPECT_EQ(value("SELECT count(*) FROM pg_class WHERE relname LIKE '%headrace%'"), "0");
}

}  // namespace
}  // namespace headrace
