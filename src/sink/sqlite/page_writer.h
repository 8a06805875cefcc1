// PageWriter: one page-writing thread of a PageTable.
//
// A block whose turn has come is laid out and written at once, about 1 MB a call. Otherwise its
// pages are laid out in memory with their links open, and the thread goes on; they are written once
// the turn has come. Pages held back are bounded; beyond that the thread waits for its turn.
//
// Beside that it collects the keys of its rows for the indexes, in runs of its own.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "sink/sink.h"
#include "sink/sqlite/index_builder.h"
#include "sink/sqlite/leaf_layout.h"
#include "sink/sqlite/page_table.h"
#include "sink/sqlite/rtree_builder.h"

namespace headrace {

class PageWriter : public SinkWriter {
 public:
  // `table` and what the pointers lead to must outlive the writer. All but `table` may be
  // nullptr.
  using Indexes = std::vector<std::unique_ptr<IndexBuilder>>;
  using RTrees = std::vector<std::unique_ptr<RTreeBuilder>>;
  explicit PageWriter(PageTable* table, const Indexes* indexes = nullptr,
                      RowOrigins* origins = nullptr, const RTrees* rtrees = nullptr);
  ~PageWriter() override;

  Status write(const RowBlock& block) override;
  Status finish() override;
  // Also fails the other writers of the table, those that wait included.
  void abort(const std::string& reason) noexcept override;

 private:
  // A block on its way: claimed, and laid out if its turn has not come. Reused: fresh memory is
  // dearer than what is done with it.
  struct Slot {
    explicit Slot(const PageFile& file) : layout(file.page_bytes(), file.max_payload()) {}

    LeafLayout layout;
    std::optional<TableClaim> claim;
    Buffer pages;
    std::vector<PageComposer::Link> links;
    RowBlock block;  // of a keyed table, instead of pages: they may not be wanted
    bool keeps_block = false;
  };
  // Keys for one index.
  struct Collector {
    IndexBuilder* index;
    IndexKeyMaker maker;
    IndexRun run;
  };

  Status write_block(const RowBlock& block);
  Status write_now(const RowBlock& block, const Slot& slot);
  Status collect_keys(const RowBlock& block);
  Status collect_rows(const RowBlock& block);
  void hold(const RowBlock& block, Slot* slot);
  // Writes held blocks whose turn has come, and waits for turns while more bytes are held.
  Status write_held(size_t most_bytes);
  Status write_all_held();
  Status write_front();
  Status finish_runs();
  std::unique_ptr<Slot> take_slot();

  PageTable* table_;
  PageFile* file_;
  RowOrigins* origins_;
  // Slots stay here as long as their claims may be pending.
  std::deque<std::unique_ptr<Slot>> held_;
  size_t held_bytes_ = 0;
  std::vector<std::unique_ptr<Slot>> free_slots_;
  Buffer pages_;
  std::vector<Collector> collectors_;
  Buffer sort_scratch_;
  const RTrees* rtrees_;
  std::vector<RTreeBuilder::Collector> boxes_;  // for each of them
  KeyRun rows_;  // of a keyed table that is not in order
  bool ended_ = false;
};

}  // namespace headrace
