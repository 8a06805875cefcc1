// The keys of one index on their way: short ones as records (short_keys.h) as long as all are short,
// others as keys (key_runs.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "base/buffer.h"
#include "headrace/result.h"
#include "sink/sqlite/key_runs.h"
#include "sink/sqlite/short_keys.h"

namespace headrace {

// Of one thread.
struct IndexRun {
  KeyRun keys;
  ShortRun shorts;
};

// Of all threads. Thread-safe while threads add.
class IndexRuns {
 public:
  // `words`: of a short key; 0: no key is short.
  IndexRuns(SpillFile* file, size_t run_bytes, int words)
      : run_bytes_(run_bytes), keys_(file, run_bytes), shorts_(file, words), all_short_(words > 0) {}

  // Words of a record, or 0: keys are to be long, as one of them is.
  int words() const { return all_short_.load(std::memory_order_relaxed) ? shorts_.words() : 0; }
  void found_long_key() { all_short_.store(false, std::memory_order_relaxed); }

  // A run with its room reserved: growing would take half as much again, for a moment twice.
  IndexRun new_run() const {
    IndexRun run;
    if (words() > 0) run.shorts.reserve(run_bytes_ + kBlockRoom);
    return run;
  }

  // Spills what is full. `scratch` belongs to the thread, for all of its runs.
  Status spill_if_full(IndexRun* run, Buffer* scratch) {
    if (run->shorts.memory_bytes() >= run_bytes_) HEADRACE_TRY(shorts_.spill(&run->shorts, scratch));
    return keys_.is_full(run->keys) ? keys_.spill(&run->keys) : Status();
  }
  void keep(IndexRun run, Buffer* scratch) {
    shorts_.keep(std::move(run.shorts), scratch);
    keys_.keep(std::move(run.keys));
  }

  uint64_t count() const { return keys_.count() + shorts_.count(); }
  KeyRuns& keys() { return keys_; }
  const KeyRuns& keys() const { return keys_; }
  const ShortRuns& shorts() const { return shorts_; }

  // When some keys are long, makes all of them so. After the last writer.
  Status make_uniform();

 private:
  // A run is looked at after each block of rows.
  static constexpr size_t kBlockRoom = 4 << 20;

  const size_t run_bytes_;
  KeyRuns keys_;
  ShortRuns shorts_;
  std::atomic<bool> all_short_;
};

}  // namespace headrace
