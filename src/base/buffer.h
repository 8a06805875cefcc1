// A growable byte buffer that never clears memory and keeps its capacity: first touch of fresh
// memory costs more than the encoding that fills it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace headrace {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)),
        size_(std::exchange(o.size_, 0)),
        capacity_(std::exchange(o.capacity_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  void clear() { size_ = 0; }

  // Makes room for `more` bytes after size(); throws std::bad_alloc.
  void reserve_more(size_t more) {
    if (size_ + more > capacity_) grow(size_ + more);
  }
  // Appends `count` bytes whose content the caller writes; returns where.
  uint8_t* extend(size_t count) {
    reserve_more(count);
    uint8_t* at = data_ + size_;
    size_ += count;
    return at;
  }
  void append(const void* bytes, size_t count) {
    if (count > 0) std::memcpy(extend(count), bytes, count);
  }
  // REQUIRES: size <= capacity().
  void set_size(size_t size) { size_ = size; }

 private:
  void grow(size_t needed) {
    size_t capacity = capacity_ + capacity_ / 2;
    if (capacity < needed) capacity = needed;
    if (capacity < 4096) capacity = 4096;
    void* moved = std::realloc(data_, capacity);
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(moved);
    capacity_ = capacity;
  }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace headrace
