// Rows of a list column as ranges of rows of its child: list, large_list, fixed_size_list,
// list_view, large_list_view, and map, whose child is a struct of key and value.
//
//   list             child rows offsets[offset + i] to offsets[offset + i + 1]
//   list_view        child rows offsets[offset + i], sizes[offset + i] of them, in any order
//   fixed_size_list  child rows (offset + i) * n, n of them
//
// A child has an offset of its own, which its own readers add.
#pragma once

#include <cstdint>

#include "encode/column_view.h"

namespace headrace {

// Rows [begin, end) of a child.
struct ChildRows {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

inline bool is_list(TypeId id) {
  return id >= TypeId::kList && id <= TypeId::kLargeListView;
}

class ListReader {
 public:
  ListReader() = default;
  explicit ListReader(const ColumnView& column)
      : id_(column.type->id),
        width_(column.type->byte_width),
        offset_(column.offset),
        child_length_(column.children[0].length),
        offsets_(column.offsets),
        sizes_(column.data) {}

  // REQUIRES: the row is not null.
  ChildRows operator[](int64_t row) const {
    const int64_t at = row + offset_;
    switch (id_) {
      case TypeId::kFixedSizeList:
        return {at * width_, (at + 1) * width_};
      case TypeId::kLargeList:
        return {wide()[at], wide()[at + 1]};
      case TypeId::kListView:
        return {narrow()[at], int64_t{narrow()[at]} + narrow_sizes()[at]};
      case TypeId::kLargeListView:
        return {wide()[at], wide()[at] + wide_sizes()[at]};
      default:
        return {narrow()[at], narrow()[at + 1]};
    }
  }

  // Whether the child has these rows. Where it has not, the producer broke the format.
  bool holds(ChildRows rows) const {
    return rows.begin >= 0 && rows.begin <= rows.end && rows.end <= child_length_;
  }

 private:
  const int32_t* narrow() const { return static_cast<const int32_t*>(offsets_); }
  const int64_t* wide() const { return static_cast<const int64_t*>(offsets_); }
  const int32_t* narrow_sizes() const { return reinterpret_cast<const int32_t*>(sizes_); }
  const int64_t* wide_sizes() const { return reinterpret_cast<const int64_t*>(sizes_); }

  TypeId id_ = TypeId::kList;
  int64_t width_ = 0;
  int64_t offset_ = 0;
  int64_t child_length_ = 0;
  const void* offsets_ = nullptr;
  const uint8_t* sizes_ = nullptr;
};

inline constexpr const char* kBadListOffsets = "the list's offsets lie outside its items";

}  // namespace headrace
