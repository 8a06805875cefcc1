#include "encode/types/nested_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "encode/format/utf8.h"
#include "encode/types/json_scalar.h"
#include "encode/types/list_rows.h"
#include "encode/types/numeric_target.h"
#include "encode/types/rendered_codec.h"

namespace headrace {
namespace {

// How the values of one type become JSON; made once for a column.
struct JsonNode {
  using Put = bool (*)(const JsonNode& node, const ColumnView& column, int64_t row,
                       JsonWriter* out);
  Put put_nested = nullptr;  // of a row that is not NULL
  PutJsonScalar put_scalar = nullptr;
  JsonRules rules;
  std::vector<JsonNode> children;
  std::vector<std::string> names;  // struct: of the children
  std::vector<std::string> heads;  // struct: what stands before each child: {"name":
};

bool put_value(const JsonNode& node, const ColumnView& column, int64_t row, JsonWriter* out) {
  if (column.is_null(row)) {
    out->put("null");
    return true;
  }
  if (node.put_scalar != nullptr) return node.put_scalar(node.rules, column, row, out);
  return node.put_nested(node, column, row, out);
}

// Puts where it happened before the reason.
bool fail_in(std::string_view place, JsonWriter* out) {
  out->reason.insert(0, fmt::format("{}: ", place));
  return false;
}

// Larger ones are rejected anyway; so the memory of a value that is ends here.
bool is_within_limit(JsonWriter* out) {
  if (out->size() <= kMaxCellBytes) return true;
  out->reason = fmt::format("its JSON needs more than {} bytes", kMaxCellBytes);
  return false;
}

bool put_list(const JsonNode& node, const ColumnView& column, int64_t row, JsonWriter* out) {
  const ListReader lists(column);
  const ChildRows rows = lists[row];
  if (!lists.holds(rows)) {
    out->reason = kBadListOffsets;
    return false;
  }
  const ColumnView& items = column.children[0];
  out->put('[');
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    if (i > rows.begin) out->put(',');
    if (!put_value(node.children[0], items, i, out)) {
      return fail_in(fmt::format("item {}", i - rows.begin + 1), out);
    }
    if (!is_within_limit(out)) return false;
  }
  out->put(']');
  return true;
}

bool put_struct(const JsonNode& node, const ColumnView& column, int64_t row, JsonWriter* out) {
  if (node.children.empty()) out->put('{');
  for (size_t i = 0; i < node.children.size(); ++i) {
    out->put(node.heads[i]);
    // The children of a struct start where it starts, not at its offset.
    if (!put_value(node.children[i], column.children[i], row + column.offset, out)) {
      return fail_in(node.names[i], out);
    }
  }
  out->put('}');
  return is_within_limit(out);
}

// The keys of one map, as JSON strings.
class MapKeys {
 public:
  // False when the key was there before.
  bool add(std::string_view key) {
    if (few_.size() < kFew) {
      if (std::find(few_.begin(), few_.end(), key) != few_.end()) return false;
      few_.emplace_back(key);
      return true;
    }
    if (many_.empty()) many_.insert(few_.begin(), few_.end());
    return many_.insert(std::string(key)).second;
  }

 private:
  static constexpr size_t kFew = 16;
  std::vector<std::string> few_;
  std::set<std::string> many_;
};

bool put_key(const JsonNode& node, const ColumnView& keys, int64_t row, MapKeys* seen,
             JsonWriter* out) {
  const size_t begin = out->size();
  if (!put_value(node, keys, row, out)) return fail_in("a map key", out);
  if (out->since(begin) == "null") {
    out->reason = "a map key is NULL, which JSON does not have";
    return false;
  }
  out->make_string(begin);
  if (seen->add(out->since(begin))) return true;
  std::string_view key = out->since(begin);
  out->reason = fmt::format("two keys of the map are {}{}", key.substr(0, 60),
                            key.size() > 60 ? "..." : "");
  return false;
}

bool put_map(const JsonNode& node, const ColumnView& column, int64_t row, JsonWriter* out) {
  const ListReader maps(column);
  const ChildRows rows = maps[row];
  if (!maps.holds(rows)) {
    out->reason = kBadListOffsets;
    return false;
  }
  const ColumnView& entries = column.children[0];
  MapKeys seen;
  out->put('{');
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    const int64_t entry = i + entries.offset;
    if (i > rows.begin) out->put(',');
    const size_t key_begin = out->size();
    if (!put_key(node.children[0], entries.children[0], entry, &seen, out)) return false;
    const size_t key_bytes = out->size() - key_begin;
    out->put(':');
    if (!put_value(node.children[1], entries.children[1], entry, out)) {
      return fail_in(out->since(key_begin).substr(0, std::min<size_t>(key_bytes, 60)), out);
    }
    if (!is_within_limit(out)) return false;
  }
  out->put('}');
  return true;
}

template <typename Index>
bool put_entry(const JsonNode& node, const ColumnView& column, int64_t row, JsonWriter* out) {
  const Index index = FixedReader<Index>(column)[row];
  const auto entry = static_cast<uint64_t>(index);
  if (entry >= static_cast<uint64_t>(column.dictionary->length)) {
    out->reason = fmt::format("dictionary index {} is outside the dictionary of {} entries", index,
                              column.dictionary->length);
    return false;
  }
  return put_value(node.children[0], *column.dictionary, static_cast<int64_t>(entry), out);
}

JsonNode::Put entry_put(TypeId index) {
  switch (index) {
    case TypeId::kInt8: return put_entry<int8_t>;
    case TypeId::kInt16: return put_entry<int16_t>;
    case TypeId::kInt32: return put_entry<int32_t>;
    case TypeId::kInt64: return put_entry<int64_t>;
    case TypeId::kUint8: return put_entry<uint8_t>;
    case TypeId::kUint16: return put_entry<uint16_t>;
    case TypeId::kUint32: return put_entry<uint32_t>;
    default: return put_entry<uint64_t>;
  }
}

Error no_json(const DataType& type, const char* why, const char* hint) {
  return Error(ErrorCode::kTypeMismatch,
               fmt::format("{} has no JSON form: {}", type_name(type), why), hint);
}

Result<JsonNode> make_node(const DataType& type, const JsonRules& rules);

Status add_fields(const DataType& type, const JsonRules& rules, JsonNode* node) {
  std::set<std::string_view> names;
  for (const Field& field : type.children) {
    if (!names.insert(field.name).second) {
      return no_json(type, "two fields have one name", "rename one of them in the source");
    }
    if (!utf8::is_valid_without_nul(field.name)) {
      return no_json(type, "a field's name is no text", "rename the field in the source");
    }
    HEADRACE_ASSIGN(JsonNode child, make_node(field.type, rules));
    node->children.push_back(std::move(child));
    node->names.push_back(field.name);
    Buffer head;
    JsonWriter writer(&head);
    writer.put(node->heads.empty() ? '{' : ',');
    writer.put_string(field.name);
    writer.put(':');
    node->heads.emplace_back(head.view());
  }
  return {};
}

Status add_entries(const DataType& type, const JsonRules& rules, JsonNode* node) {
  const std::vector<Field>& entry = type.children[0].type.children;
  const DataType& key = entry[0].type;
  const DataType& key_value = key.id == TypeId::kDictionary ? key.children[0].type : key;
  if (json_scalar(key_value) == nullptr) {
    return no_json(type, "the keys of a JSON object are text",
                   "make the keys text or numbers in the source");
  }
  for (const Field& field : entry) {
    HEADRACE_ASSIGN(JsonNode child, make_node(field.type, rules));
    node->children.push_back(std::move(child));
  }
  return {};
}

// REQUIRES: has_json(type).
Result<JsonNode> make_node(const DataType& type, const JsonRules& rules) {
  JsonNode node;
  node.rules = rules;
  node.put_scalar = json_scalar(type);
  if (type.id == TypeId::kDecimal && !is_numeric_scale(type.scale)) {
    return no_json(type, "its numbers have too many digits", "convert the column in the source");
  }
  if (node.put_scalar != nullptr) return node;
  if (type.id == TypeId::kStruct) {
    HEADRACE_TRY(add_fields(type, rules, &node));
    node.put_nested = put_struct;
    return node;
  }
  if (type.id == TypeId::kMap) {
    HEADRACE_TRY(add_entries(type, rules, &node));
    node.put_nested = put_map;
    return node;
  }
  HEADRACE_ASSIGN(JsonNode child, make_node(type.children[0].type, rules));
  node.children.push_back(std::move(child));
  node.put_nested = type.id == TypeId::kDictionary ? entry_put(type.index_id) : put_list;
  return node;
}

// What the codec of a column calls.
struct RenderJson {
  JsonNode node;
  bool with_version;  // jsonb in binary: the version of its form, then its text

  static constexpr uint8_t kJsonbVersion = 1;

  void bind(const ColumnView&) {}
  bool render(const ColumnView& column, int64_t row, Buffer* out, std::string* reason) const {
    if (with_version) *out->extend(1) = kJsonbVersion;
    JsonWriter writer(out);
    if (put_value(node, column, row, &writer)) return true;
    *reason = std::move(writer.reason);
    return false;
  }
};

}  // namespace

bool has_json(const DataType& type) {
  if (json_scalar(type) != nullptr) return true;
  const bool nested = type.id >= TypeId::kDictionary && type.id <= TypeId::kMap;
  // A geometry is more than the numbers in it.
  if (type.extension.starts_with("geoarrow.")) return false;
  if (!nested || (type.children.empty() && type.id != TypeId::kStruct)) return false;
  if (type.id == TypeId::kMap && (type.children[0].type.id != TypeId::kStruct ||
                                  type.children[0].type.children.size() != 2)) {
    return false;
  }
  return std::all_of(type.children.begin(), type.children.end(),
                     [](const Field& child) { return has_json(child.type); });
}

bool is_json_target(const TargetType& target, RowFormat format) {
  return format == RowFormat::kSqliteRecord || target.base == "jsonb" || target.base == "json";
}

Result<std::unique_ptr<Codec>> make_json_codec(const DataType& type, const TargetType& target,
                                               RowFormat format, const ValueOptions& options) {
  const bool sqlite = format == RowFormat::kSqliteRecord;
  HEADRACE_ASSIGN(JsonNode node, make_node(type, {sqlite, sqlite && options.nan_as_null}));
  const bool with_version = format == RowFormat::kPgBinary && target.base == "jsonb";
  RenderJson render{std::move(node), with_version};
  if (sqlite) return rendered_codec<SqliteTextBody>(std::move(render));
  if (format == RowFormat::kText) return rendered_codec<EscapedCopyText>(std::move(render));
  return rendered_codec<PgField>(std::move(render));
}

}  // namespace headrace
