// Sorting of short index keys, those whose columns take at most 31 bytes (index_key.h): numbers,
// dates, codes. They are records of one size, so they are compared as integers, sorted by moving
// them whole, and a run in the spill file is as good as one in memory: any record of it can be read
// by its place, so threads merge pieces of the runs side by side.
//
//   record   [words 8]   bytes of the columns, big-endian, zeros after them; the last byte is how many
//            [8]         rowid, moved so that it has the order of unsigned integers
//
// Longer keys go through key_runs.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/buffer.h"
#include "headrace/result.h"
#include "sink/sqlite/spill_file.h"

namespace headrace {

inline constexpr int kMaxShortWords = 4;

// A record by itself; the words that an index does not use are 0.
struct ShortKey {
  std::array<uint64_t, kMaxShortWords> words{};
  uint64_t rowid_word = 0;

  int64_t rowid() const { return static_cast<int64_t>(rowid_word ^ (uint64_t{1} << 63)); }
  size_t column_bytes() const;
  // Writes the bytes of the columns, in whole words. REQUIRES: room for 8 * kMaxShortWords bytes.
  void put_columns(uint8_t* out) const;
  auto operator<=>(const ShortKey&) const = default;
};

// How many words a record of columns of `bytes` bytes needs; 0: they are not short.
int short_words(size_t bytes);

// Records of one thread.
class ShortRun {
 public:
  // `columns`: 8 * words bytes, zeros after `bytes`.
  void add(const uint8_t* columns, size_t bytes, int64_t rowid, int words);
  void sort(int words, Buffer* scratch);

  size_t count(int words) const { return records_.size() / record_bytes(words); }
  size_t memory_bytes() const { return records_.size(); }
  const Buffer& records() const { return records_; }
  void clear();

  // Makes room for `bytes` bytes.
  void reserve(size_t bytes) { records_.reserve_more(bytes); }

  static size_t record_bytes(int words) { return 8 * (static_cast<size_t>(words) + 1); }

 private:
  Buffer records_;
  uint64_t last_rowid_word_ = 0;
  bool in_rowid_order_ = true;  // then records that are alike are in order too
};

// All runs of one index. Thread-safe while threads add; read by many when they are done.
class ShortRuns {
 public:
  ShortRuns(SpillFile* file, int words) : file_(file), words_(words) {}

  int words() const { return words_; }
  uint64_t count() const { return count_; }
  // Sorts the run, writes it to the file and clears it.
  Status spill(ShortRun* run, Buffer* scratch);
  // Sorts the run and keeps it.
  void keep(ShortRun run, Buffer* scratch);
  void clear();

 private:
  friend class ShortReader;
  friend class ShortMerge;
  // A sorted run: in memory, or in the file with every kBlockRecords-th record in memory.
  struct Run {
    uint64_t count = 0;
    ShortRun kept;
    bool on_disk = false;
    uint64_t offset = 0;
    Buffer samples;
  };
  void take(Run run);

  SpillFile* const file_;
  const int words_;
  std::mutex mutex_;
  std::vector<Run> runs_;
  uint64_t count_ = 0;
};

// Finds records in the runs by their place. Belongs to one thread.
class ShortReader {
 public:
  explicit ShortReader(const ShortRuns& runs);

  // How many records of each run are among the first `rank` of all. REQUIRES: rank <= count().
  Result<std::vector<uint64_t>> positions(uint64_t rank);
  // The record before those of `begin`; nothing when there is none.
  Result<bool> record_before(const std::vector<uint64_t>& begin, ShortKey* key);

 private:
  struct Block {
    uint64_t index = UINT64_MAX;
    Buffer records;
  };
  Result<const uint8_t*> record(size_t run, uint64_t index);
  Result<uint64_t> lower_bound(size_t run, uint64_t low, uint64_t high, const ShortKey& key);

  const ShortRuns& runs_;
  std::vector<Block> blocks_;  // of each run, the one read last
};

// The records between two results of positions(), in order. Belongs to one thread.
class ShortMerge {
 public:
  ShortMerge(const ShortRuns& runs, const std::vector<uint64_t>& begin,
             const std::vector<uint64_t>& end);

  // The next record, which lives until the next call; nullptr at the end, or when status() fails.
  const ShortKey* next();
  const Status& status() const { return status_; }

 private:
  struct Source {
    ShortKey key;
    const uint8_t* at = nullptr;  // of the next record in memory
    const uint8_t* end = nullptr;
    uint64_t offset = 0;  // of those in the file that come after
    uint64_t left = 0;
    Buffer buffer;
  };
  bool advance(Source* source);
  bool refill(Source* source);
  void start();
  void sift_down(size_t place);

  const ShortRuns& runs_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<Source*> heap_;  // the least on top
  bool started_ = false;
  Status status_;
};

}  // namespace headrace
