// Arrow arrays for tests, built by hand through the C data interface: any layout, also odd ones.
#pragma once

#include <cassert>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arrow_c.h"

namespace headrace::test {

// One value as raw bytes: little-endian for fixed-width types, "\0" or "\1" for bool, the content for
// text and bytes, raw_items of the items for lists, of the fields for structs, of key, value, key,
// value, ... for maps. nullopt is NULL.
using Raw = std::optional<std::string>;

template <typename T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// Values as one: '0' for NULL; '1', the size in 4 bytes, and the bytes for others.
inline std::string raw_items(const std::vector<Raw>& parts) {
  std::string out;
  for (const Raw& part : parts) {
    out += part ? '1' : '0';
    if (part) out += raw(static_cast<uint32_t>(part->size())) + *part;
  }
  return out;
}

inline std::vector<Raw> items_of(const std::string& bytes) {
  std::vector<Raw> parts;
  for (size_t at = 0; at < bytes.size();) {
    if (bytes[at++] == '0') {
      parts.emplace_back();
      continue;
    }
    uint32_t size;
    std::memcpy(&size, bytes.data() + at, 4);
    parts.emplace_back(bytes.substr(at + 4, size));
    at += 4 + size;
  }
  return parts;
}

struct ArrayNode {
  std::vector<std::vector<uint8_t>> buffers;
  std::vector<const void*> pointers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;
  ArrowArray dictionary{};
};

inline void release_array_node(ArrowArray* array) {
  auto* node = static_cast<ArrayNode*>(array->private_data);
  for (ArrowArray& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (node->dictionary.release != nullptr) node->dictionary.release(&node->dictionary);
  delete node;
  array->release = nullptr;
}

inline std::vector<uint8_t> validity_of(const std::vector<Raw>& values) {
  std::vector<uint8_t> bits((values.size() + 7) / 8 + 1);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]) bits[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
  }
  return bits;
}

inline void append_raw(std::vector<uint8_t>* out, const std::string& bytes) {
  out->insert(out->end(), bytes.begin(), bytes.end());
}

template <typename Offset>
void fill_offsets(const std::vector<Raw>& values, ArrayNode* node) {
  std::vector<uint8_t> offsets, data;
  append_raw(&offsets, raw<Offset>(0));
  for (const Raw& v : values) {
    if (v) append_raw(&data, *v);
    append_raw(&offsets, raw(static_cast<Offset>(data.size())));
  }
  data.push_back(0);  // never an empty buffer: its pointer would be null
  node->buffers.push_back(std::move(offsets));
  node->buffers.push_back(std::move(data));
}

inline void fill_views(const std::vector<Raw>& values, ArrayNode* node) {
  std::vector<uint8_t> views, data;
  for (const Raw& v : values) {
    const std::string text = v.value_or("");
    std::string view(16, '\0');
    const auto size = static_cast<int32_t>(text.size());
    std::memcpy(view.data(), &size, 4);
    if (size <= 12) {
      std::memcpy(view.data() + 4, text.data(), text.size());
    } else {
      const auto at = static_cast<int32_t>(data.size());
      std::memcpy(view.data() + 4, text.data(), 4);
      std::memcpy(view.data() + 12, &at, 4);
      append_raw(&data, text);
    }
    append_raw(&views, view);
  }
  std::vector<uint8_t> sizes;
  append_raw(&sizes, raw<int64_t>(static_cast<int64_t>(data.size())));
  data.push_back(0);
  node->buffers.push_back(std::move(views));
  node->buffers.push_back(std::move(data));
  node->buffers.push_back(std::move(sizes));
}

inline void fill_bits(const std::vector<Raw>& values, ArrayNode* node) {
  std::vector<uint8_t> bits((values.size() + 7) / 8 + 1);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] && (*values[i])[0] != 0) bits[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
  }
  node->buffers.push_back(std::move(bits));
}

// Width of a value of `type` when NULL hides it; values themselves know theirs.
inline size_t raw_width(const std::vector<Raw>& values) {
  for (const Raw& v : values) {
    if (v) return v->size();
  }
  return 32;  // all NULL: as wide as any type
}

inline void fill_fixed(const std::vector<Raw>& values, ArrayNode* node) {
  std::vector<uint8_t> data;
  const size_t width = raw_width(values);
  // What stands under a NULL is undefined: use bytes that would be wrong in every type.
  for (const Raw& v : values) append_raw(&data, v ? *v : std::string(width, '\xA5'));
  data.push_back(0);
  node->buffers.push_back(std::move(data));
}

ArrowArray build_array(const DataType& type, const std::vector<Raw>& values);

inline void fill_dictionary(const DataType& type, const std::vector<Raw>& values, ArrayNode* node) {
  std::vector<Raw> entries;
  std::vector<Raw> indexes;
  for (const Raw& v : values) {
    if (!v) {
      indexes.push_back(std::nullopt);
      continue;
    }
    size_t at = 0;
    while (at < entries.size() && entries[at] != v) ++at;
    if (at == entries.size()) entries.push_back(v);
    const std::string wide = raw<int64_t>(static_cast<int64_t>(at));
    const size_t width = type.index_id == TypeId::kInt8    ? 1
                         : type.index_id == TypeId::kInt16 ? 2
                         : type.index_id == TypeId::kInt64 ? 8
                                                           : 4;
    indexes.push_back(wide.substr(0, width));
  }
  fill_fixed(indexes, node);
  node->dictionary = build_array(type.children[0].type, entries);
}

// A child of its own offset: a row before the first is not part of it.
inline void add_child(const DataType& type, std::vector<Raw> values, ArrayNode* node) {
  const auto length = static_cast<int64_t>(values.size());
  values.insert(values.begin(), values.empty() ? Raw() : values.front());
  ArrowArray child = build_array(type, values);
  child.offset = 1;
  child.length = length;
  if (child.null_count > 0) child.null_count = -1;
  node->children.push_back(child);
}

// The first items of some value, to stand where no reader may look.
inline std::vector<Raw> hidden_items(const std::vector<Raw>& values, size_t count) {
  for (const Raw& v : values) {
    if (v && items_of(*v).size() >= count) {
      std::vector<Raw> items = items_of(*v);
      items.resize(count);
      return items;
    }
  }
  return {};
}

// list, large_list, map: a NULL list holds an item too, which the format allows.
template <typename Offset>
std::vector<Raw> fill_lists(const DataType& type, const std::vector<Raw>& values, ArrayNode* node) {
  const size_t step = type.id == TypeId::kMap ? 2 : 1;
  const std::vector<Raw> hidden = hidden_items(values, step);
  std::vector<uint8_t> offsets;
  std::vector<Raw> items;
  append_raw(&offsets, raw<Offset>(0));
  for (const Raw& v : values) {
    const std::vector<Raw> parts = v ? items_of(*v) : hidden;
    items.insert(items.end(), parts.begin(), parts.end());
    append_raw(&offsets, raw(static_cast<Offset>(items.size() / step)));
  }
  node->buffers.push_back(std::move(offsets));
  return items;
}

// list_view, large_list_view: the last list's items come first.
template <typename Offset>
std::vector<Raw> fill_list_views(const std::vector<Raw>& values, ArrayNode* node) {
  std::vector<uint8_t> offsets(values.size() * sizeof(Offset) + 1), sizes(offsets.size());
  std::vector<Raw> items;
  for (size_t i = values.size(); i-- > 0;) {
    const std::vector<Raw> parts = values[i] ? items_of(*values[i]) : std::vector<Raw>();
    const auto offset = static_cast<Offset>(items.size()), size = static_cast<Offset>(parts.size());
    std::memcpy(offsets.data() + i * sizeof(Offset), &offset, sizeof offset);
    std::memcpy(sizes.data() + i * sizeof(Offset), &size, sizeof size);
    items.insert(items.end(), parts.begin(), parts.end());
  }
  node->buffers.push_back(std::move(offsets));
  node->buffers.push_back(std::move(sizes));
  return items;
}

// The fields of all values, by field; NULL structs hold some too.
inline std::vector<std::vector<Raw>> fields_of(size_t count, const std::vector<Raw>& values) {
  std::vector<Raw> hidden(count);
  for (const Raw& v : values) {
    if (v) hidden = items_of(*v);
  }
  std::vector<std::vector<Raw>> fields(count);
  for (const Raw& v : values) {
    const std::vector<Raw> parts = v ? items_of(*v) : hidden;
    assert(parts.size() == count);
    for (size_t f = 0; f < count; ++f) fields[f].push_back(parts[f]);
  }
  return fields;
}

inline void fill_struct(const DataType& type, const std::vector<Raw>& values, ArrayNode* node) {
  const auto fields = fields_of(type.children.size(), values);
  for (size_t f = 0; f < fields.size(); ++f) add_child(type.children[f].type, fields[f], node);
}

inline void fill_map(const DataType& type, const std::vector<Raw>& values, ArrayNode* node) {
  const std::vector<Raw> flat = fill_lists<int32_t>(type, values, node);
  std::vector<Raw> entries;
  for (size_t i = 0; i < flat.size(); i += 2) entries.push_back(raw_items({flat[i], flat[i + 1]}));
  add_child(type.children[0].type, entries, node);
}

inline void fill_fixed_lists(const DataType& type, const std::vector<Raw>& values,
                             ArrayNode* node) {
  const auto width = static_cast<size_t>(type.byte_width);
  std::vector<Raw> hidden = hidden_items(values, width);
  hidden.resize(width);
  std::vector<Raw> items;
  for (const Raw& v : values) {
    const std::vector<Raw> parts = v ? items_of(*v) : hidden;
    assert(parts.size() == width);
    items.insert(items.end(), parts.begin(), parts.end());
  }
  add_child(type.children[0].type, items, node);
}

inline void fill_nested(const DataType& type, const std::vector<Raw>& values, ArrayNode* node) {
  const auto add_items = [&](const std::vector<Raw>& items) {
    add_child(type.children[0].type, items, node);
  };
  switch (type.id) {
    case TypeId::kList: add_items(fill_lists<int32_t>(type, values, node)); break;
    case TypeId::kLargeList: add_items(fill_lists<int64_t>(type, values, node)); break;
    case TypeId::kListView: add_items(fill_list_views<int32_t>(values, node)); break;
    case TypeId::kLargeListView: add_items(fill_list_views<int64_t>(values, node)); break;
    case TypeId::kFixedSizeList: fill_fixed_lists(type, values, node); break;
    case TypeId::kMap: fill_map(type, values, node); break;
    default: fill_struct(type, values, node); break;
  }
}

inline ArrowArray build_array(const DataType& type, const std::vector<Raw>& values) {
  auto* node = new ArrayNode;
  ArrowArray array{};
  array.length = static_cast<int64_t>(values.size());
  for (const Raw& v : values) array.null_count += !v.has_value();
  if (type.id != TypeId::kNull) node->buffers.push_back(validity_of(values));
  switch (type.id) {
    case TypeId::kNull: break;
    case TypeId::kBool: fill_bits(values, node); break;
    case TypeId::kUtf8:
    case TypeId::kBinary: fill_offsets<int32_t>(values, node); break;
    case TypeId::kLargeUtf8:
    case TypeId::kLargeBinary: fill_offsets<int64_t>(values, node); break;
    case TypeId::kUtf8View:
    case TypeId::kBinaryView: fill_views(values, node); break;
    case TypeId::kDictionary: fill_dictionary(type, values, node); break;
    case TypeId::kList:
    case TypeId::kLargeList:
    case TypeId::kFixedSizeList:
    case TypeId::kListView:
    case TypeId::kLargeListView:
    case TypeId::kStruct:
    case TypeId::kMap: fill_nested(type, values, node); break;
    default: fill_fixed(values, node); break;
  }
  for (auto& buffer : node->buffers) node->pointers.push_back(buffer.data());
  // No NULL: the bitmap may be absent, as most producers leave it.
  if (array.null_count == 0 && !node->pointers.empty()) node->pointers[0] = nullptr;
  if (type.id == TypeId::kDictionary) array.dictionary = &node->dictionary;
  for (ArrowArray& child : node->children) node->child_pointers.push_back(&child);
  array.n_children = static_cast<int64_t>(node->children.size());
  array.children = node->child_pointers.data();
  array.n_buffers = static_cast<int64_t>(node->pointers.size());
  array.buffers = node->pointers.data();
  array.private_data = node;
  array.release = release_array_node;
  return array;
}

// A struct array of `columns`, which are taken over; rows [offset, offset + length).
inline OwnedArray build_struct(std::vector<ArrowArray> columns, int64_t offset, int64_t length) {
  auto* node = new ArrayNode;
  node->children = std::move(columns);
  for (ArrowArray& child : node->children) node->child_pointers.push_back(&child);
  node->pointers.push_back(nullptr);
  ArrowArray array{};
  array.length = length;
  array.offset = offset;
  array.n_buffers = 1;
  array.buffers = node->pointers.data();
  array.n_children = static_cast<int64_t>(node->child_pointers.size());
  array.children = node->child_pointers.data();
  array.private_data = node;
  array.release = release_array_node;
  return OwnedArray(&array);
}

// A stream that gives `batches` of `schema`, then ends; with `error` set, it fails then.
struct StreamState {
  Schema schema;
  std::vector<OwnedArray> batches;
  size_t next = 0;
  std::string error;
};

inline ArrowArrayStream build_stream(Schema schema, std::vector<OwnedArray> batches,
                                     std::string error = {}) {
  ArrowArrayStream stream{};
  stream.private_data = new StreamState{std::move(schema), std::move(batches), 0, std::move(error)};
  stream.get_schema = [](ArrowArrayStream* s, ArrowSchema* out) {
    OwnedSchema exported = schema_to_arrow(static_cast<StreamState*>(s->private_data)->schema);
    *out = *exported.get();
    exported->release = nullptr;
    return 0;
  };
  stream.get_next = [](ArrowArrayStream* s, ArrowArray* out) {
    auto* state = static_cast<StreamState*>(s->private_data);
    *out = ArrowArray{};
    if (state->next == state->batches.size()) return state->error.empty() ? 0 : 5;
    OwnedArray& batch = state->batches[state->next++];
    *out = *batch.get();
    batch->release = nullptr;
    return 0;
  };
  stream.get_last_error = [](ArrowArrayStream* s) {
    return static_cast<StreamState*>(s->private_data)->error.c_str();
  };
  stream.release = [](ArrowArrayStream* s) {
    delete static_cast<StreamState*>(s->private_data);
    s->release = nullptr;
  };
  return stream;
}

}  // namespace headrace::test
