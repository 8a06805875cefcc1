// SpillFile: an unnamed temporary file in the target's folder, for what does not fit into memory.
// It has no name, so nothing of it is left when the process dies.
//
// Spool: bytes that are written once from front to back and then read so; past a limit in a file.
//
// SpillFile is thread-safe; a Spool belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "headrace/result.h"

namespace headrace {

class SpillFile {
 public:
  // `target`: the file that the load makes.
  explicit SpillFile(std::string target) : target_(std::move(target)) {}
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  // A place for `bytes` bytes; the first call makes the file.
  Result<uint64_t> reserve(uint64_t bytes);
  Status write(const uint8_t* bytes, size_t count, uint64_t offset) const;
  Status read(uint8_t* bytes, size_t count, uint64_t offset) const;

 private:
  Status create();

  const std::string target_;
  std::mutex mutex_;
  int fd_ = -1;
  uint64_t end_ = 0;
};

class Spool {
 public:
  explicit Spool(SpillFile* file) : file_(file) {}

  Status append(const void* bytes, size_t count);
  uint64_t items = 0;  // for the user's own count

  // Reads from the front. The spool must not change meanwhile.
  class Reader {
   public:
    explicit Reader(const Spool& spool) : spool_(spool) {}
    // The next `count` bytes, which live until the next call. REQUIRES: they were appended.
    Result<const uint8_t*> next(size_t count);

   private:
    const Spool& spool_;
    Buffer piece_;         // of the file, or what a file and the memory share
    uint64_t piece_at_ = 0;  // its place in the spool
    uint64_t at_ = 0;
  };

 private:
  friend class Reader;
  struct Extent {
    uint64_t begin = 0;  // in the spool
    uint64_t offset = 0;  // in the file
    uint64_t bytes = 0;
  };
  Status copy(uint64_t at, uint8_t* out, size_t count) const;

  SpillFile* file_;
  Buffer memory_;  // the end of the spool
  std::vector<Extent> extents_;
  uint64_t written_ = 0;
};

}  // namespace headrace
