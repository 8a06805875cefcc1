#include "source/batch_builder.h"

#include <utility>

namespace headrace {
namespace {

// What one batch's ArrowArray owns: its own copies of the column structs, and a share of their
// owners.
struct BorrowedBatch {
  std::vector<BorrowedColumn> columns;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  const void* no_validity = nullptr;
};

// The buffers of a child belong to its owner, not to the child.
void release_child(ArrowArray* array) { array->release = nullptr; }

void release_batch(ArrowArray* array) {
  delete static_cast<BorrowedBatch*>(array->private_data);
  array->release = nullptr;
}

ArrowArray slice(const ArrowArray& column, int64_t first, int64_t rows) {
  ArrowArray out = column;
  out.offset += first;
  out.length = rows;
  if (column.null_count != 0 && rows != column.length) out.null_count = -1;
  out.release = release_child;
  out.private_data = nullptr;
  return out;
}

}  // namespace

std::unique_ptr<RecordBatch> BatchBuilder::build(std::vector<BorrowedColumn> columns,
                                                 int64_t rows) const {
  auto batch = std::make_unique<RecordBatch>();
  auto owned = std::make_unique<BorrowedBatch>();
  owned->columns = std::move(columns);
  owned->children.reserve(owned->columns.size());
  for (size_t i = 0; i < owned->columns.size(); ++i) {
    const BorrowedColumn& column = owned->columns[i];
    owned->children.push_back(slice(*column.array, column.first, rows));
    owned->pointers.push_back(&owned->children.back());
    // The part of the whole column: a slice keeps all of its owner's memory alive.
    const int64_t bytes = array_bytes(*column.array, schema_->fields[i].type);
    if (column.array->length > 0) {
      batch->byte_count +=
          static_cast<int64_t>(static_cast<double>(bytes) * static_cast<double>(rows) /
                               static_cast<double>(column.array->length));
    }
  }
  ArrowArray array{};
  array.length = rows;
  array.n_buffers = 1;
  array.buffers = &owned->no_validity;
  array.n_children = static_cast<int64_t>(owned->children.size());
  array.children = owned->pointers.data();
  array.release = release_batch;
  array.private_data = owned.release();
  batch->array = OwnedArray(&array);
  batch->schema = schema_;
  return batch;
}

BorrowedColumn borrow_child(std::shared_ptr<const OwnedArray> parent, int64_t child,
                            int64_t first) {
  BorrowedColumn column;
  column.array = (*parent)->children[child];
  column.first = (*parent)->offset + first;
  column.owner = std::move(parent);
  return column;
}

}  // namespace headrace
