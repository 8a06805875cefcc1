// PageTable: the section of one table in a PageFile.
//
//   blocks ─ PageWriter × N ─► leaves ─► complete(): interiors, root
//
// Rows of a table whose rowid is a column (`keyed`) may come in any order. As long as they ascend
// they go straight into leaves. From the first block on that does not, all blocks are collected as
// runs of sorted rows instead; complete() takes the leaves back into one more run, merges all, and
// writes the section anew. So sorted input costs nothing, and no row is lost whatever the order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "headrace/result.h"
#include "sink/sqlite/child_list.h"
#include "sink/sqlite/key_runs.h"
#include "sink/sqlite/leaf_layout.h"
#include "sink/sqlite/page_claims.h"
#include "sink/sqlite/page_file.h"
#include "sink/sqlite/row_origins.h"

namespace headrace {

// Pages for the rows of one block.
struct TableClaim : Claim {
  const std::vector<Leaf>* leaves = nullptr;  // stay at their address as the claim does
  int64_t rows = 0;
  int64_t first_rowid = 0;
  bool ascends = true;  // its rowids do, each
  bool placed = true;   // once granted; false: its rows are to be collected
};

class PageTable : private ClaimOwner {
 public:
  struct Options {
    uint32_t root = 0;
    int writers = 1;
    // Of keyed tables:
    std::string key;  // name of the column; empty: rows are numbered
    size_t run_bytes = 0;  // memory of a run
    SpillFile* spill = nullptr;
    const RowOrigins* origins = nullptr;
  };

  PageTable(PageFile* file, const Options& options);

  PageFile& file() { return *file_; }
  PageClaims& claims() { return *claims_; }
  bool is_keyed() const { return !options_.key.empty(); }
  KeyRuns& runs() { return runs_; }
  uint64_t row_count() const { return row_count_; }

  // After the last writer.
  Status complete();

 private:
  void due(Claim* claim) override;
  Status granted(const Claim& claim) override;
  Status sort_rows();
  Status take_leaves_back();
  Status write_sorted();
  Status write_interiors();
  Error duplicate(int64_t rowid, int64_t row, int64_t other) const;

  PageFile* const file_;
  const Options options_;
  const uint64_t first_page_;
  std::optional<PageClaims> claims_;
  ChildList leaves_;
  KeyRuns runs_;
  bool sorting_ = false;      // some block did not ascend
  int64_t placed_rows_ = 0;   // of blocks before that
  uint64_t row_count_ = 0;
};

// A row of a keyed table as a key of KeyRuns: its rowid in an order of bytes, its number, its cell.
inline constexpr size_t kRowKeyBytes = 16;
void add_row_key(const uint8_t* cell, size_t bytes, int64_t row, KeyRun* run);

}  // namespace headrace
