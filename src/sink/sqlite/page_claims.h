// PageClaims: hands out page numbers to the blocks of a load in the order of their rows, whichever
// thread comes first, so that a load gives the same file in every run.
//
// A writer submits a claim for as many pages as its block fills. The claim is granted as soon as
// all blocks before it have submitted theirs: whoever submits the missing one grants every claim
// that has become due. So only the order of numbers is fixed; encoding and writing never wait for a
// neighbour's input or output.
//
// Thread-safe, except allocate() and next_page(), which are for after the last writer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "sink/sqlite/leaf_layout.h"

namespace headrace {

// Stays at its address from submit() until it is granted or all has failed.
struct Claim {
  // The block's place in the load.
  int64_t batch = 0;
  int index_in_batch = 0;
  bool last_in_batch = false;
  uint64_t pages = 0;

  bool granted() const { return granted_.load(std::memory_order_acquire); }
  // REQUIRES: granted().
  const PageRange& range() const { return range_; }

 private:
  friend class PageClaims;
  PageRange range_;
  bool awaited_ = false;
  std::atomic<bool> granted_{false};
};

// Who keeps what the claims stand for. Called in the order of the blocks, by one thread at a time.
class ClaimOwner {
 public:
  // The claim's turn has come; it may still give up its pages.
  virtual void due(Claim*) {}
  // It has its range.
  virtual Status granted(const Claim& claim) = 0;

 protected:
  ~ClaimOwner() = default;
};

class PageClaims {
 public:
  // Numbers begin at `first_page`. `writers`: how many will submit, each until writer_done().
  PageClaims(uint32_t page_bytes, uint64_t first_page, int writers, ClaimOwner* owner = nullptr);

  // Both fail once fail() was called, and with kInternal when a block can never get its turn.
  Status submit(Claim* claim);
  Status wait(Claim* claim);
  void writer_done();

  // Fails all that wait and all that come; the first error wins.
  void fail(Error error);
  Status status() const;

  // Fails unless every claim was granted.
  Status finish() const;
  // The next page number.
  Result<uint32_t> allocate();
  // Takes back the page that was allocated last.
  void give_back_last();
  uint32_t page_count() const;
  uint64_t next_page() const { return next_page_; }

 private:
  Status grant_due_claims();
  bool grant(Claim* claim);
  void check_for_standstill();
  void fail_locked(Error error);
  Result<PageRange> allocate_range(uint64_t pages);

  const uint32_t lock_page_;
  const int writers_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<int64_t, int>, Claim*> pending_;
  std::pair<int64_t, int> turn_{0, 0};
  uint64_t next_page_;
  int waiting_ = 0;  // writers inside wait() whose claim is not granted
  int done_ = 0;
  ClaimOwner* const owner_;
  std::optional<Error> error_;
};

}  // namespace headrace
