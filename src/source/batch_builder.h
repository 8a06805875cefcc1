// BatchBuilder: puts a RecordBatch together from columns that others own, without copying.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/arrow_c.h"

namespace headrace {

// A column that lives as long as `owner`; `first` is its row that becomes row 0.
struct BorrowedColumn {
  std::shared_ptr<const void> owner;
  const ArrowArray* array = nullptr;
  int64_t first = 0;
};

class BatchBuilder {
 public:
  // `schema` is that of the batches.
  explicit BatchBuilder(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}

  // Rows [first, first + rows) of each column, in the order of the schema.
  std::unique_ptr<RecordBatch> build(std::vector<BorrowedColumn> columns, int64_t rows) const;

  const std::shared_ptr<const Schema>& schema() const { return schema_; }

 private:
  std::shared_ptr<const Schema> schema_;
};

// Child `child` of a struct array, from the struct's row `first` on.
BorrowedColumn borrow_child(std::shared_ptr<const OwnedArray> parent, int64_t child, int64_t first);

}  // namespace headrace
