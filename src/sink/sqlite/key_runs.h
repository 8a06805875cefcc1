// Sorting of keys (index_key.h), or of anything that memcmp() orders, in bounded memory.
//
//   KeyRun ─ add* ─► sort ─► KeyRuns::keep    the last run of a thread stays in memory
//      ▲                └──► KeyRuns::spill   a full one goes to a file
//      └── one thread                          ─► KeyMerge: all keys in order (key_merge.h)
//
// In memory and in the file a key is its length, 4 bytes, and its bytes. No key may be the
// beginning of another.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "sink/sqlite/spill_file.h"

namespace headrace {

inline constexpr size_t kKeyLengthBytes = 4;

inline uint32_t key_length(const uint8_t* key) {
  uint32_t length;
  std::memcpy(&length, key, sizeof length);
  return length;
}
inline const uint8_t* key_data(const uint8_t* key) { return key + kKeyLengthBytes; }
bool key_less(const uint8_t* a, const uint8_t* b);

// Keys of one thread. Reused: its memory stays when it is cleared.
class KeyRun {
 public:
  struct Item {
    uint64_t prefix;     // while sorting: some bytes of the key
    const uint8_t* key;  // with its length
  };

  // Room for a key of at most `bytes` bytes; add() then takes what was written, up to `end`.
  uint8_t* reserve(size_t bytes);
  void add(const uint8_t* end);

  void sort();
  const std::vector<Item>& items() const { return items_; }
  uint64_t key_bytes() const { return key_bytes_; }  // of all keys, lengths included
  // What it holds, and what sorting needs besides.
  size_t memory_bytes() const { return chunk_bytes_ + 2 * items_.size() * sizeof(Item); }
  void clear();

 private:
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size = 0;
  };

  std::vector<Chunk> chunks_;
  size_t used_chunks_ = 0;
  size_t chunk_bytes_ = 0;  // of the used ones
  uint8_t* next_ = nullptr;
  uint8_t* chunk_end_ = nullptr;
  std::vector<Item> items_;
  uint64_t key_bytes_ = 0;
};

// All runs of one index. Thread-safe while threads add; read when they are done.
class KeyRuns {
 public:
  // A run in the file.
  struct Spilled {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };

  KeyRuns(SpillFile* file, size_t run_bytes) : file_(file), run_bytes_(run_bytes) {}

  bool is_full(const KeyRun& run) const { return run.memory_bytes() >= run_bytes_; }
  // Sorts the run, writes it to the file and clears it.
  Status spill(KeyRun* run);
  // Sorts the run and keeps it.
  void keep(KeyRun run);

  uint64_t count() const { return count_; }
  uint64_t key_bytes() const { return key_bytes_; }
  const std::vector<KeyRun>& kept() const { return kept_; }
  const std::vector<Spilled>& spilled() const { return spilled_; }
  SpillFile* file() const { return file_; }

  // How many keys of each kept run are among the first `rank` of all.
  // REQUIRES: nothing was spilled, rank <= count().
  std::vector<size_t> positions(uint64_t rank) const;

 private:
  SpillFile* file_;
  const size_t run_bytes_;
  std::mutex mutex_;
  std::vector<KeyRun> kept_;
  std::vector<Spilled> spilled_;
  uint64_t count_ = 0;
  uint64_t key_bytes_ = 0;
};

}  // namespace headrace
