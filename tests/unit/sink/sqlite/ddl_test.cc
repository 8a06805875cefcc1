#include "sink/sqlite/ddl.h"

#include <gtest/gtest.h>

#include "sqlite_test_support.h"

namespace headrace {
namespace {

TEST(SqliteDdl, Identifiers) {
  EXPECT_EQ(sqlite_identifier("a"), "\"a\"");
  EXPECT_EQ(sqlite_identifier(""), "\"\"");
  EXPECT_EQ(sqlite_identifier("x\"; DROP TABLE t; --"), "\"x\"\"; DROP TABLE t; --\"");
}

TEST(SqliteDdl, Statements) {
  Plan plan = sqlite_test::plan_of(2, "api");
  plan.columns[0].target_type.sql = "INTEGER";
  plan.columns[0].not_null = true;
  EXPECT_EQ(sqlite_create_table(plan), "CREATE TABLE \"t\" (\"c0\" INTEGER NOT NULL, \"c1\")");
  EXPECT_EQ(sqlite_insert(plan, "", "c0, c1"),
            "INSERT OR FAIL INTO \"t\" (\"c0\", \"c1\") SELECT c0, c1 FROM sqlite_headrace_rows");
  EXPECT_EQ(sqlite_insert(plan, "temp.s", "c0, c1"),
            "INSERT OR FAIL INTO temp.s (\"_headrace_row\", \"c0\", \"c1\") SELECT rowid, c0, c1 "
            "FROM sqlite_headrace_rows");
  plan.keys = {"c1"};
  EXPECT_EQ(sqlite_create_table(plan),
            "CREATE TABLE \"t\" (\"c0\" INTEGER NOT NULL, \"c1\", PRIMARY KEY (\"c1\"))");
  EXPECT_EQ(sqlite_delete_all(plan), "DELETE FROM \"t\"");
}

TEST(SqliteDdl, Names) {
  EXPECT_TRUE(check_sqlite_table_name("a table; \"x\"").ok());
  for (const std::string& name : {std::string(), std::string("a\0b", 3), std::string("sqlite_x"),
                                  std::string("SQLite_stat1")}) {
    const Status status = check_sqlite_table_name(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kUsage);
  }
  Plan plan = sqlite_test::plan_of(1, "api");
  EXPECT_TRUE(check_sqlite_names(plan).ok());
  plan.columns[0].target = std::string("a\0b", 3);
  EXPECT_FALSE(check_sqlite_names(plan).ok());
  plan.columns.clear();
  EXPECT_FALSE(check_sqlite_names(plan).ok());
}

}  // namespace
}  // namespace headrace
