#include "sink/postgres/insert_batch.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/endian.h"

namespace headrace {
namespace {

using Cell = std::optional<std::string>;

void add_row(RowBlock* block, const std::vector<Cell>& cells) {
  block->row_starts.push_back(static_cast<uint32_t>(block->bytes.size()));
  store_be16(block->bytes.extend(2), static_cast<uint16_t>(cells.size()));
  for (const Cell& cell : cells) {
    store_be32(block->bytes.extend(4), cell ? static_cast<uint32_t>(cell->size()) : 0xFFFFFFFF);
    if (cell) block->bytes.append(cell->data(), cell->size());
  }
  ++block->row_count;
}

RowBlock block_of(int64_t rows, int64_t partition = 0, int64_t partition_row = 0) {
  RowBlock block;
  block.partition = partition;
  block.partition_row = partition_row;
  for (int64_t i = 0; i < rows; ++i) add_row(&block, {std::string("ab"), std::string("c")});
  return block;
}

InsertShape shape(InsertForm form, size_t columns = 2) {
  InsertShape s;
  s.form = form;
  for (size_t i = 0; i < columns; ++i) {
    s.types.push_back(static_cast<uint32_t>(25 + i));
    s.array_types.push_back(static_cast<uint32_t>(1009 + i));
  }
  return s;
}

std::string value(const InsertParameters& p, int i) {
  return std::string(p.values[i], static_cast<size_t>(p.lengths[i]));
}

std::string be32(std::initializer_list<uint32_t> numbers) {
  std::string bytes;
  for (const uint32_t n : numbers) {
    char four[4];
    store_be32(reinterpret_cast<uint8_t*>(four), n);
    bytes.append(four, 4);
  }
  return bytes;
}

TEST(InsertBatch, OneArrayAColumn) {
  const InsertShape s = shape(InsertForm::kArrays);
  InsertBatch batch(s, 10);
  EXPECT_TRUE(batch.empty());
  RowBlock block;
  add_row(&block, {std::string("abc"), std::string("")});
  add_row(&block, {std::string("d"), std::nullopt});
  EXPECT_EQ(batch.take(block, 0), 2);
  const InsertParameters p = batch.parameters();
  ASSERT_EQ(p.count, 2);
  EXPECT_EQ(p.types[0], 1009u);
  EXPECT_EQ(p.types[1], 1010u);
  EXPECT_EQ(p.formats[0], 1);
  EXPECT_EQ(value(p, 0), be32({1, 0, 25, 2, 1, 3}) + "abc" + be32({1}) + "d");
  EXPECT_EQ(value(p, 1), be32({1, 1, 26, 2, 1, 0, 0xFFFFFFFF}));
}

TEST(InsertBatch, ItCanBeUsedAgain) {
  const InsertShape s = shape(InsertForm::kArrays);
  InsertBatch batch(s, 1);
  RowBlock block;
  add_row(&block, {std::nullopt, std::nullopt});
  add_row(&block, {std::string("x"), std::string("y")});
  EXPECT_EQ(batch.take(block, 0), 1);
  EXPECT_TRUE(batch.full());
  EXPECT_EQ(batch.take(block, 1), 1) << "a full batch takes nothing";
  EXPECT_EQ(value(batch.parameters(), 0), be32({1, 1, 25, 1, 1, 0xFFFFFFFF}));
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0);
  EXPECT_EQ(batch.take(block, 1), 2);
  EXPECT_EQ(value(batch.parameters(), 0), be32({1, 0, 25, 1, 1, 1}) + "x");
  ASSERT_EQ(batch.ranges().size(), 1u);
  EXPECT_EQ(batch.ranges()[0].first, 1);
}

TEST(InsertBatch, OneParameterAValue) {
  const InsertShape s = shape(InsertForm::kValues);
  InsertBatch batch(s, 10);
  RowBlock block;
  add_row(&block, {std::string("abc"), std::nullopt});
  add_row(&block, {std::string(""), std::string("d")});
  EXPECT_EQ(batch.take(block, 0), 2);
  const InsertParameters p = batch.parameters();
  ASSERT_EQ(p.count, 4);
  EXPECT_EQ(value(p, 0), "abc");
  EXPECT_EQ(p.values[1], nullptr);
  ASSERT_NE(p.values[2], nullptr) << "an empty text is not NULL";
  EXPECT_EQ(p.lengths[2], 0);
  EXPECT_EQ(value(p, 3), "d");
  EXPECT_EQ(p.types[2], 25u);
  EXPECT_EQ(p.types[3], 26u);
}

TEST(InsertBatch, ParametersAreLimitedByTheProtocol) {
  const InsertShape s = shape(InsertForm::kValues);
  InsertBatch batch(s, 1000000);
  const RowBlock block = block_of(40000);
  EXPECT_EQ(batch.take(block, 0), kMaxParameters / 2);
  EXPECT_TRUE(batch.full());
  EXPECT_EQ(batch.parameters().count, 65534);
}

TEST(InsertBatch, WideRowsEndABatch) {
  const InsertShape s = shape(InsertForm::kArrays);
  InsertBatch batch(s, 1000000);
  RowBlock block;
  for (int i = 0; i < 3; ++i)
    add_row(&block, {std::string(kMaxBatchBytes - 100, 'x'), std::nullopt});
  EXPECT_EQ(batch.take(block, 0), 2) << "it ends with the row that goes over the limit";
  EXPECT_TRUE(batch.full());
}

TEST(InsertBatch, RangesOfRows) {
  const InsertShape s = shape(InsertForm::kArrays);
  InsertBatch batch(s, 100000);
  batch.take(block_of(4000, 0, 5000), 0);
  batch.take(block_of(1000, 0, 9000), 0);
  EXPECT_EQ(range_text(batch.ranges()), "rows 5,001 to 10,000 (partition 0)");
  batch.take(block_of(7, 3, 0), 0);
  batch.take(block_of(10, 3, 1234566), 9);
  EXPECT_EQ(range_text(batch.ranges()),
            "rows 5,001 to 10,000 (partition 0) and rows 1 to 7 (partition 3) and row 1,234,576 "
            "(partition 3)");
}

TEST(InsertSql, Statements) {
  ColumnPlan a, b;
  a.target = "a";
  b.target = "b \"x\"";
  EXPECT_EQ(insert_sql("s.t", {a, b}, InsertForm::kArrays, false, 7),
            R"(INSERT INTO s.t ("a", "b ""x""") SELECT * FROM unnest($1, $2))");
  EXPECT_EQ(
      insert_sql("s.t", {a}, InsertForm::kArrays, true, 7, "ON CONFLICT DO NOTHING"),
      R"(INSERT INTO s.t ("a") OVERRIDING SYSTEM VALUE SELECT * FROM pg_catalog.unnest($1) ON CONFLICT DO NOTHING)");
  EXPECT_EQ(insert_sql("s.t", {a, b}, InsertForm::kValues, false, 2),
            R"(INSERT INTO s.t ("a", "b ""x""") VALUES ($1, $2), ($3, $4))");
}

}  // namespace
}  // namespace headrace
