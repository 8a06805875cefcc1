#include "sink/sqlite/index_tree.h"

#include <cassert>
#include <cstring>
#include <utility>
#include <vector>

#include "sink/sqlite/page_format.h"

namespace headrace {

using namespace sqlite_page;

namespace {

struct Item {
  uint32_t page = 0;
  std::vector<uint8_t> separator;  // empty: the last page of its level

  uint32_t cost() const {
    return kCellPointerBytes + kPageNumberBytes + static_cast<uint32_t>(separator.size());
  }
};

Result<Item> read_item(Spool::Reader* reader) {
  HEADRACE_ASSIGN(const uint8_t* head, reader->next(8));
  Item item;
  uint32_t bytes;
  std::memcpy(&item.page, head, 4);
  std::memcpy(&bytes, head + 4, 4);
  if (bytes > 0) {
    HEADRACE_ASSIGN(const uint8_t* separator, reader->next(bytes));
    item.separator.assign(separator, separator + bytes);
  }
  return item;
}

// Writes the pages above one level.
class LevelWriter {
 public:
  LevelWriter(const TreePages& pages, IndexLevel* parents)
      : pages_(pages), parents_(parents), page_(pages.page_bytes) {}

  Status write(const IndexLevel& children) {
    Spool::Reader reader(children.spool);
    for (uint64_t i = 0; i < children.pages; ++i) {
      HEADRACE_ASSIGN(Item item, read_item(&reader));
      HEADRACE_TRY(add(std::move(item), children.pages - 1 - i));
    }
    return {};
  }

 private:
  // The cells of a page are children with their separators; the page's rightmost child has none in
  // it: that goes up. `left`: how many children follow.
  Status add(Item item, uint64_t left) {
    if (left == 0) return finish(item);
    if (used_ + item.cost() <= pages_.page_bytes) {
      used_ += item.cost();
      cells_.push_back(std::move(item));
      return {};
    }
    if (left > 1) return write_page(item, item.separator);
    // The very last child must not stand alone in its page: this one goes with it, and the one
    // before becomes the rightmost child of the full page.
    const Item before = std::move(cells_.back());
    cells_.pop_back();
    HEADRACE_TRY(write_page(before, before.separator));
    used_ += item.cost();
    cells_.push_back(std::move(item));
    return {};
  }

  Status finish(const Item& last) {
    if (parents_->pages > 0) return write_page(last, {});
    lay(last.page);
    return pages_.write(pages_.root, page_.data());
  }

  Status write_page(const Item& rightmost, const std::vector<uint8_t>& up) {
    HEADRACE_ASSIGN(const uint32_t number, pages_.allocate());
    lay(rightmost.page);
    HEADRACE_TRY(pages_.write(number, page_.data()));
    cells_.clear();
    used_ = kInteriorHeaderBytes;
    return parents_->append(number, up.data(), static_cast<uint32_t>(up.size()));
  }

  void lay(uint32_t rightmost) {
    assert(!cells_.empty());
    uint32_t content = 0;
    for (const Item& cell : cells_) content += cell.cost() - kCellPointerBytes;
    uint32_t at = pages_.page_bytes - content;
    uint8_t* page = page_.data();
    put_page_header(page, kIndexInterior, static_cast<uint32_t>(cells_.size()), at);
    store_be32(page + kLeafHeaderBytes, rightmost);
    uint8_t* pointer = page + kInteriorHeaderBytes;
    std::memset(pointer, 0, at - kInteriorHeaderBytes);
    for (const Item& cell : cells_) {
      store_be16(pointer, static_cast<uint16_t>(at));
      pointer += kCellPointerBytes;
      store_be32(page + at, cell.page);
      std::memcpy(page + at + kPageNumberBytes, cell.separator.data(), cell.separator.size());
      at += kPageNumberBytes + static_cast<uint32_t>(cell.separator.size());
    }
  }

  const TreePages& pages_;
  IndexLevel* parents_;
  std::vector<uint8_t> page_;
  std::vector<Item> cells_;
  uint32_t used_ = kInteriorHeaderBytes;
};

}  // namespace

Status IndexLevel::append(uint32_t page, const uint8_t* separator, uint32_t bytes) {
  uint8_t head[8];
  std::memcpy(head, &page, 4);
  std::memcpy(head + 4, &bytes, 4);
  HEADRACE_TRY(spool.append(head, sizeof head));
  if (bytes > 0) HEADRACE_TRY(spool.append(separator, bytes));
  ++pages;
  return {};
}

Status write_index_interiors(IndexLevel leaves, SpillFile* file, const TreePages& pages) {
  assert(leaves.pages >= 2);
  for (IndexLevel level = std::move(leaves);;) {
    IndexLevel parents(file);
    HEADRACE_TRY(LevelWriter(pages, &parents).write(level));
    if (parents.pages == 0) return {};
    level = std::move(parents);
  }
}

}  // namespace headrace
