// The interior pages above the leaves of a table b-tree.
#pragma once

#include <cstdint>
#include <functional>

#include "headrace/result.h"
#include "sink/sqlite/child_list.h"

namespace headrace {

struct TreePages {
  uint32_t page_bytes = 0;
  uint32_t root = 0;                           // the number of the page on top
  std::function<Result<uint32_t>()> allocate;  // a page number, ascending
  std::function<Status(uint32_t page, const uint8_t* bytes)> write;  // page_bytes bytes
};

// Builds level on level over `leaves` until one page holds the rest, which is written as the root.
// All leaves are equally deep, and each interior page has at least one cell.
// REQUIRES: leaves.size() >= 2.
Status write_interior_pages(const ChildList& leaves, const TreePages& pages);

}  // namespace headrace
