// Every registered type × every method × {no NULL, some, all, empty, sliced}, loaded through the
// library into a real PostgreSQL and real SQLite files, read back and compared.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "conformance/samples.h"
#include "headrace/load.h"
#include "support/arrays.h"

namespace headrace::test {
namespace {

struct MethodCase {
  const char* name;
  const char* method;
  const char* row_format;
  Dialect dialect;
};

constexpr MethodCase kMethods[] = {
    {"copy_binary", "copy", "binary", Dialect::kPostgres},
    {"copy_text", "copy", "text", Dialect::kPostgres},
    {"standard", "standard", "", Dialect::kPostgres},
    {"optimized", "optimized", "", Dialect::kPostgres},
    {"async", "async", "", Dialect::kPostgres},
    {"pages", "pages", "", Dialect::kSqlite},
    {"api", "api", "", Dialect::kSqlite},
};

using Texts = std::vector<std::optional<std::string>>;

std::string server() {
  const char* uri = std::getenv("HEADRACE_TEST_PG");
  return uri == nullptr ? "" : uri;
}

// Rows of a query's first column, in order; fails the test on an error.
Texts query_postgres(const std::string& sql) {
  std::unique_ptr<PGconn, decltype(&PQfinish)> conn(PQconnectdb(server().c_str()), PQfinish);
  EXPECT_EQ(PQstatus(conn.get()), CONNECTION_OK) << PQerrorMessage(conn.get());
  const auto run = [&](const std::string& text) {
    return std::unique_ptr<PGresult, decltype(&PQclear)>(PQexec(conn.get(), text.c_str()), PQclear);
  };
  run("SET intervalstyle = iso_8601; SET timezone = 'UTC'");
  auto result = run(sql);
  Texts out;
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK && PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    ADD_FAILURE() << sql << ": " << PQerrorMessage(conn.get());
    return out;
  }
  for (int i = 0; i < PQntuples(result.get()); ++i) {
    out.push_back(PQgetisnull(result.get(), i, 0) ? std::nullopt
                                                  : std::optional<std::string>(PQgetvalue(result.get(), i, 0)));
  }
  return out;
}

Texts query_sqlite(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  Texts out;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    out.push_back(text == nullptr ? std::nullopt : std::optional<std::string>(text));
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return out;
}

class Conformance : public testing::TestWithParam<std::tuple<size_t, size_t>> {
 protected:
  const TypeSamples& samples() const { return all_samples()[std::get<0>(GetParam())]; }
  const MethodCase& method() const { return kMethods[std::get<1>(GetParam())]; }
  bool postgres() const { return method().dialect == Dialect::kPostgres; }
  const std::string& expected(const SampleValue& v) const { return postgres() ? v.pg : v.sqlite; }

  void SetUp() override {
    if (postgres()) {
      ASSERT_FALSE(server().empty()) << "HEADRACE_TEST_PG is not set: run the tests by `make test`";
    }
    folder_ = std::filesystem::temp_directory_path() / ("headrace-conformance-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    table_ = "conf_" + samples().name + "_" + method().name;
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    if (postgres() && !server().empty()) query_postgres("DROP TABLE IF EXISTS " + table_);
  }

  // Loads rows [offset, offset + length) of `values`, between sentinels that must not arrive.
  Report load_rows(const std::vector<Raw>& values, int64_t offset, int64_t length) {
    std::vector<Raw> order;
    for (size_t i = 0; i < values.size(); ++i) order.push_back(raw(static_cast<int64_t>(i) - offset));
    Schema schema;
    DataType int64;
    int64.id = TypeId::kInt64;
    schema.fields = {{"n", int64, false}, {"v", samples().type, true}};
    std::vector<OwnedArray> batches;
    if (length > 0) {
      batches.push_back(build_struct({build_array(int64, order), build_array(samples().type, values)}, offset, length));
    }
    ArrowArrayStream stream = build_stream(schema, std::move(batches));
    LoadRequest request;
    request.target = postgres() ? server() : "sqlite:" + path();
    request.table = table_;
    request.mode = Mode::kReplace;
    request.method = method().method;
    request.tuning.row_format = method().row_format;
    std::filesystem::remove(path());
    return load(request, &stream);
  }

  std::string path() const { return (folder_ / "t.sqlite").string(); }

  Texts read_back() const {
    if (postgres()) return query_postgres("SELECT v::text FROM " + table_ + " ORDER BY n");
    EXPECT_EQ(query_sqlite(path(), "PRAGMA integrity_check"), Texts{"ok"});
    return query_sqlite(path(), "SELECT quote(v) FROM " + table_ + " ORDER BY n");
  }

  // Storable values in a cycle long enough for several spans; every `null_every`-th is NULL.
  void expect_arrives(int64_t rows, int null_every, int64_t offset) {
    std::vector<const SampleValue*> good;
    for (const SampleValue& v : samples().values) {
      if (expected(v) != kRejected && !expected(v).empty()) good.push_back(&v);
      else if (expected(v).empty() && v.raw.empty()) good.push_back(&v);
    }
    std::vector<Raw> values;
    Texts wanted;
    for (int64_t i = 0; i < rows + 2 * offset; ++i) {
      const bool null = good.empty() || (null_every > 0 && i % null_every == 0);
      const SampleValue* v = null ? nullptr : good[static_cast<size_t>(i) % good.size()];
      values.push_back(v == nullptr ? Raw() : Raw(v->raw));
      if (i < offset || i >= offset + rows) continue;
      const std::optional<std::string> null_text = postgres() ? std::nullopt : std::optional<std::string>("NULL");
      wanted.push_back(v == nullptr ? null_text : expected(*v));
    }
    const Report report = load_rows(values, offset, rows);
    ASSERT_TRUE(report.ok()) << report.error->message;
    EXPECT_EQ(report.rows_written, rows);
    EXPECT_EQ(report.method, method().method);
    EXPECT_EQ(read_back(), wanted);
  }

  std::filesystem::path folder_;
  std::string table_;
};

TEST_P(Conformance, NoNull) { expect_arrives(40, 0, 0); }
TEST_P(Conformance, SomeNull) { expect_arrives(40, 3, 0); }
TEST_P(Conformance, AllNull) { expect_arrives(20, 1, 0); }
TEST_P(Conformance, Empty) { expect_arrives(0, 0, 0); }
TEST_P(Conformance, Sliced) { expect_arrives(33, 4, 5); }
TEST_P(Conformance, ManySpans) {
  // Long texts would only cost time here.
  if (samples().name.find("utf8") == std::string::npos) expect_arrives(1000, 7, 0);
  else expect_arrives(300, 7, 0);
}

TEST_P(Conformance, WhatCannotBeStoredIsRejectedWithItsPlace) {
  for (const SampleValue& v : samples().values) {
    if (expected(v) != kRejected) continue;
    const Report report = load_rows({std::nullopt, v.raw, std::nullopt}, 0, 3);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error->code, ErrorCode::kRejectedValue) << report.error->message;
    EXPECT_EQ(report.error->where.row, 2);
    EXPECT_EQ(report.error->where.column, "v");
    EXPECT_FALSE(postgres() ? !query_postgres("SELECT 1 FROM pg_class WHERE relname = '" + table_ + "'").empty()
                            : std::filesystem::exists(path()));
  }
}

std::string case_name(const testing::TestParamInfo<std::tuple<size_t, size_t>>& info) {
  return all_samples()[std::get<0>(info.param)].name + "_" + kMethods[std::get<1>(info.param)].name;
}

INSTANTIATE_TEST_SUITE_P(Types, Conformance,
                         testing::Combine(testing::Range<size_t>(0, all_samples().size()),
                                          testing::Range<size_t>(0, std::size(kMethods))),
                         case_name);

}  // namespace
}  // namespace headrace::test
