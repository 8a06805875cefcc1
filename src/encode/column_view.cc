#include "encode/column_view.h"

#include <fmt/format.h>

namespace headrace {
namespace {

Error broken(const DataType& type, const char* what) {
  return Error(ErrorCode::kSource, fmt::format("Arrow array of type {}: {}", type_name(type), what),
               "the producer of this data breaks the Arrow C data interface");
}

// Buffers that a type must have, the validity bitmap included; -1: validity, views, variadic.
int buffer_count(TypeId id) {
  switch (id) {
    case TypeId::kNull:
    case TypeId::kRunEndEncoded: return 0;
    case TypeId::kStruct:
    case TypeId::kFixedSizeList: return 1;
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
    case TypeId::kBinary:
    case TypeId::kLargeBinary:
    case TypeId::kListView:
    case TypeId::kLargeListView: return 3;
    case TypeId::kUtf8View:
    case TypeId::kBinaryView: return -1;
    default: return 2;
  }
}

}  // namespace

Result<ColumnView> make_column_view(const ArrowArray& array, const DataType& type) {
  ColumnView view;
  view.type = &type;
  view.length = array.length;
  view.offset = array.offset;
  if (type.id == TypeId::kUnion) return view;  // no codec reads it
  // Before Arrow 1.0 these had a validity bitmap; polars still sends its place.
  if (type.id == TypeId::kNull && array.n_buffers == 1) return view;
  const int wanted = buffer_count(type.id);
  if (wanted >= 0 ? array.n_buffers != wanted : array.n_buffers < 2) {
    return broken(type, "wrong number of buffers");
  }
  if (array.n_buffers > 0 && array.null_count != 0) {
    view.validity = static_cast<const uint8_t*>(array.buffers[0]);
  }
  if (wanted == 3) {
    view.offsets = array.buffers[1];
    view.data = static_cast<const uint8_t*>(array.buffers[2]);
  } else if (array.n_buffers > 1) {
    view.values = array.buffers[1];
    view.offsets = array.buffers[1];  // list and map: their second buffer is the offsets
  }
  if (array.length > 0 && array.n_buffers > 1 && array.buffers[1] == nullptr) {
    return broken(type, "a buffer is missing");
  }
  if (wanted < 0) {
    view.view_buffers = array.buffers + 2;
    view.view_buffer_count = array.n_buffers - 3;
  }
  if (type.id == TypeId::kDictionary) {
    if (array.dictionary == nullptr) return broken(type, "the dictionary is missing");
    HEADRACE_ASSIGN(ColumnView dictionary,
                    make_column_view(*array.dictionary, type.children[0].type));
    view.dictionary = std::make_unique<ColumnView>(std::move(dictionary));
    return view;
  }
  if (array.n_children != static_cast<int64_t>(type.children.size())) {
    return broken(type, "wrong number of children");
  }
  for (int64_t i = 0; i < array.n_children; ++i) {
    HEADRACE_ASSIGN(ColumnView child, make_column_view(*array.children[i], type.children[i].type));
    view.children.push_back(std::move(child));
  }
  return view;
}

}  // namespace headrace
