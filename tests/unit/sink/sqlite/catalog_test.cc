#include "sink/sqlite/catalog.h"

#include <gtest/gtest.h>

#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

// The catalog of table t in a new file made by `sql`.
SqliteCatalog catalog_of(const std::string& sql) {
  const TempFolder folder;
  Db(folder.file("a.sqlite")).run(sql);
  auto db = Connection::open(folder.file("a.sqlite"), Connection::kReadWrite, 0);
  EXPECT_TRUE(db.ok());
  auto catalog = read_sqlite_catalog(*db, "t");
  EXPECT_TRUE(catalog.ok()) << catalog.error().message;
  return std::move(catalog).value();
}

bool replaceable(const std::string& sql, int columns = 1) {
  return check_replaceable_by_pages(catalog_of(sql), plan_of(columns, "pages")).ok();
}

TEST(SqliteCatalog, Affinity) {
  EXPECT_STREQ(sqlite_affinity("bigint"), "INTEGER");
  EXPECT_STREQ(sqlite_affinity("CHARINT"), "INTEGER");
  EXPECT_STREQ(sqlite_affinity("Varchar(10)"), "TEXT");
  EXPECT_STREQ(sqlite_affinity("CLOB"), "TEXT");
  EXPECT_STREQ(sqlite_affinity(""), "BLOB");
  EXPECT_STREQ(sqlite_affinity("blob"), "BLOB");
  EXPECT_STREQ(sqlite_affinity("double precision"), "REAL");
  EXPECT_STREQ(sqlite_affinity("FLOATING POINT"), "INTEGER");  // "POINT" holds "INT"
  EXPECT_STREQ(sqlite_affinity("DECIMAL(15,2)"), "NUMERIC");
  EXPECT_STREQ(sqlite_affinity("DATE"), "NUMERIC");
}

TEST(SqliteCatalog, BareWords) {
  EXPECT_EQ(sqlite_bare_words("Create table \"check\" ([strict] a, `x``y` 'it''s' -- check\n b)"),
            (std::vector<std::string>{"CREATE", "TABLE", "A", "B"}));
  EXPECT_EQ(sqlite_bare_words("a/* b */c - d / e"), (std::vector<std::string>{"A", "C", "D", "E"}));
  EXPECT_EQ(sqlite_bare_words("'open"), std::vector<std::string>());
  EXPECT_EQ(sqlite_bare_words("a -- open"), std::vector<std::string>{"A"});
}

TEST(SqliteCatalog, Columns) {
  const SqliteCatalog c = catalog_of(
      "CREATE TABLE T (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b DECIMAL(5,2) DEFAULT 1, "
      "c, g AS (a || b), h TEXT GENERATED ALWAYS AS (a) STORED); INSERT INTO T(a) VALUES (1)");
  EXPECT_TRUE(c.table_exists);
  EXPECT_EQ(c.table, "T");
  EXPECT_FALSE(c.table_is_empty);
  EXPECT_EQ(c.relation_kind, "table");
  ASSERT_EQ(c.columns.size(), 6u);
  EXPECT_TRUE(c.columns[0].has_default);
  EXPECT_TRUE(c.columns[1].not_null);
  EXPECT_EQ(c.columns[2].type, (TargetType{"DECIMAL(5,2)", "NUMERIC", -1}));
  EXPECT_TRUE(c.columns[2].has_default);
  EXPECT_EQ(c.columns[3].type.base, "BLOB");
  EXPECT_FALSE(c.columns[3].generated);
  EXPECT_TRUE(c.columns[4].generated);
  EXPECT_TRUE(c.columns[5].generated);
}

TEST(SqliteCatalog, OtherObjectsAndDependents) {
  const SqliteCatalog c = catalog_of(
      "CREATE TABLE t (a UNIQUE); CREATE INDEX i ON t (a); CREATE TABLE u (a INTEGER PRIMARY KEY "
      "AUTOINCREMENT); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END");
  EXPECT_TRUE(c.table_is_empty);
  EXPECT_TRUE(c.has_other_objects);
  ASSERT_EQ(c.indexes.size(), 1u);
  EXPECT_EQ(c.indexes[0].name, "i");
  EXPECT_EQ(c.dependents, std::vector<std::string>{"trigger g"});
  EXPECT_EQ(c.constraints.size(), 1u);
  EXPECT_FALSE(
      catalog_of("CREATE TABLE t (a); CREATE INDEX i ON t (a); ANALYZE").has_other_objects);
}

TEST(SqliteCatalog, Kinds) {
  EXPECT_FALSE(catalog_of("CREATE TABLE u (a)").table_exists);
  EXPECT_EQ(catalog_of("CREATE VIEW t AS SELECT 1 AS a").relation_kind, "view");
  EXPECT_EQ(catalog_of("CREATE VIRTUAL TABLE t USING fts4(a)").relation_kind, "virtual table");
}

TEST(SqliteCatalog, ReplaceableByPages) {
  EXPECT_TRUE(replaceable("CREATE TABLE t (c0 INTEGER NOT NULL DEFAULT 3)"));
  EXPECT_TRUE(replaceable("CREATE TABLE T (C0 TEXT, \"c1\" BLOB)", 2));
  EXPECT_TRUE(replaceable("CREATE TABLE t (c0); ANALYZE"));
  EXPECT_TRUE(replaceable("PRAGMA user_version=1"));
  for (const char* sql : {
           "CREATE TABLE t (c0 PRIMARY KEY)",
           "CREATE TABLE t (c0 INTEGER PRIMARY KEY)",
           "CREATE TABLE t (c0 PRIMARY KEY) WITHOUT ROWID",
           "CREATE TABLE t (c0 UNIQUE)",
           "CREATE TABLE t (c0 CHECK (c0 > 1))",
           "CREATE TABLE t (c0 NOT NULL ON CONFLICT IGNORE)",
           "CREATE TABLE t (c0 REFERENCES u)",
           "CREATE TABLE t (c0 TEXT) STRICT",
           "CREATE TABLE t (c0); CREATE INDEX i ON t (c0)",
           "CREATE TABLE t (c0); CREATE VIEW v AS SELECT 1",
           "CREATE TABLE u (c0)",
           "CREATE VIEW t AS SELECT 1 AS c0",
           "CREATE TABLE t (c0, c1)",
           "CREATE TABLE t (other)",
           "PRAGMA auto_vacuum=FULL; CREATE TABLE t (c0)",
           "PRAGMA encoding='UTF-16'; CREATE TABLE t (c0)",
       }) {
    EXPECT_FALSE(replaceable(sql)) << sql;
  }
}

}  // namespace
}  // namespace headrace
