// Nested types in short; support/arrays.h says what their raw values are.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "headrace/schema.h"

namespace headrace::test {

inline DataType list_of(DataType item, TypeId id = TypeId::kList) {
  DataType type;
  type.id = id;
  type.children = {{"item", std::move(item), true}};
  return type;
}

inline DataType fixed_list_of(DataType item, int size) {
  DataType type = list_of(std::move(item), TypeId::kFixedSizeList);
  type.byte_width = size;
  return type;
}

inline DataType struct_of(std::vector<std::pair<std::string, DataType>> fields) {
  DataType type;
  type.id = TypeId::kStruct;
  for (auto& [name, field] : fields) type.children.push_back({name, std::move(field), true});
  return type;
}

inline DataType map_of(DataType key, DataType value) {
  DataType type;
  type.id = TypeId::kMap;
  DataType entry = struct_of({{"key", std::move(key)}, {"value", std::move(value)}});
  entry.children[0].nullable = false;
  type.children = {{"entries", std::move(entry), false}};
  return type;
}

}  // namespace headrace::test
