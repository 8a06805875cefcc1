// A value of a list column as a PostgreSQL array: how many items each dimension has, and which rows
// of the innermost child they are.
#pragma once

#include <string>
#include <vector>

#include "encode/format/pg_array.h"
#include "encode/types/list_rows.h"

namespace headrace {

// Lists within lists, and what the innermost ones hold.
inline const DataType& leaf_type(const DataType& type) {
  return is_list(type.id) ? leaf_type(type.children[0].type) : type;
}
inline int list_depth(const DataType& type) {
  return is_list(type.id) ? 1 + list_depth(type.children[0].type) : 0;
}

// Belongs to one batch. REQUIRES: list_depth(*column.type) is 1 to pg_array::kMaxDimensions.
class ListShapes {
 public:
  // `column` may move afterwards; what it holds may not.
  void start(const ColumnView& column);

  const ColumnView& leaf() const { return *leaf_; }

  // Appends to `runs` the rows of the leaf that row `row` of the column holds, in order. False when
  // PostgreSQL has no array for it; `reason` then says why. REQUIRES: the row is not null.
  bool read(int64_t row, pg_array::Shape* shape, std::vector<ChildRows>* runs,
            std::string* reason) const;

 private:
  bool read_inner(int level, ChildRows rows, pg_array::Shape* shape, std::vector<ChildRows>* runs,
                  std::string* reason) const;
  bool set_size(int level, int64_t size, pg_array::Shape* shape, std::string* reason) const;

  int depth_ = 0;
  std::array<ListReader, pg_array::kMaxDimensions> lists_;
  // Of the inner lists: index 0 is not used.
  std::array<const ColumnView*, pg_array::kMaxDimensions> columns_{};
  const ColumnView* leaf_ = nullptr;
};

}  // namespace headrace
