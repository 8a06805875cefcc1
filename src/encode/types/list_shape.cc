#include "encode/types/list_shape.h"

#include <fmt/format.h>

namespace headrace {

void ListShapes::start(const ColumnView& column) {
  depth_ = 0;
  leaf_ = &column;
  for (; is_list(leaf_->type->id); leaf_ = &leaf_->children[0]) {
    const auto level = static_cast<size_t>(depth_++);
    lists_[level] = ListReader(*leaf_);
    columns_[level] = leaf_;
  }
}

bool ListShapes::read(int64_t row, pg_array::Shape* shape, std::vector<ChildRows>* runs,
                      std::string* reason) const {
  const ChildRows rows = lists_[0][row];
  if (!lists_[0].holds(rows)) [[unlikely]] {
    *reason = kBadListOffsets;
    return false;
  }
  shape->dimensions = rows.size() == 0 ? 0 : depth_;
  if (rows.size() == 0) return true;
  shape->sizes = {rows.size()};
  if (depth_ == 1) {
    runs->push_back(rows);
  } else if (!read_inner(1, rows, shape, runs, reason)) {
    return false;
  }
  if (shape->elements() <= pg_array::kMaxElements) [[likely]] return true;
  *reason = fmt::format("a list of {} items; a PostgreSQL array holds {}", shape->elements(),
                        pg_array::kMaxElements);
  return false;
}

// The lists of one level must all have the size of the first.
bool ListShapes::set_size(int level, int64_t size, pg_array::Shape* shape,
                          std::string* reason) const {
  int64_t& known = shape->sizes[static_cast<size_t>(level)];
  if (size == 0) {
    *reason = "holds an empty inner list; a PostgreSQL array has none";
    return false;
  }
  if (known == 0) known = size;
  if (known == size) return true;
  *reason = fmt::format(
      "inner lists of {} and of {} items; those of a PostgreSQL array have one size", known, size);
  return false;
}

bool ListShapes::read_inner(int level, ChildRows rows, pg_array::Shape* shape,
                            std::vector<ChildRows>* runs, std::string* reason) const {
  const auto at = static_cast<size_t>(level);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    if (columns_[at]->is_null(row)) {
      *reason = "holds an inner list that is NULL; a PostgreSQL array has none";
      return false;
    }
    const ChildRows inner = lists_[at][row];
    if (!lists_[at].holds(inner)) {
      *reason = kBadListOffsets;
      return false;
    }
    if (!set_size(level, inner.size(), shape, reason)) return false;
    if (level + 1 < depth_) {
      if (!read_inner(level + 1, inner, shape, runs, reason)) return false;
    } else if (row > rows.begin && runs->back().end == inner.begin) {
      runs->back().end = inner.end;
    } else {
      runs->push_back(inner);
    }
  }
  return true;
}

}  // namespace headrace
