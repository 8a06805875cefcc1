// The interior pages above the leaves of an index b-tree.
#pragma once

#include <cstdint>

#include "headrace/result.h"
#include "sink/sqlite/page_tree.h"
#include "sink/sqlite/spill_file.h"

namespace headrace {

// Pages of one level with what parts them, in the order of keys.
//   item = page number, 4 | bytes of the separator, 4, 0 after the last page | separator: an
//          interior cell without the number of its child
struct IndexLevel {
  explicit IndexLevel(SpillFile* file) : spool(file) {}
  Status append(uint32_t page, const uint8_t* separator, uint32_t bytes);

  Spool spool;
  uint64_t pages = 0;
};

// Builds level on level over `leaves` until one page holds the rest, which is written as the root.
// REQUIRES: leaves.pages >= 2.
Status write_index_interiors(IndexLevel leaves, SpillFile* file, const TreePages& pages);

}  // namespace headrace
