// ColumnView: one Arrow array seen by its buffers; owns nothing but its children's views.
// Valid as long as the ArrowArray it was made from.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "headrace/arrow_c_data.h"
#include "headrace/result.h"
#include "headrace/schema.h"

namespace headrace {

struct ColumnView {
  const DataType* type = nullptr;
  int64_t length = 0;
  int64_t offset = 0;                 // of row 0 in the buffers
  const uint8_t* validity = nullptr;  // nullptr: no nulls
  const void* values = nullptr;       // fixed-width values, bits, views, or dictionary indexes
  const void* offsets = nullptr;      // int32 or int64, for utf8, binary, list
  const uint8_t* data = nullptr;      // bytes of utf8 and binary
  const void* const* view_buffers = nullptr;  // variadic buffers of utf8_view and binary_view
  int64_t view_buffer_count = 0;
  std::unique_ptr<ColumnView> dictionary;
  std::vector<ColumnView> children;

  bool is_null(int64_t row) const {
    if (validity == nullptr) return false;
    const int64_t bit = row + offset;
    return ((validity[bit >> 3] >> (bit & 7)) & 1) == 0;
  }
};

// Fails with kSource when the array does not have the buffers its type demands.
Result<ColumnView> make_column_view(const ArrowArray& array, const DataType& type);

// ---- Readers: value of row i, 0-based within the column. REQUIRES: the row is not null. ----

template <typename T>
struct FixedReader {
  using Value = T;
  const T* values;
  explicit FixedReader(const ColumnView& c) : values(static_cast<const T*>(c.values) + c.offset) {}
  T operator[](int64_t i) const { return values[i]; }
};

struct BoolReader {
  using Value = bool;
  const uint8_t* bits;
  int64_t offset;
  explicit BoolReader(const ColumnView& c)
      : bits(static_cast<const uint8_t*>(c.values)), offset(c.offset) {}
  bool operator[](int64_t i) const {
    const int64_t bit = i + offset;
    return (bits[bit >> 3] >> (bit & 7)) & 1;
  }
};

template <typename Offset>
struct BytesReader {
  using Value = std::string_view;
  const Offset* offsets;
  const char* data;
  explicit BytesReader(const ColumnView& c)
      : offsets(static_cast<const Offset*>(c.offsets) + c.offset),
        data(reinterpret_cast<const char*>(c.data)) {}
  std::string_view operator[](int64_t i) const {
    return {data + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
};

// utf8_view, binary_view: 16 bytes a value: length, then 12 inline bytes or
// prefix[4], buffer index, offset.
struct ViewReader {
  using Value = std::string_view;
  struct View {
    int32_t length;
    char head[4];
    int32_t buffer;
    int32_t offset;
  };
  const View* views;
  const void* const* buffers;
  explicit ViewReader(const ColumnView& c)
      : views(static_cast<const View*>(c.values) + c.offset), buffers(c.view_buffers) {}
  std::string_view operator[](int64_t i) const {
    const View& v = views[i];
    const char* bytes = v.length <= 12
                            ? v.head
                            : static_cast<const char*>(buffers[v.buffer]) + v.offset;
    return {bytes, static_cast<size_t>(v.length)};
  }
};

struct FixedBytesReader {
  using Value = std::string_view;
  const char* values;
  size_t width;
  explicit FixedBytesReader(const ColumnView& c)
      : values(static_cast<const char*>(c.values) + c.offset * c.type->byte_width),
        width(static_cast<size_t>(c.type->byte_width)) {}
  std::string_view operator[](int64_t i) const { return {values + i * width, width}; }
};

}  // namespace headrace
