#include "sink/sqlite/leaf_layout.h"

#include <gtest/gtest.h>

#include <string>

#include "sink/sqlite/page_format.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

using sqlite_test::Blocks;
using sqlite_test::Rows;

constexpr uint64_t kMaxPayload = 1'000'000'000;

Rows mixed_rows() {
  Rows rows = sqlite_test::sample_rows(40);
  for (const size_t bytes : {400u, 470u, 480u, 500u, 1000u, 5000u, 60u, 1u, 3000u}) {
    rows.push_back({int64_t{1}, std::string(bytes, 'b'), sqlite_test::kNull});
    rows.push_back({int64_t{2}, std::string("x"), sqlite_test::kNull});
  }
  return rows;
}

std::string composed(const RowBlock& block, const LeafLayout& layout, PageRange range,
                     size_t limit) {
  PageComposer composer(block, layout, range);
  std::string all;
  Buffer piece;
  while (!composer.done()) {
    piece.clear();
    composer.compose(&piece, limit);
    all += piece.view();
  }
  return all;
}

TEST(LeafLayout, NoRowsNoPages) {
  RowBlock block;
  LeafLayout layout(4096, kMaxPayload);
  ASSERT_TRUE(layout.plan(block).ok());
  EXPECT_EQ(layout.page_count(), 0u);
  EXPECT_TRUE(PageComposer(block, layout, PageRange{2, 100}).done());
}

TEST(LeafLayout, LeavesAreFullAndChainsComeBeforeTheirLeaf) {
  const Blocks blocks = sqlite_test::make_blocks(mixed_rows(), 1 << 30);
  LeafLayout layout(512, kMaxPayload);
  ASSERT_TRUE(layout.plan(*blocks[0]).ok());
  uint32_t row = 0, page = 0;
  for (const Leaf& leaf : layout.leaves()) {
    EXPECT_EQ(leaf.first_row, row);
    EXPECT_GT(leaf.end_row, leaf.first_row);
    EXPECT_EQ(leaf.page, page + leaf.chain_pages);
    EXPECT_EQ(leaf.max_rowid, leaf.end_row);
    const uint32_t used = 8 + 2 * (leaf.end_row - leaf.first_row) + leaf.content_bytes;
    EXPECT_LE(used, 512u);
    row = leaf.end_row;
    page = leaf.page + 1;
  }
  EXPECT_EQ(row, blocks[0]->row_starts.size());
  EXPECT_EQ(page, layout.page_count());
}

TEST(LeafLayout, PiecesAndOpenLinksGiveTheSamePages) {
  const Blocks blocks = sqlite_test::make_blocks(mixed_rows(), 1 << 30);
  for (const uint32_t page_bytes : {512u, 1024u, 65536u}) {
    LeafLayout layout(page_bytes, kMaxPayload);
    ASSERT_TRUE(layout.plan(*blocks[0]).ok());
    const PageRange range{20, 25};  // the lock page is in the middle
    const std::string whole = composed(*blocks[0], layout, range, SIZE_MAX);
    EXPECT_EQ(whole.size(), layout.page_count() * page_bytes);
    EXPECT_EQ(composed(*blocks[0], layout, range, 1), whole);
    EXPECT_EQ(composed(*blocks[0], layout, range, 3 * page_bytes), whole);

    PageComposer composer(*blocks[0], layout, PageRange{});
    Buffer pages;
    composer.compose(&pages, SIZE_MAX);
    EXPECT_TRUE(composer.done());
    set_links(composer.take_links(), range, pages.data());
    EXPECT_EQ(pages.view(), whole);
  }
}

TEST(LeafLayout, GapsAndTailsAreZero) {
  Rows rows = {{std::string(300, 'a')}, {std::string(300, 'b')}, {std::string(600, 'c')}};
  const Blocks blocks = sqlite_test::make_blocks(rows, 1 << 30);
  LeafLayout layout(512, kMaxPayload);
  ASSERT_TRUE(layout.plan(*blocks[0]).ok());
  ASSERT_EQ(layout.page_count(), 3u);  // a | chain of c | b and c
  // The buffer held other bytes before.
  Buffer pages;
  std::memset(pages.extend(3 * 512), 0xAA, 3 * 512);
  pages.clear();
  PageComposer(*blocks[0], layout, PageRange{2, 1000}).compose(&pages, SIZE_MAX);
  ASSERT_EQ(pages.size(), 3u * 512);
  EXPECT_EQ(std::count(pages.data(), pages.data() + pages.size(), 0xAA), 0);
}

TEST(LeafLayout, RefusesARowThatSqliteCannotRead) {
  Rows rows = {{std::string(10, 'a')}, {std::string(6000, 'b')}};
  const Blocks blocks = sqlite_test::make_blocks(rows, 1 << 30);
  LeafLayout layout(4096, 5000);
  const Status status = layout.plan(*blocks[0]);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejectedValue);
  EXPECT_EQ(status.error().where.row, 2);
}

TEST(PageRange, LeavesTheLockPageOut) {
  const PageRange before{10, 13};
  EXPECT_EQ(before.number(0), 10u);
  EXPECT_EQ(before.number(2), 12u);
  EXPECT_EQ(before.number(3), 14u);
  const PageRange after{14, 13};
  EXPECT_EQ(after.number(0), 14u);
}

}  // namespace
}  // namespace headrace
