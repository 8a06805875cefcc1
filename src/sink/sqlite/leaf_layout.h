// How the cells of a RowBlock fall into leaf pages and overflow chains, and the bytes of those
// pages. No input or output.
//
// A block fills pages of its own, so its pages depend on nothing but its cells. In the file the
// chains of a leaf come right before the leaf: the last page of a load is always a leaf.
//
//   LeafLayout   which rows go to which page, and how many pages there are
//   PageRange    which page numbers the pages of a block have
//   PageComposer the bytes
//
// Threads: values of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "encode/row_block.h"
#include "headrace/result.h"

namespace headrace {

struct Leaf {
  uint32_t page = 0;         // within the block's pages; its chains come right before
  uint32_t chain_pages = 0;  // overflow pages of its cells
  uint32_t first_row = 0;    // rows [first_row, end_row) of the block
  uint32_t end_row = 0;
  uint32_t content_bytes = 0;  // of its cells
  int64_t max_rowid = 0;
};

class LeafLayout {
 public:
  // `max_payload`: the largest record that SQLite reads (SQLITE_LIMIT_LENGTH).
  LeafLayout(uint32_t page_bytes, uint64_t max_payload)
      : page_bytes_(page_bytes), max_payload_(max_payload) {}

  // Fails with kRejectedValue on a row that is too large.
  Status plan(const RowBlock& block);

  const std::vector<Leaf>& leaves() const { return leaves_; }
  uint64_t page_count() const { return page_count_; }
  uint32_t page_bytes() const { return page_bytes_; }

 private:
  uint32_t page_bytes_;
  uint64_t max_payload_;
  std::vector<Leaf> leaves_;
  uint64_t page_count_ = 0;
};

// Numbers of pages that follow each other in the file, the lock-byte page left out.
struct PageRange {
  uint32_t first = 0;  // 0: not known yet
  uint32_t lock_page = 0;

  uint32_t number(uint32_t index) const {
    const uint32_t page = first + index;
    return first < lock_page && page >= lock_page ? page + 1 : page;
  }
};

// Lays out the pages of a block one after another. `block` and `layout` must outlive it.
class PageComposer {
 public:
  // With a range whose first is 0, links between pages are left open: see set_links().
  PageComposer(const RowBlock& block, const LeafLayout& layout, PageRange range)
      : block_(block), layout_(layout), range_(range) {}

  bool done() const { return leaf_ == layout_.leaves().size(); }

  // Appends pages until `out` has at least `limit` bytes or all pages are laid.
  void compose(Buffer* out, size_t limit);

  // A place in the composed bytes that holds the number of page `page` of the block.
  struct Link {
    size_t at;
    uint32_t page;
  };
  // The open links; offsets count from the start of the buffer.
  std::vector<Link> take_links() { return std::move(links_); }

 private:
  void lay_leaf(const Leaf& leaf, Buffer* out);
  void lay_spilling_cells(const Leaf& leaf, uint8_t* page, uint32_t content_at, Buffer* out);
  void lay_chain(Buffer* out, size_t limit);
  void put_link(uint8_t* at, uint32_t page, const Buffer& out);
  const uint8_t* cell(uint32_t row) const { return block_.bytes.data() + block_.row_starts[row]; }
  uint32_t cell_bytes(uint32_t row) const;

  const RowBlock& block_;
  const LeafLayout& layout_;
  PageRange range_;
  size_t leaf_ = 0;          // next leaf to lay
  uint32_t row_ = 0;         // next row whose chain is to lay
  uint64_t chain_done_ = 0;  // payload bytes of that row's chain already laid
  uint32_t next_page_ = 0;   // of the block
  std::vector<Link> links_;
};

void set_links(const std::vector<PageComposer::Link>& links, const PageRange& range,
               uint8_t* bytes);

}  // namespace headrace
