#include "source/arrow_ipc_check.h"

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace headrace {
namespace {

using arrow::ArrayData;
using arrow::Status;

Status out_of_bounds(const ArrayData& data) {
  return Status::Invalid("values of type ", data.type->ToString(), " lie outside of their buffers");
}

// validate() has checked the first and the last offset.
template <typename Offset>
Status check_offsets(const ArrayData& data) {
  if (data.length == 0) return Status::OK();
  const auto* offsets = data.GetValues<Offset>(1);
  bool sorted = offsets[0] >= 0;
  for (int64_t i = 0; i < data.length; ++i) sorted &= offsets[i] <= offsets[i + 1];
  return sorted ? Status::OK() : out_of_bounds(data);
}

bool is_valid(const ArrayData& data, int64_t i) {
  return data.buffers[0] == nullptr ||
         arrow::bit_util::GetBit(data.buffers[0]->data(), data.offset + i);
}

Status check_views(const ArrayData& data) {
  const auto* views = data.GetValues<arrow::BinaryViewType::c_type>(1);
  const auto buffers = static_cast<int64_t>(data.buffers.size()) - 2;
  for (int64_t i = 0; i < data.length; ++i) {
    const auto& view = views[i];
    if (view.is_inline() && view.size() >= 0) continue;
    if (!is_valid(data, i)) continue;
    const bool inside = view.size() >= 0 && view.ref.buffer_index >= 0 &&
                        view.ref.buffer_index < buffers && view.ref.offset >= 0 &&
                        int64_t{view.ref.offset} + view.size() <=
                            data.buffers[static_cast<size_t>(view.ref.buffer_index) + 2]->size();
    if (!inside) return out_of_bounds(data);
  }
  return Status::OK();
}

template <typename Index>
Status check_indexes(const ArrayData& data) {
  const auto* indexes = data.GetValues<Index>(1);
  const auto entries = static_cast<uint64_t>(data.dictionary->length);
  for (int64_t i = 0; i < data.length; ++i) {
    // A negative index becomes a large number.
    if (static_cast<uint64_t>(indexes[i]) >= entries && is_valid(data, i))
      return out_of_bounds(data);
  }
  return Status::OK();
}

Status check_dictionary(const ArrayData& data) {
  if (data.dictionary == nullptr) return Status::Invalid("a dictionary is missing");
  switch (static_cast<const arrow::DictionaryType&>(*data.type).index_type()->id()) {
    case arrow::Type::INT8:
      return check_indexes<int8_t>(data);
    case arrow::Type::UINT8:
      return check_indexes<uint8_t>(data);
    case arrow::Type::INT16:
      return check_indexes<int16_t>(data);
    case arrow::Type::UINT16:
      return check_indexes<uint16_t>(data);
    case arrow::Type::INT32:
      return check_indexes<int32_t>(data);
    case arrow::Type::UINT32:
      return check_indexes<uint32_t>(data);
    default:
      return check_indexes<int64_t>(data);
  }
}

Status check_data(const ArrayData& data, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      ARROW_RETURN_NOT_OK(check_offsets<int32_t>(data));
      break;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::LARGE_LIST:
      ARROW_RETURN_NOT_OK(check_offsets<int64_t>(data));
      break;
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return check_views(data);
    case arrow::Type::DICTIONARY:
      ARROW_RETURN_NOT_OK(check_dictionary(data));
      return check_data(*data.dictionary, *data.dictionary->type);
    case arrow::Type::EXTENSION:
      return check_data(data, *static_cast<const arrow::ExtensionType&>(type).storage_type());
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
    case arrow::Type::SPARSE_UNION:
    case arrow::Type::DENSE_UNION:
    case arrow::Type::RUN_END_ENCODED:
      return arrow::MakeArray(data.Copy())->ValidateFull();
    default:
      break;
  }
  for (const auto& child : data.child_data) ARROW_RETURN_NOT_OK(check_data(*child, *child->type));
  return Status::OK();
}

}  // namespace

Status check_batch(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(batch.Validate());
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto data = batch.column_data(i);
    ARROW_RETURN_NOT_OK(check_data(*data, *data->type));
  }
  return Status::OK();
}

}  // namespace headrace
