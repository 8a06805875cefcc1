// RAII owners for the Arrow C Data Interface, and the RecordBatch that travels inside headrace.
//
// Ownership: OwnedArray and OwnedSchema call release() exactly once. Views into them
// (encode/column_view.h) never outlive them.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "headrace/arrow_c_data.h"
#include "headrace/result.h"
#include "headrace/schema.h"

namespace headrace {

template <typename T>
class ArrowOwner {
 public:
  ArrowOwner() : value_{} {}
  explicit ArrowOwner(T* source) : value_(*source) { source->release = nullptr; }  // takes over
  ArrowOwner(ArrowOwner&& o) noexcept : value_(o.value_) { o.value_.release = nullptr; }
  ArrowOwner& operator=(ArrowOwner&& o) noexcept {
    std::swap(value_, o.value_);
    return *this;
  }
  ArrowOwner(const ArrowOwner&) = delete;
  ArrowOwner& operator=(const ArrowOwner&) = delete;
  ~ArrowOwner() { reset(); }

  void reset() {
    if (value_.release != nullptr) value_.release(&value_);
    value_.release = nullptr;
  }
  T* get() { return &value_; }
  const T* get() const { return &value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  explicit operator bool() const { return value_.release != nullptr; }

 private:
  T value_;
};

using OwnedArray = ArrowOwner<ArrowArray>;
using OwnedSchema = ArrowOwner<ArrowSchema>;
using OwnedStream = ArrowOwner<ArrowArrayStream>;

// Rows of one partition: a struct array whose children are the columns of `schema`.
struct RecordBatch {
  OwnedArray array;
  std::shared_ptr<const Schema> schema;
  int64_t partition = 0;
  int64_t partition_row = 0;  // first row within the partition's file or stream, 0-based
  int64_t byte_count = 0;     // memory the batch holds, for the read-ahead bound
  // Set when the batch leaves the queue, in source order:
  int64_t sequence = 0;   // 0, 1, 2, ...
  int64_t first_row = 0;  // over the whole load, 0-based

  int64_t row_count() const { return array->length; }
};

// Reads an ArrowSchema of struct type. Fails with kUnsupported on a format it does not know.
Result<Schema> schema_from_arrow(const ArrowSchema& schema);
Result<Field> field_from_arrow(const ArrowSchema& schema);

// Writes `schema` as an ArrowSchema of struct type that the caller releases.
OwnedSchema schema_to_arrow(const Schema& schema);

// Bytes of all buffers that an array of this type refers to; a good estimate of its memory.
int64_t array_bytes(const ArrowArray& array, const DataType& type);

}  // namespace headrace
