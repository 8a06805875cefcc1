#include "sink/postgres/ddl.h"

#include <gtest/gtest.h>

#include "sink/postgres/connection.h"
#include "sink/postgres/swap.h"

namespace headrace {
namespace {

TEST(Ddl, TableNames) {
  const auto parsed = [](const std::string& text) {
    auto name = parse_table_name(text);
    return name.ok() ? name->schema + "|" + name->table
                     : std::string(error_code_name(name.error().code));
  };
  EXPECT_EQ(parsed("t"), "|t");
  EXPECT_EQ(parsed("Mixed Case"), "|Mixed Case");
  EXPECT_EQ(parsed("s.t"), "s|t");
  EXPECT_EQ(parsed("\"a.b\".\"c\"\"d\""), "a.b|c\"d");
  EXPECT_EQ(parsed("s.\"t.u\""), "s|t.u");
  EXPECT_EQ(parsed("s.o'brien; DROP TABLE x"), "s|o'brien; DROP TABLE x");
  for (const char* bad : {"", ".", "s.", ".t", "a.b.c", "\"t", "\"\"", "\"a\"b", "a\"b"}) {
    EXPECT_EQ(parsed(bad), "usage") << bad;
  }
  EXPECT_EQ(parsed(std::string("t\0u", 3)), "usage");
  EXPECT_EQ(parsed(std::string(63, 'x')), "|" + std::string(63, 'x'));
  EXPECT_EQ(parsed(std::string(64, 'x')), "usage");
}

TEST(Ddl, Quoting) {
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\b'"), " E'a\\\\b'''");
  EXPECT_EQ(qualified("s", "t"), "\"s\".\"t\"");
}

TEST(Ddl, StagingNames) {
  EXPECT_EQ(staging_name("0123456789abcdef", "t"), "_headrace_01234567_t");
  // Ids of users may share their beginning and hold anything.
  EXPECT_NE(staging_id("nightly-2025-01-01"), staging_id("nightly-2025-01-02"));
  EXPECT_EQ(staging_id("x\"; DROP").find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(staging_id("x").size(), 8u);
  const std::string umlauts = "ääääääääääääääääääääääääääääää";  // 2 bytes each
  const std::string name = staging_name("0123456789abcdef", umlauts);
  EXPECT_LE(name.size(), 63u);
  EXPECT_EQ(name.size() % 2, 1u) << "cut inside a character";
  EXPECT_EQ(truncated_name(std::string(70, 'x')), std::string(63, 'x'));
  EXPECT_EQ(staging_lock_keys("01234567"), staging_lock_keys(staging_id("0123456789abcdef")));
}

ColumnPlan column(const std::string& name, const std::string& sql, bool not_null) {
  ColumnPlan c;
  c.target = name;
  c.target_type.sql = sql;
  c.not_null = not_null;
  return c;
}

TEST(Ddl, Statements) {
  const std::vector<ColumnPlan> columns = {column("id", "bigint", true),
                                           column("a \"b", "numeric(15,2)", false)};
  EXPECT_EQ(
      create_table_sql("\"s\".\"t\"", columns),
      "CREATE TABLE \"s\".\"t\" (\n  \"id\" bigint NOT NULL,\n  \"a \"\"b\" numeric(15,2)\n)");
  EXPECT_EQ(copy_sql("\"s\".\"t\"", columns, RowFormat::kPgBinary, true),
            "COPY \"s\".\"t\" (\"id\", \"a \"\"b\") FROM STDIN (FORMAT binary, FREEZE)");
  EXPECT_EQ(copy_sql("\"t\"", columns, RowFormat::kText, false),
            "COPY \"t\" (\"id\", \"a \"\"b\") FROM STDIN (FORMAT text)");
}

TEST(Ddl, SwapStatements) {
  Plan plan;
  plan.schema = "s";
  plan.table = "t";
  EXPECT_EQ(name_new_table_statements(plan, "stage"),
            (std::vector<std::string>{"COMMENT ON TABLE \"s\".\"stage\" IS NULL",
                                      "ALTER TABLE \"s\".\"stage\" RENAME TO \"t\""}));
  TableCopy copy;
  copy.sequences = {"ALTER SEQUENCE q OWNED BY s.stage.n"};
  copy.identities = {{"id", "s", "t_id_seq"}};
  copy.indexes = {{"i", "x", "CREATE INDEX", {"COMMENT ON INDEX s.x IS 'c'"}, "ALTER INDEX s.x RENAME TO i"}};
  copy.repointings = {"CREATE OR REPLACE VIEW v AS SELECT FROM s.t"};
  copy.names = {"ALTER STATISTICS s.y RENAME TO z"};
  const std::string stage = "_headrace_01234567_t";
  EXPECT_EQ(
      swap_statements(plan, stage, copy, {"s.seq"}),
      (std::vector<std::string>{
          "ALTER SEQUENCE q OWNED BY s.stage.n",
          "SELECT setval('s.seq', CASE WHEN s.seqincrement > 0 THEN greatest(n.last_value, "
          "o.last_value) ELSE least(n.last_value, o.last_value) END, n.is_called OR o.is_called) "
          "FROM s.seq n, \"s\".\"t_id_seq\" o, pg_sequence s WHERE s.seqrelid = 's.seq'::regclass",
          "ALTER TABLE \"s\".\"t\" RENAME TO \"_headrace_01234567_old\"",
          "ALTER TABLE \"s\".\"_headrace_01234567_t\" RENAME TO \"t\"",
          "CREATE OR REPLACE VIEW v AS SELECT FROM s.t",
          "DROP TABLE \"s\".\"_headrace_01234567_old\"",
          "ALTER SEQUENCE s.seq RENAME TO \"t_id_seq\"", "ALTER INDEX s.x RENAME TO i",
          "ALTER STATISTICS s.y RENAME TO z"}));
}

}  // namespace
}  // namespace headrace
