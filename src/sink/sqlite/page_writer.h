// PageWriter: one page-writing thread of a PageFile.
//
// A block whose turn has come is laid out and written at once, about 1 MB a call. Otherwise its
// pages are laid out in memory with their links open, and the thread goes on; they are written once
// the turn has come. Pages held back are bounded; beyond that the thread waits for its turn.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "sink/sink.h"
#include "sink/sqlite/leaf_layout.h"
#include "sink/sqlite/page_file.h"

namespace headrace {

class PageWriter : public SinkWriter {
 public:
  // `file` must outlive the writer.
  explicit PageWriter(PageFile* file) : file_(file) {}
  ~PageWriter() override;

  Status write(const RowBlock& block) override;
  Status finish() override;
  // Also fails the other writers of the file, those that wait included.
  void abort(const std::string& reason) noexcept override;

 private:
  // A block on its way: claimed, and laid out if its turn has not come. Reused: fresh memory is
  // dearer than what is done with it.
  struct Slot {
    explicit Slot(const PageFile& file) : layout(file.page_bytes(), file.max_payload()) {}

    LeafLayout layout;
    std::optional<Claim> claim;
    Buffer pages;
    std::vector<PageComposer::Link> links;
  };

  Status write_block(const RowBlock& block);
  Status write_now(const RowBlock& block, const Slot& slot);
  void lay_out(const RowBlock& block, Slot* slot);
  // Writes held blocks whose turn has come, and waits for turns while more bytes are held.
  Status write_held(size_t most_bytes);
  Status write_all_held();
  Status write_front();
  std::unique_ptr<Slot> take_slot();

  PageFile* file_;
  // Slots stay here as long as their claims may be pending.
  std::deque<std::unique_ptr<Slot>> held_;
  size_t held_bytes_ = 0;
  std::vector<std::unique_ptr<Slot>> free_slots_;
  Buffer pages_;
  bool ended_ = false;
};

}  // namespace headrace
