#include "encode/format/table_sums.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "../../sink/sqlite/sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_test;

TableSums sums_of(const Rows& rows, std::vector<SumRule> rules) {
  TableSums sums(std::move(rules));
  for (const auto& block : make_blocks(rows)) EXPECT_TRUE(sums.add_sqlite_cells(*block));
  return sums;
}

TableSums sums_of(const Rows& rows) {
  return sums_of(rows, std::vector<SumRule>(rows[0].size(), SumRule::kValue));
}

TEST(TableSums, TheOrderOfRowsDoesNotMatter) {
  Rows rows = sample_rows(500);
  const TableSums before = sums_of(rows);
  std::shuffle(rows.begin(), rows.end(), std::minstd_rand(1));
  EXPECT_TRUE(sums_of(rows).same_as(before));
  EXPECT_EQ(before.rows(), 500);
  EXPECT_EQ(difference(sums_of(rows), before, {"a", "b", "c"}), "");
}

// Each change of one value of one row shows, and names its column.
TEST(TableSums, EveryChangeShows) {
  const Rows rows = {{int64_t{1}, std::string("a"), 0.5}, {int64_t{2}, std::string("b"), kNull}};
  const TableSums before = sums_of(rows);
  const std::vector<Value> others[] = {
      {int64_t{0}, int64_t{-1}, int64_t{257}, 1.5, std::string("1"), blob("1")},
      {std::string(""), std::string("A"), blob("a"), std::string("a\0", 2), std::string("aa")},
      {-0.5, 0.5000000000000001, int64_t{0}, std::string("0.5")}};
  for (size_t column = 0; column < 3; ++column) {
    for (const Value& other : others[column]) {
      Rows changed = rows;
      changed[0][column] = other;
      const TableSums after = sums_of(changed);
      EXPECT_FALSE(after.same_as(before));
      EXPECT_EQ(difference(after, before, {"x", "y", "z"}),
                std::string("column ") + "xyz"[column] + ": other values");
    }
    Rows changed = rows;
    changed[0][column] = kNull;
    EXPECT_NE(difference(sums_of(changed), before, {"x", "y", "z"}).find("NULLs instead of"),
              std::string::npos);
  }
}

TEST(TableSums, ValuesBesideOtherRowsShow) {
  const Rows rows = {{int64_t{1}, std::string("a")}, {int64_t{2}, std::string("b")}};
  const Rows mixed = {{int64_t{1}, std::string("b")}, {int64_t{2}, std::string("a")}};
  EXPECT_TRUE(sums_of(mixed).columns() == sums_of(rows).columns());
  EXPECT_NE(difference(sums_of(mixed), sums_of(rows), {"x", "y"}).find("beside"), std::string::npos);
  const Rows swapped = {{int64_t{1}, int64_t{2}}}, there = {{int64_t{2}, int64_t{1}}};
  EXPECT_FALSE(sums_of(swapped).same_as(sums_of(there)));
}

TEST(TableSums, OtherNumbersOfRowsShowFirst) {
  const Rows rows = sample_rows(30);
  const Rows fewer(rows.begin(), rows.end() - 1);
  EXPECT_EQ(difference(sums_of(fewer), sums_of(rows), {"a", "b", "c"}).find("29 rows instead of 30"), 0u);
  const Rows twice = {rows[0], rows[0]}, other = {rows[0], rows[1]};
  EXPECT_FALSE(sums_of(twice).same_as(sums_of(other)));
}

TEST(TableSums, PartsAddUp) {
  const Rows rows = sample_rows(100);
  TableSums sum = sums_of(Rows(rows.begin(), rows.begin() + 40));
  sum.add(sums_of(Rows(rows.begin() + 40, rows.end())));
  EXPECT_TRUE(sum.same_as(sums_of(rows)));
  sum.subtract(sums_of(Rows(rows.begin(), rows.begin() + 40)));
  EXPECT_TRUE(sum.same_as(sums_of(Rows(rows.begin() + 40, rows.end()))));
}

// What column affinity does to numbers is no difference.
TEST(TableSums, NumbersAreTheSameInEveryForm) {
  const auto one = [](Value value, SumRule rule) { return sums_of({{std::move(value)}}, {rule}); };
  for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{-7}, int64_t{1} << 53, int64_t{-1} << 62}) {
    EXPECT_TRUE(one(n, SumRule::kValue).same_as(one(static_cast<double>(n), SumRule::kValue)));
    EXPECT_TRUE(one(n, SumRule::kNumbersAsText)
                    .same_as(one(std::to_string(n), SumRule::kNumbersAsText)));
  }
  EXPECT_FALSE(one(INT64_MAX, SumRule::kValue).same_as(one(9223372036854775808.0, SumRule::kValue)));
  EXPECT_FALSE(one(int64_t{7}, SumRule::kValue).same_as(one(std::string("7"), SumRule::kValue)));
}

TEST(TableSums, HashesOfAllLengthsDiffer) {
  std::set<uint64_t> seen;
  for (size_t length = 0; length < 70; ++length) {
    for (const char fill : {'\0', 'a', '\xFF'}) {
      TableSums sums({SumRule::kValue});
      const std::string text(length, fill);
      sums.add_bytes(0, text.data(), text.size(), true);
      sums.end_row();
      seen.insert(sums.columns()[0].sum);
    }
  }
  EXPECT_EQ(seen.size(), 70u * 3 - 2);  // no bytes are the same whatever fills them
}

TEST(TableSums, PostgresTuples) {
  const std::string tuple("\0\2\0\0\0\2ab\xFF\xFF\xFF\xFF", 12);
  const auto* bytes = reinterpret_cast<const uint8_t*>(tuple.data());
  TableSums sums({SumRule::kValue, SumRule::kNullsOnly});
  EXPECT_TRUE(sums.add_pg_tuples(bytes, tuple.size()));
  EXPECT_EQ(sums.rows(), 1);
  EXPECT_EQ(sums.columns()[0].values, 1);
  EXPECT_EQ(sums.columns()[1].values, 0);
  for (size_t cut = 1; cut < tuple.size(); ++cut) EXPECT_FALSE(sums.add_pg_tuples(bytes, cut)) << cut;
}

}  // namespace
}  // namespace headrace
