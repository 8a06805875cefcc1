#include "base/arrow_c.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

namespace headrace {
namespace {

Error unknown_format(std::string_view format) {
  return Error(ErrorCode::kUnsupported, fmt::format("Arrow format string '{}' is not known", format));
}

// Fixed formats of one to three letters.
bool simple_format(std::string_view f, DataType* t) {
  struct Entry {
    const char* format;
    TypeId id;
    TimeUnit unit;
  };
  static constexpr Entry kEntries[] = {
      {"n", TypeId::kNull, {}},          {"b", TypeId::kBool, {}},
      {"c", TypeId::kInt8, {}},          {"C", TypeId::kUint8, {}},
      {"s", TypeId::kInt16, {}},         {"S", TypeId::kUint16, {}},
      {"i", TypeId::kInt32, {}},         {"I", TypeId::kUint32, {}},
      {"l", TypeId::kInt64, {}},         {"L", TypeId::kUint64, {}},
      {"e", TypeId::kFloat16, {}},       {"f", TypeId::kFloat32, {}},
      {"g", TypeId::kFloat64, {}},       {"z", TypeId::kBinary, {}},
      {"Z", TypeId::kLargeBinary, {}},   {"vz", TypeId::kBinaryView, {}},
      {"u", TypeId::kUtf8, {}},          {"U", TypeId::kLargeUtf8, {}},
      {"vu", TypeId::kUtf8View, {}},     {"tdD", TypeId::kDate32, {}},
      {"tdm", TypeId::kDate64, {}},      {"tts", TypeId::kTime32, TimeUnit::kSecond},
      {"ttm", TypeId::kTime32, TimeUnit::kMilli}, {"ttu", TypeId::kTime64, TimeUnit::kMicro},
      {"ttn", TypeId::kTime64, TimeUnit::kNano},  {"tDs", TypeId::kDuration, TimeUnit::kSecond},
      {"tDm", TypeId::kDuration, TimeUnit::kMilli}, {"tDu", TypeId::kDuration, TimeUnit::kMicro},
      {"tDn", TypeId::kDuration, TimeUnit::kNano}, {"tiM", TypeId::kIntervalMonths, {}},
      {"tiD", TypeId::kIntervalDayTime, {}},      {"tin", TypeId::kIntervalMonthDayNano, {}},
      {"+l", TypeId::kList, {}},         {"+L", TypeId::kLargeList, {}},
      {"+vl", TypeId::kListView, {}},    {"+vL", TypeId::kLargeListView, {}},
      {"+s", TypeId::kStruct, {}},       {"+m", TypeId::kMap, {}},
      {"+r", TypeId::kRunEndEncoded, {}},
  };
  for (const Entry& e : kEntries) {
    if (f == e.format) {
      t->id = e.id;
      t->unit = e.unit;
      return true;
    }
  }
  return false;
}

bool parse_ints(std::string_view text, int* out, int count, int* found) {
  *found = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end && *found < count) {
    auto [next, error] = std::from_chars(at, end, out[*found]);
    if (error != std::errc()) return false;
    ++*found;
    at = next;
    if (at < end && *at == ',') ++at;
  }
  return at == end;
}

// Formats with parameters: d:15,2  w:16  tsu:UTC  +w:3  +ud:0,1
Status parametric_format(std::string_view f, DataType* t) {
  int n[3] = {0, 0, 128};
  int found = 0;
  if (f.starts_with("d:")) {
    if (!parse_ints(f.substr(2), n, 3, &found) || found < 2) return unknown_format(f);
    t->id = TypeId::kDecimal;
    t->precision = n[0];
    t->scale = n[1];
    t->bit_width = n[2];
    const bool known = n[2] == 32 || n[2] == 64 || n[2] == 128 || n[2] == 256;
    return known ? Status() : unknown_format(f);
  }
  if (f.starts_with("w:") || f.starts_with("+w:")) {
    const bool list = f[0] == '+';
    if (!parse_ints(f.substr(list ? 3 : 2), n, 1, &found) || found != 1) return unknown_format(f);
    t->id = list ? TypeId::kFixedSizeList : TypeId::kFixedSizeBinary;
    t->byte_width = n[0];
    return {};
  }
  if (f.starts_with("ts") && f.size() >= 4 && f[3] == ':') {
    const auto unit = std::string_view("smun").find(f[2]);
    if (unit == std::string_view::npos) return unknown_format(f);
    t->id = TypeId::kTimestamp;
    t->unit = static_cast<TimeUnit>(unit);
    t->timezone = std::string(f.substr(4));
    return {};
  }
  if (f.starts_with("+us:") || f.starts_with("+ud:")) {
    t->id = TypeId::kUnion;
    return {};
  }
  return unknown_format(f);
}

// Metadata: int32 pairs, then for each pair int32 length, key, int32 length, value.
std::string metadata_value(const char* metadata, std::string_view wanted) {
  if (metadata == nullptr) return {};
  const auto take_int = [&metadata] {
    int32_t v;
    std::memcpy(&v, metadata, 4);
    metadata += 4;
    return v;
  };
  const auto take_text = [&] {
    const int32_t size = take_int();
    std::string_view text(metadata, static_cast<size_t>(size));
    metadata += size;
    return text;
  };
  for (int32_t pairs = take_int(); pairs > 0; --pairs) {
    const std::string_view key = take_text();
    const std::string_view value = take_text();
    if (key == wanted) return std::string(value);
  }
  return {};
}

}  // namespace

Result<Field> field_from_arrow(const ArrowSchema& schema) {
  Field field;
  field.name = schema.name == nullptr ? "" : schema.name;
  field.nullable = (schema.flags & ARROW_FLAG_NULLABLE) != 0;
  DataType type;
  if (schema.format == nullptr) return unknown_format("");
  if (!simple_format(schema.format, &type)) HEADRACE_TRY(parametric_format(schema.format, &type));
  for (int64_t i = 0; i < schema.n_children; ++i) {
    HEADRACE_ASSIGN(Field child, field_from_arrow(*schema.children[i]));
    type.children.push_back(std::move(child));
  }
  if (schema.dictionary != nullptr) {
    HEADRACE_ASSIGN(Field value, field_from_arrow(*schema.dictionary));
    value.name.clear();
    DataType dictionary;
    dictionary.id = TypeId::kDictionary;
    dictionary.index_id = type.id;
    dictionary.children.push_back(std::move(value));
    type = std::move(dictionary);
  }
  type.extension = metadata_value(schema.metadata, "ARROW:extension:name");
  field.type = std::move(type);
  return field;
}

Result<Schema> schema_from_arrow(const ArrowSchema& schema) {
  HEADRACE_ASSIGN(Field root, field_from_arrow(schema));
  if (root.type.id != TypeId::kStruct) {
    return Error(ErrorCode::kUnsupported,
                 "the Arrow stream's schema is not a struct of columns",
                 "give a table or record batches, not a single array");
  }
  return Schema{std::move(root.type.children)};
}

namespace {

std::string format_of(const DataType& t) {
  static constexpr char kUnit[] = {'s', 'm', 'u', 'n'};
  const char unit = kUnit[static_cast<int>(t.unit)];
  switch (t.id) {
    case TypeId::kNull: return "n";
    case TypeId::kBool: return "b";
    case TypeId::kInt8: return "c";
    case TypeId::kUint8: return "C";
    case TypeId::kInt16: return "s";
    case TypeId::kUint16: return "S";
    case TypeId::kInt32: return "i";
    case TypeId::kUint32: return "I";
    case TypeId::kInt64: return "l";
    case TypeId::kUint64: return "L";
    case TypeId::kFloat16: return "e";
    case TypeId::kFloat32: return "f";
    case TypeId::kFloat64: return "g";
    case TypeId::kDecimal:
      return t.bit_width == 128 ? fmt::format("d:{},{}", t.precision, t.scale)
                                : fmt::format("d:{},{},{}", t.precision, t.scale, t.bit_width);
    case TypeId::kUtf8: return "u";
    case TypeId::kLargeUtf8: return "U";
    case TypeId::kUtf8View: return "vu";
    case TypeId::kBinary: return "z";
    case TypeId::kLargeBinary: return "Z";
    case TypeId::kBinaryView: return "vz";
    case TypeId::kFixedSizeBinary: return fmt::format("w:{}", t.byte_width);
    case TypeId::kDate32: return "tdD";
    case TypeId::kDate64: return "tdm";
    case TypeId::kTime32:
    case TypeId::kTime64: return fmt::format("tt{}", unit);
    case TypeId::kTimestamp: return fmt::format("ts{}:{}", unit, t.timezone);
    case TypeId::kDuration: return fmt::format("tD{}", unit);
    case TypeId::kIntervalMonths: return "tiM";
    case TypeId::kIntervalDayTime: return "tiD";
    case TypeId::kIntervalMonthDayNano: return "tin";
    case TypeId::kDictionary: {
      DataType index;
      index.id = t.index_id;
      return format_of(index);
    }
    case TypeId::kList: return "+l";
    case TypeId::kLargeList: return "+L";
    case TypeId::kListView: return "+vl";
    case TypeId::kLargeListView: return "+vL";
    case TypeId::kFixedSizeList: return fmt::format("+w:{}", t.byte_width);
    case TypeId::kStruct: return "+s";
    case TypeId::kMap: return "+m";
    case TypeId::kUnion: return "+us:";
    case TypeId::kRunEndEncoded: return "+r";
  }
  return "n";
}

// Owns what one ArrowSchema node points at.
struct SchemaNode {
  std::string format, name, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> child_pointers;
  ArrowSchema dictionary{};
};

void release_schema_node(ArrowSchema* schema) {
  auto* node = static_cast<SchemaNode*>(schema->private_data);
  for (ArrowSchema& child : node->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (node->dictionary.release != nullptr) node->dictionary.release(&node->dictionary);
  delete node;
  schema->release = nullptr;
}

void append_metadata_text(std::string* out, std::string_view text) {
  const auto size = static_cast<int32_t>(text.size());
  out->append(reinterpret_cast<const char*>(&size), 4);
  out->append(text);
}

void export_field(const Field& field, ArrowSchema* out) {
  auto* node = new SchemaNode;
  node->format = format_of(field.type);
  node->name = field.name;
  *out = ArrowSchema{};
  if (!field.type.extension.empty()) {
    const int32_t pairs = 1;
    node->metadata.append(reinterpret_cast<const char*>(&pairs), 4);
    append_metadata_text(&node->metadata, "ARROW:extension:name");
    append_metadata_text(&node->metadata, field.type.extension);
    out->metadata = node->metadata.data();
  }
  if (field.type.id == TypeId::kDictionary) {
    export_field(field.type.children[0], &node->dictionary);
    out->dictionary = &node->dictionary;
  } else {
    node->children.resize(field.type.children.size());
    for (size_t i = 0; i < node->children.size(); ++i) {
      export_field(field.type.children[i], &node->children[i]);
      node->child_pointers.push_back(&node->children[i]);
    }
  }
  out->format = node->format.c_str();
  out->name = node->name.c_str();
  out->flags = field.nullable ? ARROW_FLAG_NULLABLE : 0;
  out->n_children = static_cast<int64_t>(node->child_pointers.size());
  out->children = node->child_pointers.data();
  out->private_data = node;
  out->release = release_schema_node;
}

}  // namespace

OwnedSchema schema_to_arrow(const Schema& schema) {
  Field root;
  root.type.id = TypeId::kStruct;
  root.type.children = schema.fields;
  root.nullable = false;
  ArrowSchema out;
  export_field(root, &out);
  return OwnedSchema(&out);
}

namespace {

// Bits of one fixed-width value; 0 for types without fixed width.
int64_t value_bits(const DataType& t) {
  switch (t.id) {
    case TypeId::kBool: return 1;
    case TypeId::kInt8:
    case TypeId::kUint8: return 8;
    case TypeId::kInt16:
    case TypeId::kUint16:
    case TypeId::kFloat16: return 16;
    case TypeId::kInt32:
    case TypeId::kUint32:
    case TypeId::kFloat32:
    case TypeId::kDate32:
    case TypeId::kTime32:
    case TypeId::kIntervalMonths: return 32;
    case TypeId::kDecimal: return t.bit_width;
    case TypeId::kFixedSizeBinary: return 8LL * t.byte_width;
    case TypeId::kUtf8View:
    case TypeId::kBinaryView:
    case TypeId::kIntervalMonthDayNano: return 128;
    case TypeId::kNull:
    case TypeId::kFixedSizeList:
    case TypeId::kStruct:
    case TypeId::kRunEndEncoded: return 0;
    case TypeId::kUtf8:
    case TypeId::kBinary:
    case TypeId::kList:
    case TypeId::kMap: return 32;  // the offsets
    case TypeId::kListView: return 64;
    case TypeId::kLargeListView: return 128;
    default: return 64;
  }
}

template <typename Offset>
int64_t offset_span(const ArrowArray& a) {
  if (a.length == 0 || a.buffers[1] == nullptr) return 0;
  const auto* offsets = static_cast<const Offset*>(a.buffers[1]) + a.offset;
  return static_cast<int64_t>(offsets[a.length] - offsets[0]);
}

int64_t variadic_bytes(const ArrowArray& a) {
  // utf8_view, binary_view: the last buffer holds the sizes of the variadic ones.
  const int64_t count = a.n_buffers - 3;
  if (count <= 0 || a.buffers[a.n_buffers - 1] == nullptr) return 0;
  const auto* sizes = static_cast<const int64_t*>(a.buffers[a.n_buffers - 1]);
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) total += sizes[i];
  return total;
}

}  // namespace

int64_t array_bytes(const ArrowArray& a, const DataType& type) {
  if (type.id == TypeId::kDictionary) {
    DataType index;
    index.id = type.index_id;
    int64_t total = a.length * value_bits(index) / 8;
    if (a.dictionary != nullptr) total += array_bytes(*a.dictionary, type.children[0].type);
    return total;
  }
  int64_t total = a.length * value_bits(type) / 8;
  switch (type.id) {
    case TypeId::kUtf8:
    case TypeId::kBinary: total += offset_span<int32_t>(a); break;
    case TypeId::kLargeUtf8:
    case TypeId::kLargeBinary: total += offset_span<int64_t>(a); break;
    case TypeId::kUtf8View:
    case TypeId::kBinaryView: total += variadic_bytes(a); break;
    default: break;
  }
  for (int64_t i = 0; i < a.n_children && i < static_cast<int64_t>(type.children.size()); ++i) {
    total += array_bytes(*a.children[i], type.children[i].type);
  }
  return total;
}

}  // namespace headrace
