#include "sink/sqlite/page_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

using namespace sqlite_page;

constexpr uint32_t kRoot = 2;

// A tree as written: interior pages by number.
struct Tree {
  std::map<uint32_t, std::vector<uint8_t>> pages;
  uint32_t next = 0;
};

Tree build(uint64_t leaf_count, uint32_t page_bytes, int64_t rowid_step) {
  Tree tree;
  ChildList leaves;
  uint32_t page = kRoot;
  int64_t rowid = 0;
  for (uint64_t i = 0; i < leaf_count; ++i) leaves.append(++page, rowid += rowid_step);
  tree.next = page + 1;
  TreePages target;
  target.page_bytes = page_bytes;
  target.root = kRoot;
  target.allocate = [&]() -> Result<uint32_t> { return tree.next++; };
  target.write = [&](uint32_t number, const uint8_t* bytes) -> Status {
    tree.pages[number].assign(bytes, bytes + page_bytes);
    return {};
  };
  EXPECT_TRUE(write_interior_pages(leaves, target).ok());
  return tree;
}

// Walks down from `number`; checks keys and cells; gives the leaves in order and their depth.
void walk(const Tree& tree, uint32_t number, int depth, int64_t upto, std::vector<uint32_t>* leaves,
          std::set<int>* depths, int64_t rowid_step) {
  const auto found = tree.pages.find(number);
  if (found == tree.pages.end()) {
    leaves->push_back(number);
    depths->insert(depth);
    EXPECT_EQ(static_cast<int64_t>(leaves->size()) * rowid_step, upto);
    return;
  }
  const uint8_t* page = found->second.data();
  ASSERT_EQ(page[0], kTableInterior);
  const uint32_t cells = load_be16(page + 3);
  ASSERT_GE(cells, 1u);
  uint32_t lowest = static_cast<uint32_t>(found->second.size());
  for (uint32_t i = 0; i < cells; ++i) {
    const uint32_t at = load_be16(page + kInteriorHeaderBytes + 2 * i);
    lowest = std::min(lowest, at);
    uint64_t rowid;
    sqlite_record::get_varint(page + at + 4, &rowid);
    walk(tree, load_be32(page + at), depth + 1, static_cast<int64_t>(rowid), leaves, depths,
         rowid_step);
  }
  EXPECT_EQ(load_be16(page + 5), lowest);
  EXPECT_LE(kInteriorHeaderBytes + 2 * cells, lowest);
  walk(tree, load_be32(page + 8), depth + 1, upto, leaves, depths, rowid_step);
}

TEST(PageTree, EveryShapeIsATree) {
  for (const int64_t step : {int64_t{1}, int64_t{1} << 40}) {
    for (uint64_t count = 2; count < 8000; count += count < 400 ? 1 : 97) {
      const Tree tree = build(count, 512, step);
      std::vector<uint32_t> leaves;
      std::set<int> depths;
      walk(tree, kRoot, 0, static_cast<int64_t>(count) * step, &leaves, &depths, step);
      ASSERT_EQ(leaves.size(), count);
      for (uint64_t i = 0; i < count; ++i) ASSERT_EQ(leaves[i], kRoot + 1 + i);
      ASSERT_EQ(depths.size(), 1u) << count;
      // No page is lost: the root and all that were allocated.
      ASSERT_EQ(tree.pages.size(), 1 + tree.next - (kRoot + 1 + count));
    }
  }
}

TEST(PageTree, TwoLeavesMakeARootOfOneCell) {
  const Tree tree = build(2, 4096, 10);
  ASSERT_EQ(tree.pages.size(), 1u);
  EXPECT_EQ(load_be16(tree.pages.at(kRoot).data() + 3), 1);
}

}  // namespace
}  // namespace headrace
