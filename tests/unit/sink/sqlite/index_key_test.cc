// Keys must be in the order in which SQLite has the values, and give them back.
#include "sink/sqlite/index_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "sink/sqlite/key_merge.h"
#include "sink/sqlite/page_format.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

std::string key_of(const Row& row, int64_t rowid, const std::vector<int>& columns) {
  const std::string cell = make_cell(rowid, row);
  IndexKeyMaker maker(columns, false);
  KeyRun run;
  maker.add(reinterpret_cast<const uint8_t*>(cell.data()), rowid - 1, &run);
  const uint8_t* key = run.items()[0].key;
  return {reinterpret_cast<const char*>(key_data(key)), key_length(key)};
}

std::vector<Value> odd_values() {
  std::vector<Value> values{kNull, std::string(), std::string("\0", 1), std::string("\0\0", 2),
                            std::string("a"), std::string("a\0", 2), std::string("a\0b", 3),
                            std::string("a\x01"), std::string("ab"), std::string("\xC3\xA4"),
                            blob(""), blob(std::string("\0", 1)), blob("\xFF\xFF"), blob("a")};
  for (const int64_t v : {0LL, 1LL, 2LL, 127LL, 128LL, 255LL, 256LL, 65535LL, 65536LL, 1LL << 40,
                          (1LL << 53) - 1, 1LL << 53, (1LL << 53) + 1, (1LL << 62) + 1}) {
    values.push_back(v);
    values.push_back(-v);
  }
  values.push_back(INT64_MAX);
  values.push_back(INT64_MIN);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double v : {0.25, 0.5, 1.5, 255.5, 256.25, 1e-300, 5e-324, 4503599627370495.5, 1e19, 2e19,
                         1e300, infinity}) {
    values.push_back(v);
    values.push_back(-v);
  }
  return values;
}

// SQLite's own order is the judge.
TEST(IndexKey, OrdersAsSqliteDoes) {
  const TempFolder folder(true);
  Db db(folder.file("a.sqlite"));
  db.run("CREATE TABLE t (a, b)");
  const std::vector<Value> values = odd_values();
  std::vector<std::pair<std::string, int64_t>> keys;
  int64_t rowid = 0;
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db.get(), "INSERT INTO t VALUES (?, ?)", -1, &insert, nullptr);
  const auto bind = [&](int at, const Value& v) {
    if (v.kind == Value::kNull) sqlite3_bind_null(insert, at);
    if (v.kind == Value::kInteger) sqlite3_bind_int64(insert, at, v.integer);
    if (v.kind == Value::kReal) sqlite3_bind_double(insert, at, v.real);
    const int bytes = static_cast<int>(v.bytes.size());
    if (v.kind == Value::kText) sqlite3_bind_text(insert, at, v.bytes.data(), bytes, SQLITE_STATIC);
    if (v.kind == Value::kBlob) sqlite3_bind_blob(insert, at, v.bytes.data(), bytes, SQLITE_STATIC);
  };
  db.run("BEGIN");
  for (const Value& a : values) {
    for (const Value& b : values) {
      bind(1, a);
      bind(2, b);
      ASSERT_EQ(sqlite3_step(insert), SQLITE_DONE);
      sqlite3_reset(insert);
      ++rowid;
      keys.emplace_back(key_of({a, b}, rowid, {0, 1}), rowid);
    }
  }
  sqlite3_finalize(insert);
  db.run("COMMIT");
  std::sort(keys.begin(), keys.end());  // std::string compares as memcmp does
  const Rows sorted = db.rows("SELECT rowid FROM t ORDER BY a, b, rowid");
  ASSERT_EQ(sorted.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(sorted[i][0].integer, keys[i].second) << i;
  for (size_t i = 1; i < keys.size(); ++i) {
    EXPECT_FALSE(keys[i].first.starts_with(keys[i - 1].first)) << i;
  }
}

// The record is what a cell of these columns and the rowid has; whole reals come as integers.
TEST(IndexKey, GivesTheRecordBack) {
  int64_t rowid = -3;
  for (const Value& value : odd_values()) {
    const std::string key = key_of({kNull, value}, ++rowid, {1, 0});
    IndexKeyReader reader(2, false);
    reader.read(reinterpret_cast<const uint8_t*>(key.data()), key.size());
    const std::string cell = make_cell(1, {value, kNull, rowid});
    const std::string_view record = std::string_view(cell).substr(
        sqlite_page::read_cell_head(reinterpret_cast<const uint8_t*>(cell.data())).head_bytes);
    const bool whole = value.kind == Value::kReal && std::trunc(value.real) == value.real;
    if (!whole) EXPECT_EQ(reader.record().view(), record) << rowid;
    EXPECT_TRUE(reader.has_null());
    EXPECT_EQ(reader.row_number(), rowid - 1);
    EXPECT_EQ(reader.ends().size(), 2u);
  }
}

TEST(KeyRuns, SortsSpillsAndMerges) {
  const TempFolder folder(true);
  std::mt19937_64 random(5);
  for (const size_t run_bytes : {size_t{1}, size_t{3} << 20, size_t{1} << 30}) {
    SpillFile spill(folder.file("a"));
    KeyRuns runs(&spill, run_bytes);
    std::vector<std::string> wanted;
    for (int thread = 0; thread < 3; ++thread) {
      KeyRun run;
      for (int i = 0; i < 20000; ++i) {
        // Long common beginnings now and then.
        std::string key(random() % 8 == 0 ? random() % 300 : random() % 3, 'x');
        key += std::to_string(random());
        key += '\n';  // no key begins another
        std::memcpy(run.reserve(key.size() + 50), key.data(), key.size());
        run.add(run.reserve(key.size() + 50) + key.size());
        wanted.push_back(std::move(key));
        if (i % 5000 == 0 && runs.is_full(run)) ASSERT_TRUE(runs.spill(&run).ok());
      }
      runs.keep(std::move(run));
    }
    std::sort(wanted.begin(), wanted.end());
    ASSERT_EQ(runs.count(), wanted.size());
    KeyMerge merge(runs, 1 << 20);
    for (const std::string& key : wanted) {
      const uint8_t* next = merge.next().value();
      ASSERT_NE(next, nullptr);
      ASSERT_EQ(std::string(reinterpret_cast<const char*>(key_data(next)), key_length(next)), key);
    }
    EXPECT_EQ(merge.next().value(), nullptr);
    if (!runs.spilled().empty()) continue;
    for (uint64_t rank = 0; rank <= wanted.size(); rank += 7919) {
      const std::vector<size_t> at = runs.positions(rank);
      uint64_t total = 0;
      for (const size_t position : at) total += position;
      EXPECT_EQ(total, rank);
      KeyMerge rest(runs, at, runs.positions(wanted.size()));
      const uint8_t* next = rest.next().value();
      if (rank < wanted.size()) {
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(key_data(next)), key_length(next)),
                  wanted[rank]);
      }
    }
  }
}

}  // namespace
}  // namespace headrace
