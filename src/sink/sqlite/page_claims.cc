#include "sink/sqlite/page_claims.h"

#include <fmt/format.h>

#include "sink/sqlite/page_format.h"

namespace headrace {

using sqlite_page::kMaxPageNumber;

PageClaims::PageClaims(uint32_t page_bytes, uint64_t first_page, int writers, ClaimOwner* owner)
    : lock_page_(sqlite_page::lock_byte_page(page_bytes)),
      writers_(writers),
      next_page_(first_page),
      owner_(owner) {}

Status PageClaims::submit(Claim* claim) {
  std::lock_guard lock(mutex_);
  if (error_) return *error_;
  const std::pair place(claim->batch, claim->index_in_batch);
  if (place < turn_ || !pending_.emplace(place, claim).second) {
    fail_locked(Error(ErrorCode::kInternal, fmt::format("block {} of batch {} came twice",
                                                        claim->index_in_batch, claim->batch)));
    return *error_;
  }
  bool others_granted = false;
  while (!pending_.empty() && pending_.begin()->first == turn_) {
    Claim* due = pending_.begin()->second;
    if (!grant(due)) return *error_;
    pending_.erase(pending_.begin());
    turn_ = due->last_in_batch ? std::pair(turn_.first + 1, 0)
                               : std::pair(turn_.first, turn_.second + 1);
    others_granted |= due != claim;
    // The owner may reuse the claim from here on.
    due->granted_.store(true, std::memory_order_release);
  }
  if (others_granted) changed_.notify_all();
  return {};
}

// False when it failed.
bool PageClaims::grant(Claim* claim) {
  if (owner_ != nullptr) owner_->due(claim);
  auto range = allocate_range(claim->pages);
  if (!range.ok()) {
    fail_locked(std::move(range).error());
    return false;
  }
  claim->range_ = *range;
  if (owner_ != nullptr) {
    Status kept = owner_->granted(*claim);
    if (!kept.ok()) {
      fail_locked(std::move(kept).error());
      return false;
    }
  }
  if (claim->awaited_) {
    claim->awaited_ = false;
    --waiting_;
  }
  return true;
}

Status PageClaims::wait(Claim* claim) {
  std::unique_lock lock(mutex_);
  if (!error_ && !claim->granted()) {
    claim->awaited_ = true;
    ++waiting_;
    check_for_standstill();
    changed_.wait(lock, [&] { return error_ || claim->granted(); });
  }
  if (error_) return *error_;
  return {};
}

void PageClaims::writer_done() {
  std::lock_guard lock(mutex_);
  ++done_;
  check_for_standstill();
}

// When all writers wait or have ended, the block whose turn it is never comes: a hole in the order
// of blocks, which is a bug of the caller. Better an error than a hang.
void PageClaims::check_for_standstill() {
  if (waiting_ == 0 || waiting_ + done_ < writers_ || error_) return;
  fail_locked(Error(ErrorCode::kInternal,
                    fmt::format("block {} of batch {} never came", turn_.second, turn_.first)));
}

void PageClaims::fail(Error error) {
  std::lock_guard lock(mutex_);
  fail_locked(std::move(error));
}

void PageClaims::fail_locked(Error error) {
  if (!error_) error_ = std::move(error);
  pending_.clear();  // their owners may go now
  changed_.notify_all();
}

Status PageClaims::status() const {
  std::lock_guard lock(mutex_);
  if (error_) return *error_;
  return {};
}

Status PageClaims::finish() const {
  std::lock_guard lock(mutex_);
  if (error_) return *error_;
  if (!pending_.empty() || turn_.second != 0) {
    return Error(ErrorCode::kInternal,
                 fmt::format("block {} of batch {} never came", turn_.second, turn_.first));
  }
  return {};
}

Result<PageRange> PageClaims::allocate_range(uint64_t pages) {
  if (next_page_ == lock_page_ && pages > 0) ++next_page_;
  const uint64_t first = next_page_;
  uint64_t end = first + pages;
  if (first < lock_page_ && end > lock_page_) ++end;
  if (end > kMaxPageNumber + 1) {
    return Error(ErrorCode::kUnsupported, "the file would need more pages than SQLite can number",
                 "choose a larger page size");
  }
  next_page_ = end;
  return PageRange{static_cast<uint32_t>(first), lock_page_};
}

Result<uint32_t> PageClaims::allocate() {
  std::lock_guard lock(mutex_);
  HEADRACE_ASSIGN(PageRange range, allocate_range(1));
  return range.first;
}

void PageClaims::give_back_last() {
  std::lock_guard lock(mutex_);
  --next_page_;
}

uint32_t PageClaims::page_count() const {
  std::lock_guard lock(mutex_);
  const auto last = static_cast<uint32_t>(next_page_ - 1);
  return last == lock_page_ ? last - 1 : last;
}

}  // namespace headrace
