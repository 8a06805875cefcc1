#include "encode/format/sqlite_header.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "encode/cell_sums.h"

namespace headrace {
namespace {

TEST(SqliteHeader, HeaderCountsItself) {
  using sqlite_record::header_bytes;
  EXPECT_EQ(header_bytes(0), 1u);
  EXPECT_EQ(header_bytes(126), 127u);
  EXPECT_EQ(header_bytes(127), 129u);
  EXPECT_EQ(header_bytes(16381), 16383u);
  EXPECT_EQ(header_bytes(16382), 16385u);
}

TEST(SqliteHeader, BlocksOfColumnsAndRows) {
  std::mt19937 random(1);
  for (int columns = 1; columns <= 40; ++columns) {
    for (const int rows : {1, 7, 8, 9, 24, 31}) {
      std::vector<std::vector<uint32_t>> cells(static_cast<size_t>(columns));
      std::vector<const uint32_t*> pointers;
      for (auto& column : cells) {
        for (int i = 0; i < 40; ++i) column.push_back(random() % 128);
        pointers.push_back(column.data());
      }
      std::vector<std::vector<uint8_t>> out(static_cast<size_t>(rows));
      std::vector<uint8_t*> headers;
      for (auto& row : out) {
        row.assign(static_cast<size_t>(columns) + 1, 0xEE);
        headers.push_back(row.data());
      }
      sqlite_record::put_short_serials(pointers.data(), columns, rows, headers.data());
      for (size_t r = 0; r < out.size(); ++r) {
        for (size_t c = 0; c < cells.size(); ++c)
          ASSERT_EQ(out[r][c], cells[c][r]) << columns << " " << rows;
        ASSERT_EQ(out[r].back(), 0xEE);
      }
    }
  }
}

TEST(SqliteHeader, ShortVarints) {
  for (uint32_t v = 0; v < 16384; ++v) {
    uint8_t expected[9], out[9];
    const auto size = sqlite_record::put_varint(expected, v) - expected;
    ASSERT_EQ(sqlite_record::put_short_varint(out, v), out + size);
    ASSERT_TRUE(std::equal(expected, expected + size, out)) << v;
  }
}

TEST(SqliteHeader, VarintsByOneStore) {
  for (int bits = 0; bits < 28; ++bits) {
    for (const uint32_t v : {(1U << bits) - 1, 1U << bits, (1U << bits) + 85}) {
      uint8_t expected[9], out[9];
      const auto size = sqlite_record::put_varint(expected, v) - expected;
      ASSERT_EQ(sqlite_record::put_varint_over(out, v), out + size) << v;
      ASSERT_TRUE(std::equal(expected, expected + size, out)) << v;
    }
  }
}

TEST(CellSums, BodyBytesOfEveryShortSerialType) {
  for (uint32_t first = 0; first < 128; first += 8) {
    alignas(16) uint32_t cells[kMaxSpanRows] = {}, sums[kMaxSpanRows] = {};
    for (uint32_t i = 0; i < 8; ++i) cells[i] = first + i;
    const uint32_t least = add_cells(cells, 8, sums, short_body_bytes);
    uint32_t expected = 1000;
    for (uint32_t i = 0; i < 8; ++i) {
      ASSERT_EQ(sums[i], sqlite_record::body_bytes(first + i)) << first + i;
      expected = std::min(expected, sums[i]);
    }
    EXPECT_EQ(least, expected);
  }
}

TEST(CellSums, SumsAndLeast) {
  std::mt19937 random(5);
  alignas(16) uint32_t cells[kMaxSpanRows] = {}, sums[kMaxSpanRows] = {};
  std::vector<uint32_t> expected(kMaxSpanRows);
  for (int column = 0; column < 1000; ++column) {
    uint32_t least = 32767, bits = 0;
    for (int i = 0; i < kMaxSpanRows; ++i) {
      cells[i] = random() % 32768;
      expected[static_cast<size_t>(i)] += cells[i];
      least = std::min(least, cells[i]);
      bits |= cells[i];
    }
    ASSERT_EQ(bits_of_cells(cells, kMaxSpanRows), bits);
    ASSERT_EQ(add_cells(cells, kMaxSpanRows, sums, [](__m128i v) { return v; }), least);
  }
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), sums));
}

}  // namespace
}  // namespace headrace
