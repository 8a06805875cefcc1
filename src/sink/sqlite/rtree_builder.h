// RTreeBuilder: the three tables behind an R-tree of boxes in two dimensions, as sections of a
// PageFile (PageFile draws sections).
//
//   collect   each PageWriter keeps the box of each row's geometry: rowid, four floats
//   sort      all boxes along a Hilbert curve over their bounds, in runs (key_runs.h)
//   build     nodes filled from that order, level on level
//
// R*Tree module of SQLite, formats by its source:
//   %_node    nodeno, data    node 1 is the root
//   %_rowid   rowid, nodeno   the leaf of each entry
//   %_parent  nodeno, parentnode
//
// Node, all integers and floats big-endian; the same size for all:
//   OFFSET  SIZE  DESCRIPTION
//   0       2     depth of the tree; in the root alone, else 0
//   2       2     number of cells
//   4       24 n  cell: rowid or number of the child, 8 | min x, max x, min y, max y, 4 each
//   then    zeros
//
// Nodes are numbered 2, 3, ... leaves first, then each level; the order of the sort is total, so
// they are the same in every run.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "encode/format/geometry_blob.h"
#include "headrace/result.h"
#include "sink/sqlite/key_merge.h"
#include "sink/sqlite/key_runs.h"
#include "sink/sqlite/page_file.h"
#include "sink/sqlite/spill_file.h"

namespace headrace {

// What is known of all geometries of a column.
struct LayerFacts {
  geometry_blob::Envelope bounds;
  uint32_t kinds = 0;  // bits, one for each type with its dimensions

  void add(const geometry_blob::BlobFacts& blob);
  void add(const LayerFacts& other);
  bool has_z() const { return (kinds & 0xFF00FF00) != 0; }
  bool has_m() const { return (kinds & 0xFFFF0000) != 0; }
  // The type of all; kAnyType when they differ or there is none.
  ewkb::Type type() const;
  // The dimensions of all; of several the first, with *differ set.
  ewkb::Dims dims(bool* differ) const;
};

class RTreeBuilder {
 public:
  // Reads what a blob says of itself.
  using ReadBlob = geometry_blob::BlobFacts (*)(const uint8_t* blob);

  // `name`: of the virtual table, which SQLite made. `column`: of the table's record.
  RTreeBuilder(PageFile* file, SpillFile* spill, std::string name, int column, ReadBlob read_blob,
               size_t run_bytes);

  // Boxes of the rows of one thread.
  class Collector {
   public:
    explicit Collector(const RTreeBuilder& builder)
        : column_(builder.column_), read_blob_(builder.read_blob_), boxes_(builder.spill_) {}
    // The row in a table leaf cell.
    Status add(const uint8_t* cell);

   private:
    friend class RTreeBuilder;
    int column_;
    ReadBlob read_blob_;
    Spool boxes_;
    uint64_t count_ = 0;
    LayerFacts facts_;
  };

  // Takes the boxes of a thread that is done. Thread-safe.
  void take(Collector collector);

  // After the last writer, when the section before is complete.
  Status build();
  const LayerFacts& facts() const { return facts_; }

 private:
  struct Box {
    float min_x, max_x, min_y, max_y;
  };
  // Nodes of one level, numbered from `first`.
  struct Level {
    uint64_t count = 0;
    int64_t first = 0;
  };

  Status sort_boxes(KeyRuns* sorted);
  void plan_levels(uint64_t entries);
  Status write_nodes(KeyRuns* sorted, KeyRuns* by_rowid);
  Status write_rowids(const KeyRuns& by_rowid);
  Status write_parents();
  Status put_root(uint64_t first_page, const Buffer& node);

  PageFile* const file_;
  SpillFile* const spill_;
  const std::string name_;
  const int column_;
  const ReadBlob read_blob_;
  const size_t run_bytes_;
  const size_t node_bytes_;
  const uint64_t node_cells_;
  std::mutex mutex_;
  std::vector<Collector> collected_;
  LayerFacts facts_;
  std::vector<Level> levels_;  // leaves first, the root last
};

}  // namespace headrace
