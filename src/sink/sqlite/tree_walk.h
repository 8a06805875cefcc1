// TreeWalk: counts the pages of a b-tree and what is in them, by our own reading of the format
// (page_format.h). SQLite's dbstat table would tell the same, where a build has it.
//
// Pages are read through SQLite's own file handle: another descriptor of the file would drop SQLite's
// locks when it is closed. REQUIRES: a read transaction is open and nothing is in a -wal.
#pragma once

#include <cstdint>
#include <vector>

#include "headrace/result.h"
#include "sink/sqlite/connection.h"

namespace headrace {

struct TreePagesFound {
  int64_t leaf_pages = 0;
  int64_t interior_pages = 0;
  int64_t overflow_pages = 0;
  int64_t entries = 0;  // rows of a table, entries of an index
  int64_t used_bytes = 0;  // of the leaf and interior pages
};

// Fails with kServer on pages that cannot be part of a b-tree.
Result<TreePagesFound> walk_tree(Connection& db, int64_t root, uint32_t page_bytes,
                                 uint32_t reserved_bytes, int64_t page_count);

}  // namespace headrace
