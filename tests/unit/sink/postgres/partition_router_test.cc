#include "sink/postgres/partition_router.h"

#include <gtest/gtest.h>

#include "base/endian.h"
#include "sink/postgres/new_partition.h"
#include "sink/postgres/partition_tree.h"

namespace headrace {
namespace {

using Words = std::vector<std::string>;

TEST(BoundWords, TellsStringsFromWords) {
  EXPECT_EQ(bound_words("FOR VALUES IN ('it''s', NULL, 5)"),
            (Words{"FOR", "VALUES", "IN", "(", "=it's", ",", "NULL", ",", "5", ")"}));
  EXPECT_EQ(bound_words("FROM (MINVALUE) TO ('a, b)')"),
            (Words{"FROM", "(", "MINVALUE", ")", "TO", "(", "=a, b)", ")"}));
  EXPECT_EQ(bound_words("IN ('open"), Words());
  EXPECT_EQ(bound_words("IN (a::b)"), Words());
}

PartitionNode root(PartitionBy by, std::vector<PartitionKey> keys) {
  PartitionNode node;
  node.schema = "s";
  node.table = "t";
  node.by = by;
  node.keys = std::move(keys);
  return node;
}

PartitionNode child(Words from, Words to = {}) {
  PartitionNode node;
  node.parent = 0;
  node.from = std::move(from);
  node.to = std::move(to);
  return node;
}

const PartitionKey kNumber = {"n", "integer", "int4", KeyForm::kSigned};
const PartitionKey kText = {"k", "text", "text", KeyForm::kBytes};

std::vector<ColumnPlan> columns() {
  ColumnPlan k, n;
  k.target = "k";
  n.target = "n";
  return {k, n};
}

// A tuple (k text, n integer) of COPY BINARY; nullptr and no number are NULL.
std::string row(const char* k, std::optional<int32_t> n) {
  std::string bytes(2, '\0');
  const auto field = [&](const void* data, size_t size, bool is_null) {
    uint8_t length[4];
    store_be32(length, is_null ? 0xFFFFFFFF : static_cast<uint32_t>(size));
    bytes.append(reinterpret_cast<const char*>(length), 4);
    if (!is_null) bytes.append(static_cast<const char*>(data), size);
  };
  field(k, k == nullptr ? 0 : std::string_view(k).size(), k == nullptr);
  uint8_t number[4];
  store_be32(number, static_cast<uint32_t>(n.value_or(0)));
  field(number, 4, !n);
  return bytes;
}

int32_t route(PartitionRouter& router, const std::string& bytes) {
  return router.route_row(reinterpret_cast<const uint8_t*>(bytes.data()));
}

TEST(PartitionRouter, ListsOfText) {
  PartitionRouter router({root(PartitionBy::kList, {kText}), child({"=61"}), child({"=", "null"})},
                         columns());
  EXPECT_EQ(route(router, row("a", 1)), 1);
  EXPECT_EQ(route(router, row("", 1)), 2);
  EXPECT_EQ(route(router, row(nullptr, 1)), 2);
  EXPECT_EQ(route(router, row("ab", 1)), PartitionRouter::kNoChild);
  PartitionNode more = child({"=6162"});
  router.add_child(more, 3);
  EXPECT_EQ(route(router, row("ab", 1)), 3);
}

TEST(PartitionRouter, RangesOfNegativeAndPositiveNumbers) {
  PartitionRouter router({root(PartitionBy::kRange, {kNumber}), child({"=00000005"}, {"=0000000a"}),
                          child({"min"}, {"=ffffffff"}), child({"=0000000a"}, {"max"})},
                         columns());
  EXPECT_EQ(route(router, row("x", -2)), 2);
  EXPECT_EQ(route(router, row("x", -1)), PartitionRouter::kNoChild);
  EXPECT_EQ(route(router, row("x", 4)), PartitionRouter::kNoChild);
  EXPECT_EQ(route(router, row("x", 5)), 1);
  EXPECT_EQ(route(router, row("x", 9)), 1);
  EXPECT_EQ(route(router, row("x", 10)), 3);
  EXPECT_EQ(route(router, row("x", INT32_MAX)), 3);
  EXPECT_EQ(route(router, row("x", std::nullopt)), PartitionRouter::kNoChild);
  router.add_child(child({"=ffffffff"}, {"=00000005"}), 4);
  EXPECT_EQ(route(router, row("x", -1)), 4);
  EXPECT_EQ(route(router, row("x", 4)), 4);
  EXPECT_EQ(route(router, row("x", 5)), 1);
}

TEST(PartitionRouter, RangesOfTwoColumnsAndDefault) {
  PartitionNode other = child({});
  other.is_default = true;
  PartitionRouter router({root(PartitionBy::kRange, {kNumber, kText}),
                          child({"=00000001", "=62"}, {"=00000002", "min"}), other},
                         columns());
  EXPECT_EQ(route(router, row("a", 1)), 2);
  EXPECT_EQ(route(router, row("b", 1)), 1);
  EXPECT_EQ(route(router, row("zzz", 1)), 1);
  EXPECT_EQ(route(router, row("", 2)), 2);
  EXPECT_EQ(route(router, row(nullptr, 1)), 2);
}

TEST(NewPartition, TakesTheFreePartOfItsRange) {
  Plan plan;
  plan.create_partitions = "100";
  const std::vector<PartitionNode> nodes = {root(PartitionBy::kRange, {kNumber}),
                                            child({"=ffffff9c"}, {"=fffffff6"})};  // -100 to -10
  const std::string bytes("\xff\xff\xff\xfb", 4);  // -5
  auto made = new_partition(nodes, 0, {bytes}, plan);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->bound, "FOR VALUES FROM ('-10') TO ('0')");
  EXPECT_EQ(made->table, "t_m10");
  plan.create_partitions = "";
  auto refused = new_partition(nodes, 0, {bytes}, plan);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "no partition of s.t takes n = -5");
}

}  // namespace
}  // namespace headrace
