// KeyMerge: the keys of sorted runs in one order. Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "headrace/result.h"
#include "sink/sqlite/key_runs.h"

namespace headrace {

class KeyMerge {
 public:
  // All keys. `runs` must outlive it. Reads spilled runs through `buffer_bytes` in all.
  KeyMerge(const KeyRuns& runs, size_t buffer_bytes);
  // Those of kept runs between two results of positions().
  KeyMerge(const KeyRuns& runs, const std::vector<size_t>& begin, const std::vector<size_t>& end);

  // The next key with its length, which lives until the next call; nullptr at the end.
  Result<const uint8_t*> next();

 private:
  // A run of memory: items; of the file: a piece of it in a buffer.
  struct Source {
    uint64_t prefix = 0;
    const uint8_t* key = nullptr;
    const KeyRun::Item* item = nullptr;
    const KeyRun::Item* items_end = nullptr;
    bool on_disk = false;
    KeyRuns::Spilled left;  // of the run, not in the buffer
    Buffer buffer;
    size_t at = 0;  // in the buffer
  };

  Result<bool> advance(Source* source);
  Result<bool> advance_on_disk(Source* source);
  void add(Source source);
  Status start();
  static bool before(const Source* a, const Source* b);
  void sift_down(size_t place);

  SpillFile* file_;
  size_t piece_bytes_ = 0;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<Source*> heap_;  // the least on top
  bool started_ = false;
};

}  // namespace headrace
