#include "sink/sqlite/page_writer.h"

#include <utility>

#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

// Bytes of a write call; larger ones gain nothing and cost cache.
constexpr size_t kWriteBytes = 1 << 20;
// Bytes that a writer holds back, and the largest block that it holds back.
constexpr size_t kMaxHeldBytes = 8 << 20;
constexpr size_t kMaxHeldBlockBytes = 4 << 20;

size_t end_of_row(const RowBlock& block, size_t row) {
  return row + 1 < block.row_starts.size() ? block.row_starts[row + 1] : block.bytes.size();
}

// What a keyed table wants to know of a block.
void describe_rowids(const RowBlock& block, TableClaim* claim) {
  const auto rowid = [&](uint32_t start) {
    return sqlite_page::read_cell_head(block.bytes.data() + start).rowid;
  };
  if (block.row_starts.empty()) return;
  int64_t last = claim->first_rowid = rowid(block.row_starts[0]);
  for (size_t row = 1; row < block.row_starts.size() && claim->ascends; ++row) {
    const int64_t next = rowid(block.row_starts[row]);
    claim->ascends = next > last;
    last = next;
  }
}

}  // namespace

PageWriter::PageWriter(PageTable* table, const Indexes* indexes, RowOrigins* origins,
                       const RTrees* rtrees)
    : table_(table), file_(&table->file()), origins_(origins), rtrees_(rtrees) {
  if (rtrees != nullptr) {
    for (const auto& rtree : *rtrees) boxes_.emplace_back(*rtree);
  }
  if (indexes == nullptr) return;
  for (const auto& index : *indexes) {
    collectors_.push_back({index.get(), index->key_maker(), index->runs().new_run()});
  }
}

PageWriter::~PageWriter() {
  if (!ended_) abort("a writer ended early");
}

Status PageWriter::write(const RowBlock& block) {
  Status status = write_block(block);
  if (!status.ok()) table_->claims().fail(status.error());
  return status;
}

Status PageWriter::finish() {
  Status status = write_all_held();
  if (status.ok()) status = finish_runs();
  if (!status.ok()) {
    table_->claims().fail(status.error());
    return status;
  }
  table_->claims().writer_done();
  ended_ = true;
  return status;
}

void PageWriter::abort(const std::string& reason) noexcept {
  table_->claims().fail(Error(ErrorCode::kCancelled, "the load was stopped: " + reason));
  ended_ = true;
}

Status PageWriter::write_block(const RowBlock& block) {
  HEADRACE_TRY(write_held(kMaxHeldBytes));
  if (origins_ != nullptr && block.row_count > 0) origins_->add(block);
  held_.push_back(take_slot());
  Slot& slot = *held_.back();
  HEADRACE_TRY(slot.layout.plan(block));
  TableClaim& claim = slot.claim.emplace();
  claim.batch = block.batch;
  claim.index_in_batch = block.index_in_batch;
  claim.last_in_batch = block.last_in_batch;
  claim.pages = slot.layout.page_count();
  claim.leaves = &slot.layout.leaves();
  claim.rows = static_cast<int64_t>(block.row_starts.size());
  if (table_->is_keyed()) describe_rowids(block, &claim);
  HEADRACE_TRY(table_->claims().submit(&claim));
  HEADRACE_TRY(collect_keys(block));
  if (!claim.granted() && block.bytes.size() > kMaxHeldBlockBytes) {
    HEADRACE_TRY(table_->claims().wait(&claim));
  }
  if (!claim.granted()) {
    hold(block, &slot);
    return write_held(kMaxHeldBytes);
  }
  HEADRACE_TRY(claim.placed ? write_now(block, slot) : collect_rows(block));
  free_slots_.push_back(std::move(held_.back()));
  held_.pop_back();
  return {};
}

Status PageWriter::write_now(const RowBlock& block, const Slot& slot) {
  const PageRange& range = slot.claim->range();
  PageComposer composer(block, slot.layout, range);
  uint32_t index = 0;
  pages_.clear();
  pages_.reserve_more(kWriteBytes + file_->page_bytes());
  while (!composer.done()) {
    pages_.clear();
    composer.compose(&pages_, kWriteBytes);
    HEADRACE_TRY(file_->write(range, index, pages_.data(), pages_.size()));
    index += static_cast<uint32_t>(pages_.size() / file_->page_bytes());
  }
  return {};
}

Status PageWriter::collect_keys(const RowBlock& block) {
  for (Collector& collector : collectors_) {
    int64_t row = block.first_row;
    for (const uint32_t start : block.row_starts) {
      collector.maker.add(block.bytes.data() + start, row++, &collector.index->runs(),
                          &collector.run);
    }
    HEADRACE_TRY(collector.index->runs().spill_if_full(&collector.run, &sort_scratch_));
  }
  for (RTreeBuilder::Collector& boxes : boxes_) {
    for (const uint32_t start : block.row_starts) {
      HEADRACE_TRY(boxes.add(block.bytes.data() + start));
    }
  }
  return {};
}

Status PageWriter::collect_rows(const RowBlock& block) {
  for (size_t row = 0; row < block.row_starts.size(); ++row) {
    const size_t start = block.row_starts[row];
    add_row_key(block.bytes.data() + start, end_of_row(block, row) - start,
                block.first_row + static_cast<int64_t>(row), &rows_);
  }
  return table_->runs().is_full(rows_) ? table_->runs().spill(&rows_) : Status();
}

Status PageWriter::finish_runs() {
  for (Collector& collector : collectors_) {
    collector.index->runs().keep(std::move(collector.run), &sort_scratch_);
  }
  table_->runs().keep(std::move(rows_));
  for (size_t i = 0; i < boxes_.size(); ++i) (*rtrees_)[i]->take(std::move(boxes_[i]));
  return {};
}

void PageWriter::hold(const RowBlock& block, Slot* slot) {
  slot->keeps_block = table_->is_keyed();
  if (slot->keeps_block) {
    slot->block.clear();
    slot->block.bytes.append(block.bytes.data(), block.bytes.size());
    slot->block.row_starts = block.row_starts;
    slot->block.first_row = block.first_row;
    held_bytes_ += block.bytes.size();
    return;
  }
  const size_t bytes = slot->layout.page_count() * file_->page_bytes();
  PageComposer composer(block, slot->layout, PageRange{});
  slot->pages.reserve_more(bytes);
  composer.compose(&slot->pages, bytes);
  slot->links = composer.take_links();
  held_bytes_ += bytes;
}

Status PageWriter::write_held(size_t most_bytes) {
  while (!held_.empty() && (held_bytes_ > most_bytes || held_.front()->claim->granted())) {
    HEADRACE_TRY(write_front());
  }
  return {};
}

Status PageWriter::write_all_held() {
  while (!held_.empty()) HEADRACE_TRY(write_front());
  return {};
}

Status PageWriter::write_front() {
  Slot& slot = *held_.front();
  HEADRACE_TRY(table_->claims().wait(&*slot.claim));
  if (slot.keeps_block) {
    HEADRACE_TRY(slot.claim->placed ? write_now(slot.block, slot) : collect_rows(slot.block));
    held_bytes_ -= slot.block.bytes.size();
  } else {
    const PageRange& range = slot.claim->range();
    set_links(slot.links, range, slot.pages.data());
    HEADRACE_TRY(file_->write(range, 0, slot.pages.data(), slot.pages.size()));
    held_bytes_ -= slot.pages.size();
  }
  slot.pages.clear();
  slot.links.clear();
  free_slots_.push_back(std::move(held_.front()));
  held_.pop_front();
  return {};
}

std::unique_ptr<PageWriter::Slot> PageWriter::take_slot() {
  if (free_slots_.empty()) return std::make_unique<Slot>(*file_);
  std::unique_ptr<Slot> slot = std::move(free_slots_.back());
  free_slots_.pop_back();
  return slot;
}

}  // namespace headrace
