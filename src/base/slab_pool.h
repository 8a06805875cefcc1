// SlabPool: memory for column buffers, used again and again. First touch of fresh memory costs more than
// decoding into it, so chunks are carved from large slabs in huge pages and never returned before the
// pool ends.
//
// Thread-safe: chunks are taken by reader threads and given back by workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace headrace {

class SlabPool : public std::enable_shared_from_this<SlabPool> {
 public:
  struct Chunk {
    uint8_t* data = nullptr;
    size_t capacity = 0;
  };

  ~SlabPool();

  // At least `bytes`, aligned to 64; contents undefined. Throws std::bad_alloc.
  Chunk take(size_t bytes);
  void give_back(Chunk chunk);

  int64_t slab_bytes() const;

 private:
  struct Slab {
    uint8_t* data;
    size_t size;
  };

  mutable std::mutex mutex_;
  std::vector<Slab> slabs_;
  size_t used_of_last_ = 0;
  std::map<size_t, std::vector<uint8_t*>> free_;  // by capacity
};

// A chunk that goes back to its pool by itself.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  PooledBuffer(std::shared_ptr<SlabPool> pool, size_t bytes) : pool_(std::move(pool)) {
    chunk_ = pool_->take(bytes);
  }
  PooledBuffer(PooledBuffer&& o) noexcept : pool_(std::move(o.pool_)), chunk_(o.chunk_) {
    o.chunk_ = {};
  }
  PooledBuffer& operator=(PooledBuffer&& o) noexcept {
    std::swap(pool_, o.pool_);
    std::swap(chunk_, o.chunk_);
    return *this;
  }
  PooledBuffer(const PooledBuffer&) = delete;
  PooledBuffer& operator=(const PooledBuffer&) = delete;
  ~PooledBuffer() {
    if (chunk_.data != nullptr) pool_->give_back(chunk_);
  }

  uint8_t* data() { return chunk_.data; }
  const uint8_t* data() const { return chunk_.data; }
  size_t capacity() const { return chunk_.capacity; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(chunk_.data);
  }

 private:
  std::shared_ptr<SlabPool> pool_;
  SlabPool::Chunk chunk_;
};

}  // namespace headrace
