#include "source/parquet_flat.h"

#include <fmt/format.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <algorithm>
#include <array>

#include "source/parquet_flat_columns.h"

namespace headrace {
namespace {

// ---- from buffers to an ArrowArray ----

struct BatchNode {
  std::vector<ColumnBuffers> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;
  std::vector<std::array<const void*, 3>> pointers;
  const void* no_validity = nullptr;
};

void release_child(ArrowArray* array) { array->release = nullptr; }

void release_batch(ArrowArray* array) {
  delete static_cast<BatchNode*>(array->private_data);
  array->release = nullptr;
}

ArrowArray export_batch(std::unique_ptr<BatchNode> node, int64_t rows) {
  const size_t columns = node->buffers.size();
  node->children.resize(columns);
  node->pointers.resize(columns);
  for (size_t i = 0; i < columns; ++i) {
    ColumnBuffers& b = node->buffers[i];
    node->pointers[i] = {b.validity.data(), b.values.data(), b.data.data()};
    ArrowArray& child = node->children[i];
    child = ArrowArray{};
    child.length = rows;
    child.null_count = b.null_count;
    child.n_buffers = b.data.data() != nullptr ? 3 : 2;
    child.buffers = node->pointers[i].data();
    child.release = release_child;
    node->child_pointers.push_back(&child);
  }
  ArrowArray array{};
  array.length = rows;
  array.n_buffers = 1;
  array.buffers = &node->no_validity;
  array.n_children = static_cast<int64_t>(columns);
  array.children = node->child_pointers.data();
  array.release = release_batch;
  array.private_data = node.release();
  return array;
}

class FlatReader final : public BatchReader {
 public:
  FlatReader(std::unique_ptr<parquet::ParquetFileReader> file, const Partition& partition,
             std::vector<FlatColumn> columns, int64_t first_file_row, int64_t batch_rows,
             std::shared_ptr<SlabPool> pool)
      : file_(std::move(file)),
        partition_(partition),
        columns_(std::move(columns)),
        row_(first_file_row),
        batch_rows_(batch_rows) {
    auto schema = std::make_shared<Schema>();
    for (const FlatColumn& column : columns_) {
      const parquet::ColumnDescriptor* d = file_->metadata()->schema()->Column(column.leaf_index);
      sources_.push_back(column_maker(*d, column.field.type)(d, pool));
      schema->fields.push_back(column.field);
    }
    schema_ = std::move(schema);
  }

  Result<std::unique_ptr<RecordBatch>> next() override {
    try {
      while (left_ == 0) {
        if (group_ == partition_.row_groups.size()) return std::unique_ptr<RecordBatch>();
        start_row_group(partition_.row_groups[group_++]);
      }
      return read_batch(std::min(left_, batch_rows_));
    } catch (const parquet::ParquetException& e) {
      Error error(ErrorCode::kSource, fmt::format("cannot read Parquet data: {}", e.what()),
                  "the file is damaged or was written wrongly; write it again");
      error.where.file = partition_.uri;
      error.where.partition = partition_.index;
      return error;
    }
  }

  int64_t bytes_read() const override { return bytes_read_; }

 private:
  void start_row_group(int index) {
    row_group_ = file_->RowGroup(index);
    left_ = row_group_->metadata()->num_rows();
    if (left_ == 0) return;
    for (size_t i = 0; i < columns_.size(); ++i) {
      sources_[i]->start(row_group_->Column(columns_[i].leaf_index));
      bytes_read_ += row_group_->metadata()->ColumnChunk(columns_[i].leaf_index)->total_compressed_size();
    }
  }

  std::unique_ptr<RecordBatch> read_batch(int64_t rows) {
    auto node = std::make_unique<BatchNode>();
    node->buffers.resize(columns_.size());
    auto batch = std::make_unique<RecordBatch>();
    for (size_t i = 0; i < columns_.size(); ++i) {
      sources_[i]->read(rows, &node->buffers[i]);
      batch->byte_count += node->buffers[i].byte_count;
    }
    ArrowArray array = export_batch(std::move(node), rows);
    batch->array = OwnedArray(&array);
    batch->schema = schema_;
    batch->partition = partition_.index;
    batch->partition_row = row_;
    row_ += rows;
    left_ -= rows;
    return batch;
  }

  std::unique_ptr<parquet::ParquetFileReader> file_;
  const Partition partition_;
  const std::vector<FlatColumn> columns_;
  std::shared_ptr<const Schema> schema_;
  std::vector<std::unique_ptr<ColumnSource>> sources_;
  std::shared_ptr<parquet::RowGroupReader> row_group_;
  size_t group_ = 0;
  int64_t left_ = 0;  // rows of the current row group
  int64_t row_;       // of the file
  const int64_t batch_rows_;
  int64_t bytes_read_ = 0;
};

}  // namespace

std::optional<Field> flat_field(const parquet::ColumnDescriptor& column, const Field& arrow_field) {
  if (column.max_repetition_level() > 0 || column.max_definition_level() > 1) return std::nullopt;
  Field field = arrow_field;
  // A dictionary is how a writer held the column in memory; in the file it is its value type.
  if (field.type.id == TypeId::kDictionary) field.type = DataType(field.type.children[0].type);
  if (column_maker(column, field.type) == nullptr) return std::nullopt;
  switch (field.type.id) {
    case TypeId::kUtf8:
    case TypeId::kUtf8View: field.type.id = TypeId::kLargeUtf8; break;
    case TypeId::kBinary:
    case TypeId::kBinaryView: field.type.id = TypeId::kLargeBinary; break;
    case TypeId::kDecimal:
      field.type.bit_width = column.physical_type() == parquet::Type::INT32 ? 32 : 64;
      break;
    default: break;
  }
  return field;
}

Result<std::unique_ptr<BatchReader>> open_flat_reader(
    std::unique_ptr<parquet::ParquetFileReader> file, const Partition& partition,
    std::vector<FlatColumn> columns, int64_t first_file_row, int64_t batch_rows,
    std::shared_ptr<SlabPool> pool) {
  return std::unique_ptr<BatchReader>(std::make_unique<FlatReader>(
      std::move(file), partition, std::move(columns), first_file_row, batch_rows, std::move(pool)));
}

}  // namespace headrace
