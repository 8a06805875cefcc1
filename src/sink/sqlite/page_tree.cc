#include "sink/sqlite/page_tree.h"

#include <cassert>
#include <cstring>
#include <span>
#include <vector>

#include "sink/sqlite/page_format.h"

namespace headrace {

using namespace sqlite_page;

namespace {

// Bytes of a child that is not the rightmost one.
uint32_t cost(const Child& child) {
  return kCellPointerBytes + interior_cell_bytes(child.max_rowid);
}

// Lays an interior page: all children but the last as cells, the last as the rightmost child.
void lay_interior(std::span<const Child> children, uint32_t page_bytes, uint8_t* page) {
  assert(children.size() >= 2);
  const auto cells = static_cast<uint32_t>(children.size() - 1);
  uint32_t content_at = page_bytes;
  for (uint32_t i = 0; i < cells; ++i) content_at -= interior_cell_bytes(children[i].max_rowid);
  put_page_header(page, kTableInterior, cells, content_at);
  store_be32(page + kLeafHeaderBytes, children.back().page);
  uint8_t* pointer = page + kInteriorHeaderBytes;
  uint8_t* cell = page + content_at;
  std::memset(pointer, 0, content_at - kInteriorHeaderBytes);
  for (uint32_t i = 0; i < cells; ++i, pointer += kCellPointerBytes) {
    store_be16(pointer, static_cast<uint16_t>(cell - page));
    cell = put_interior_cell(cell, children[i].page, children[i].max_rowid);
  }
}

class LevelWriter {
 public:
  explicit LevelWriter(const TreePages& pages) : pages_(pages), page_(pages.page_bytes) {}

  // Writes the pages above `children` and lists them in `parents`; the root is not listed.
  Status write(const ChildList& children, ChildList* parents) {
    held_.clear();
    uint32_t used = kInteriorHeaderBytes;
    for (ChildList::Reader reader(children); reader.left() > 0;) {
      const Child child = reader.next();
      // The rightmost child so far becomes a cell when another one follows it.
      if (!held_.empty() && used + cost(held_.back()) > pages_.page_bytes) {
        // The very last child must not stand alone in its page: a neighbour goes with it.
        const size_t count = reader.left() == 0 ? held_.size() - 1 : held_.size();
        HEADRACE_TRY(add_parent(count, parents));
        used = kInteriorHeaderBytes;
      }
      if (!held_.empty()) used += cost(held_.back());
      held_.push_back(child);
    }
    if (parents->size() > 0) return add_parent(held_.size(), parents);
    lay_interior(held_, pages_.page_bytes, page_.data());
    return pages_.write(pages_.root, page_.data());
  }

 private:
  // Writes a page above the first `count` held children.
  Status add_parent(size_t count, ChildList* parents) {
    HEADRACE_ASSIGN(const uint32_t number, pages_.allocate());
    lay_interior({held_.data(), count}, pages_.page_bytes, page_.data());
    [[maybe_unused]] const bool ascending = parents->append(number, held_[count - 1].max_rowid);
    assert(ascending);
    held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(count));
    return pages_.write(number, page_.data());
  }

  const TreePages& pages_;
  std::vector<uint8_t> page_;
  std::vector<Child> held_;  // children of the page being filled
};

}  // namespace

Status write_interior_pages(const ChildList& leaves, const TreePages& pages) {
  assert(leaves.size() >= 2);
  LevelWriter writer(pages);
  ChildList parents;
  HEADRACE_TRY(writer.write(leaves, &parents));
  while (parents.size() > 0) {
    ChildList level = std::move(parents);
    parents = ChildList();
    HEADRACE_TRY(writer.write(level, &parents));
  }
  return {};
}

}  // namespace headrace
