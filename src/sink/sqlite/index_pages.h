// Leaf pages and overflow chains of a piece of an index b-tree. No input or output.
//
//   entries   e0 e1 e2 | e3 | e4 e5 e6 | e7 | e8 ...
//             leaf       up   leaf       up   leaf     an entry between two leaves goes up: it is
//                                                      kept as a separator for the interior pages
//
// A piece that another follows ends with a separator. No leaf is empty. In the file the chains of a
// leaf come before it, so the last page of an index's last piece is a leaf.
//
// Threads: values of one thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "sink/sqlite/leaf_layout.h"

namespace headrace {

class IndexPages {
 public:
  // Between the leaves: a page of this piece, and what parts it from the next.
  struct Node {
    uint32_t page = 0;
    uint32_t separator_begin = 0;  // in separators(): an interior cell without its child
    uint32_t separator_bytes = 0;  // 0: nothing follows
    uint32_t chain_page = 0;       // where its chain begins
    bool has_chain = false;        // then its last 4 bytes are the number of that page
  };

  explicit IndexPages(uint32_t page_bytes);

  void clear();
  // All entries of the piece, in order. `is_last_leaf_entry`: none but the one that ends the piece
  // as a separator follows.
  void add(std::string_view record, bool is_last_leaf_entry);
  // Ends the piece: with this entry as its separator, or with its last leaf.
  void end_with(std::string_view record);
  void end();

  Buffer& pages() { return pages_; }
  uint32_t page_count() const { return static_cast<uint32_t>(pages_.size() / page_bytes_); }
  const std::vector<Node>& nodes() const { return nodes_; }
  // Sets all page numbers.
  void place(const PageRange& range);
  const uint8_t* separator(const Node& node) const {
    return separators_.data() + node.separator_begin;
  }

 private:
  // A cell of the leaf being filled.
  struct Cell {
    uint32_t begin = 0;  // in cells_
    uint32_t bytes = 0;
    uint32_t chain_page = 0;
    bool has_chain = false;
  };

  Cell make_cell(std::string_view record);
  uint32_t put_chain(std::string_view spilled);
  void finish_leaf();
  void separate(const Cell& cell);

  const uint32_t page_bytes_;
  Buffer pages_;
  std::vector<PageComposer::Link> links_;
  std::vector<Node> nodes_;
  Buffer separators_;
  Buffer cells_;
  std::vector<Cell> leaf_;
  uint32_t used_ = 0;  // of the leaf's page
};

}  // namespace headrace
