#include "source/arrow_cpp_shape.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/compute/cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "source/arrow_cpp.h"

namespace headrace {
namespace {

// `rows` times the value of a Hive folder.
arrow::Result<std::shared_ptr<arrow::Array>> repeated(const std::optional<std::string>& value,
                                                      const std::shared_ptr<arrow::DataType>& type,
                                                      int64_t rows) {
  arrow::MemoryPool* pool = source_memory_pool();
  if (!value) return arrow::MakeArrayOfNull(type, rows, pool);
  if (type->id() == arrow::Type::INT64) {
    int64_t number = 0;
    std::from_chars(value->data(), value->data() + value->size(), number);
    return arrow::MakeArrayFromScalar(arrow::Int64Scalar(number), rows, pool);
  }
  ARROW_ASSIGN_OR_RAISE(auto entry,
                        arrow::MakeArrayFromScalar(arrow::StringScalar(*value), 1, pool));
  ARROW_ASSIGN_OR_RAISE(auto indexes,
                        arrow::MakeArrayFromScalar(arrow::Int32Scalar(0), rows, pool));
  return arrow::DictionaryArray::FromArrays(type, indexes, entry);
}

Result<std::shared_ptr<const OwnedArray>> share_array(const arrow::Array& array,
                                                      const std::string& file) {
  ArrowArray exported{};
  HEADRACE_ARROW_TRY(arrow::ExportArray(array, &exported), file);
  return std::make_shared<const OwnedArray>(&exported);
}

BorrowedColumn whole(std::shared_ptr<const OwnedArray> array) {
  BorrowedColumn column;
  column.array = array->get();
  column.owner = std::move(array);
  return column;
}

// A copy of the struct that Arrow C++ may release: it holds a share of the column's owner.
ArrowArray lent(const BorrowedColumn& column, int64_t rows) {
  ArrowArray array = *column.array;
  array.offset += column.first;
  array.length = rows;
  if (array.null_count != 0) array.null_count = -1;
  array.private_data = new std::shared_ptr<const void>(column.owner);
  array.release = [](ArrowArray* a) {
    delete static_cast<std::shared_ptr<const void>*>(a->private_data);
    a->release = nullptr;
  };
  return array;
}

}  // namespace

Result<BatchShaper> BatchShaper::make(const UnifiedSchema& unified, size_t file,
                                      const Schema& delivered, const Partition& partition,
                                      const ReadOptions& options) {
  auto schema = std::make_shared<Schema>();
  for (int column : options.columns)
    schema->fields.push_back(unified.schema.fields[static_cast<size_t>(column)]);
  BatchShaper shaper(schema, partition);
  const auto& origins = unified.origins[file];
  for (int column : options.columns) {
    const int position = origins[static_cast<size_t>(column)].position;
    if (position >= 0) shaper.file_columns_.push_back(position);
  }
  auto& positions = shaper.file_columns_;
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  for (int column : options.columns) {
    const Field& field = unified.schema.fields[static_cast<size_t>(column)];
    const ColumnOrigin& origin = origins[static_cast<size_t>(column)];
    if (origin.position < 0) {
      HEADRACE_ASSIGN(Output output, shaper.constant_output(field, origin, options.batch_rows));
      shaper.outputs_.push_back(std::move(output));
      continue;
    }
    Output output;
    output.input = static_cast<int>(
        std::lower_bound(positions.begin(), positions.end(), origin.position) - positions.begin());
    output.from = delivered.fields[static_cast<size_t>(origin.position)];
    output.convert = !(output.from.type == field.type);
    shaper.outputs_.push_back(std::move(output));
  }
  return shaper;
}

Result<BatchShaper::Output> BatchShaper::constant_output(const Field& field,
                                                         const ColumnOrigin& origin,
                                                         int64_t rows) const {
  std::optional<std::string> value;
  if (origin.is_hive) {
    for (const auto& [name, text] : partition_.hive) {
      if (name == field.name) value = text;
    }
  }
  HEADRACE_ASSIGN(const auto type, arrow_type_of(field));
  HEADRACE_ARROW_ASSIGN(const auto array, repeated(value, type, rows), partition_.uri);
  Output output;
  HEADRACE_ASSIGN(output.constant, share_array(*array, partition_.uri));
  return output;
}

Result<BorrowedColumn> BatchShaper::converted(const Output& output, const Field& to,
                                              const BorrowedColumn& column, int64_t rows) const {
  HEADRACE_ASSIGN(const auto from_type, arrow_type_of(output.from));
  HEADRACE_ASSIGN(const auto to_type, arrow_type_of(to));
  ArrowArray lent_array = lent(column, rows);
  HEADRACE_ARROW_ASSIGN(const auto array, arrow::ImportArray(&lent_array, from_type),
                        partition_.uri);
  auto cast = arrow::compute::Cast(*array, to_type, arrow::compute::CastOptions::Safe());
  if (!cast.ok()) {
    Error error(
        ErrorCode::kRejectedValue,
        fmt::format("column {} of {}: {} to {}: {}", to.name, partition_.uri,
                    type_name(output.from.type), type_name(to.type), cast.status().message()),
        "the files have different types for this column, and a value does not fit the wider one");
    error.where.file = partition_.uri;
    error.where.column = to.name;
    return error;
  }
  HEADRACE_ASSIGN(auto shared, share_array(**cast, partition_.uri));
  return whole(std::move(shared));
}

Result<std::unique_ptr<RecordBatch>> BatchShaper::shape(const std::vector<BorrowedColumn>& columns,
                                                        int64_t rows, int64_t file_row) const {
  std::vector<BorrowedColumn> out;
  out.reserve(outputs_.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    if (output.input < 0) {
      out.push_back(whole(output.constant));
    } else if (output.convert) {
      HEADRACE_ASSIGN(BorrowedColumn column,
                      converted(output, builder_.schema()->fields[i],
                                columns[static_cast<size_t>(output.input)], rows));
      out.push_back(std::move(column));
    } else {
      out.push_back(columns[static_cast<size_t>(output.input)]);
    }
  }
  auto batch = builder_.build(std::move(out), rows);
  batch->partition = partition_.index;
  batch->partition_row = file_row;
  return batch;
}

}  // namespace headrace
