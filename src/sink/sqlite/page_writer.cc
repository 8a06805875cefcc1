#include "sink/sqlite/page_writer.h"

#include <utility>

namespace headrace {
namespace {

// Bytes of a write call; larger ones gain nothing and cost cache.
constexpr size_t kWriteBytes = 1 << 20;
// Bytes that a writer holds back, and the largest block that it holds back.
constexpr size_t kMaxHeldBytes = 8 << 20;
constexpr size_t kMaxHeldBlockBytes = 4 << 20;

}  // namespace

PageWriter::~PageWriter() {
  if (!ended_) abort("a writer ended early");
}

Status PageWriter::write(const RowBlock& block) {
  Status status = write_block(block);
  if (!status.ok()) file_->claims().fail(status.error());
  return status;
}

Status PageWriter::finish() {
  Status status = write_all_held();
  if (!status.ok()) {
    file_->claims().fail(status.error());
    return status;
  }
  file_->claims().writer_done();
  ended_ = true;
  return status;
}

void PageWriter::abort(const std::string& reason) noexcept {
  file_->claims().fail(Error(ErrorCode::kCancelled, "the load was stopped: " + reason));
  ended_ = true;
}

Status PageWriter::write_block(const RowBlock& block) {
  HEADRACE_TRY(write_held(kMaxHeldBytes));
  held_.push_back(take_slot());
  Slot& slot = *held_.back();
  HEADRACE_TRY(slot.layout.plan(block));
  Claim& claim = slot.claim.emplace();
  claim.batch = block.batch;
  claim.index_in_batch = block.index_in_batch;
  claim.last_in_batch = block.last_in_batch;
  claim.pages = slot.layout.page_count();
  claim.leaves = &slot.layout.leaves();
  HEADRACE_TRY(file_->claims().submit(&claim));
  if (!claim.granted() && block.bytes.size() > kMaxHeldBlockBytes) {
    HEADRACE_TRY(file_->claims().wait(&claim));
  }
  if (!claim.granted()) {
    lay_out(block, &slot);
    return write_held(kMaxHeldBytes);
  }
  HEADRACE_TRY(write_now(block, slot));
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

void PageWriter::lay_out(const RowBlock& block, Slot* slot) {
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
  HEADRACE_TRY(file_->claims().wait(&*slot.claim));
  const PageRange& range = slot.claim->range();
  set_links(slot.links, range, slot.pages.data());
  HEADRACE_TRY(file_->write(range, 0, slot.pages.data(), slot.pages.size()));
  held_bytes_ -= slot.pages.size();
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
