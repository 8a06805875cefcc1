// StandardInput: the bytes of file descriptor 0, with those put back that were read to recognise
// them.
//
// One per process, as there is one descriptor. Belongs to one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "headrace/result.h"

namespace headrace {

class StandardInput {
 public:
  static StandardInput& get();

  // Waiting for input ends with kCancelled soon after *cancel becomes true; may be nullptr.
  void set_cancel(const std::atomic<bool>* cancel) { cancel_ = cancel; }

  // Up to `count` bytes; fewer only at the end.
  Result<int64_t> read(void* out, int64_t count);

  // The first bytes, fewer than `count` only at the end; they are still there for read().
  Result<std::string> peek(int64_t count);

  // They are read next.
  void put_back(std::string bytes);

  int64_t position() const { return position_; }

 private:
  Result<int64_t> read_some(void* out, int64_t count);

  std::string pending_;       // put back
  size_t pending_taken_ = 0;  // of it, read again
  int64_t position_ = 0;
  const std::atomic<bool>* cancel_ = nullptr;
};

}  // namespace headrace
