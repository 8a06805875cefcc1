#include "base/slab_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace headrace {
namespace {

constexpr size_t kHugePageBytes = 2 << 20;
constexpr size_t kSlabBytes = 8 << 20;
constexpr size_t kSmallestChunk = 4096;

// Anonymous memory aligned to huge pages.
uint8_t* map_slab(size_t size) {
  const size_t mapped = size + kHugePageBytes;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<uint8_t*>(memory);
  const size_t skew = (kHugePageBytes - reinterpret_cast<uintptr_t>(begin) % kHugePageBytes) % kHugePageBytes;
  if (skew > 0) munmap(begin, skew);
  if (skew < kHugePageBytes) munmap(begin + skew + size, kHugePageBytes - skew);
  madvise(begin + skew, size, MADV_HUGEPAGE);  // only advice: small pages work too
  return begin + skew;
}

// Four sizes for each power of two, so that at most a fifth is wasted.
size_t size_class(size_t bytes) {
  if (bytes <= kSmallestChunk) return kSmallestChunk;
  const size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

SlabPool::~SlabPool() {
  for (const Slab& slab : slabs_) munmap(slab.data, slab.size);
}

SlabPool::Chunk SlabPool::take(size_t bytes) {
  const size_t capacity = size_class(bytes);
  std::lock_guard lock(mutex_);
  auto& free = free_[capacity];
  if (!free.empty()) {
    uint8_t* data = free.back();
    free.pop_back();
    return {data, capacity};
  }
  if (slabs_.empty() || used_of_last_ + capacity > slabs_.back().size) {
    const size_t size = std::max(kSlabBytes, (capacity + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes);
    slabs_.push_back({map_slab(size), size});
    used_of_last_ = 0;
  }
  uint8_t* data = slabs_.back().data + used_of_last_;
  used_of_last_ += capacity;
  return {data, capacity};
}

void SlabPool::give_back(Chunk chunk) {
  std::lock_guard lock(mutex_);
  free_[chunk.capacity].push_back(chunk.data);
}

int64_t SlabPool::slab_bytes() const {
  std::lock_guard lock(mutex_);
  int64_t total = 0;
  for (const Slab& slab : slabs_) total += static_cast<int64_t>(slab.size);
  return total;
}

}  // namespace headrace
