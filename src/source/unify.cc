#include "source/unify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace headrace {
namespace {

constexpr size_t kMaxShownDifferences = 5;

struct IntegerKind {
  int bits = 0;  // 0: not an integer
  bool is_signed = false;
};

IntegerKind integer_kind(TypeId id) {
  switch (id) {
    case TypeId::kInt8:
      return {8, true};
    case TypeId::kInt16:
      return {16, true};
    case TypeId::kInt32:
      return {32, true};
    case TypeId::kInt64:
      return {64, true};
    case TypeId::kUint8:
      return {8, false};
    case TypeId::kUint16:
      return {16, false};
    case TypeId::kUint32:
      return {32, false};
    case TypeId::kUint64:
      return {64, false};
    default:
      return {};
  }
}

DataType plain(TypeId id) {
  DataType type;
  type.id = id;
  return type;
}

std::optional<DataType> integer_of(int bits, bool is_signed) {
  switch (bits) {
    case 8:
      return plain(is_signed ? TypeId::kInt8 : TypeId::kUint8);
    case 16:
      return plain(is_signed ? TypeId::kInt16 : TypeId::kUint16);
    case 32:
      return plain(is_signed ? TypeId::kInt32 : TypeId::kUint32);
    case 64:
      return plain(is_signed ? TypeId::kInt64 : TypeId::kUint64);
    default:
      return std::nullopt;
  }
}

std::optional<DataType> common_integer(IntegerKind a, IntegerKind b) {
  if (a.is_signed == b.is_signed) return integer_of(std::max(a.bits, b.bits), a.is_signed);
  const int unsigned_bits = a.is_signed ? b.bits : a.bits;
  const int signed_bits = a.is_signed ? a.bits : b.bits;
  return integer_of(std::max(signed_bits, 2 * unsigned_bits), true);
}

int float_bits(TypeId id) {
  switch (id) {
    case TypeId::kFloat16:
      return 16;
    case TypeId::kFloat32:
      return 32;
    case TypeId::kFloat64:
      return 64;
    default:
      return 0;
  }
}

// Integers of up to 32 bits are exact in a double; wider ones are not.
std::optional<DataType> common_number(const DataType& a, const DataType& b) {
  const IntegerKind ia = integer_kind(a.id), ib = integer_kind(b.id);
  if (ia.bits > 0 && ib.bits > 0) return common_integer(ia, ib);
  const int fa = float_bits(a.id), fb = float_bits(b.id);
  if (fa > 0 && fb > 0) return fa > fb ? a : b;
  const int integer_bits = ia.bits + ib.bits;
  const bool mixed = (ia.bits > 0 && fb == 64) || (ib.bits > 0 && fa == 64);
  if (mixed && integer_bits <= 32) return plain(TypeId::kFloat64);
  return std::nullopt;
}

std::optional<DataType> common_decimal(const DataType& a, const DataType& b) {
  DataType type = a;
  type.scale = std::max(a.scale, b.scale);
  type.precision = std::max(a.precision - a.scale, b.precision - b.scale) + type.scale;
  type.bit_width = std::max(a.bit_width, b.bit_width);
  while (type.precision > (type.bit_width == 32    ? 9
                           : type.bit_width == 64  ? 18
                           : type.bit_width == 128 ? 38
                                                   : 76)) {
    if (type.bit_width == 256) return std::nullopt;
    type.bit_width *= 2;
  }
  return type;
}

bool is_text(TypeId id) {
  return id == TypeId::kUtf8 || id == TypeId::kLargeUtf8 || id == TypeId::kUtf8View;
}
bool is_bytes(TypeId id) {
  return id == TypeId::kBinary || id == TypeId::kLargeBinary || id == TypeId::kBinaryView;
}
bool is_time(TypeId id) { return id == TypeId::kTime32 || id == TypeId::kTime64; }

std::optional<DataType> common_temporal(const DataType& a, const DataType& b) {
  const TimeUnit unit = std::max(a.unit, b.unit);
  if (is_time(a.id) && is_time(b.id)) {
    DataType type = plain(unit >= TimeUnit::kMicro ? TypeId::kTime64 : TypeId::kTime32);
    type.unit = unit;
    return type;
  }
  if (a.id != b.id) return std::nullopt;
  // Zoned values are instants, whatever zone they are shown in; those without zone are not.
  const bool compatible = a.id == TypeId::kDuration ||
                          (a.id == TypeId::kTimestamp && a.timezone.empty() == b.timezone.empty());
  if (!compatible) return std::nullopt;
  DataType type = a;
  type.unit = unit;
  if (a.timezone != b.timezone) type.timezone = "UTC";
  return type;
}

// Same structure; fields inside may differ in whether they say nullable.
bool same_structure(const DataType& a, const DataType& b) {
  if (a.children.size() != b.children.size()) return false;
  DataType left = a, right = b;
  left.children.clear();
  right.children.clear();
  if (!(left == right)) return false;
  // Names of list items and map entries carry no meaning: "item", "element", "array".
  const bool named = a.id == TypeId::kStruct || a.id == TypeId::kUnion;
  for (size_t i = 0; i < a.children.size(); ++i) {
    if (named && a.children[i].name != b.children[i].name) return false;
    if (!same_structure(a.children[i].type, b.children[i].type)) return false;
  }
  return true;
}

}  // namespace

std::optional<DataType> common_type(const DataType& a, const DataType& b) {
  if (a == b) return a;
  if (a.id == TypeId::kNull) return b;
  if (b.id == TypeId::kNull) return a;
  if (a.extension != b.extension) return std::nullopt;
  if (a.id == TypeId::kDictionary) return common_type(a.children[0].type, b);
  if (b.id == TypeId::kDictionary) return common_type(a, b.children[0].type);
  if (is_text(a.id) && is_text(b.id)) {
    DataType type = a;
    type.id = TypeId::kLargeUtf8;
    return type;
  }
  if (is_bytes(a.id) && is_bytes(b.id)) {
    DataType type = a;
    type.id = TypeId::kLargeBinary;
    return type;
  }
  if (!a.extension.empty()) return std::nullopt;
  if (auto number = common_number(a, b)) return number;
  if (a.id == TypeId::kDecimal && b.id == TypeId::kDecimal) return common_decimal(a, b);
  if (auto temporal = common_temporal(a, b)) return temporal;
  if (same_structure(a, b)) return a;
  return std::nullopt;
}

namespace {

// The columns of all files, in the order in which they are met.
class Unifier {
 public:
  Status add_file(const FileSchema& file) {
    std::vector<bool> found(fields_.size(), false);
    for (const Field& field : file.schema.fields) {
      const auto known = by_name_.find(field.name);
      if (known == by_name_.end()) {
        add_field(field, file.uri);
        continue;
      }
      if (known->second >= found.size() || found[known->second]) return twice(field.name, file.uri);
      found[known->second] = true;
      merge(known->second, field, file.uri);
    }
    for (size_t i = 0; i < found.size(); ++i) {
      if (!found[i]) fields_[i].nullable = true;
    }
    is_first_ = false;
    return {};
  }

  Result<std::vector<Field>> take() && {
    if (differences_.empty()) return std::move(fields_);
    std::string message = "the files have columns of different types:";
    for (size_t i = 0; i < differences_.size() && i < kMaxShownDifferences; ++i)
      message += "\n  " + differences_[i];
    if (differences_.size() > kMaxShownDifferences) {
      message += fmt::format("\n  and {} more", differences_.size() - kMaxShownDifferences);
    }
    return Error(ErrorCode::kTypeMismatch, std::move(message),
                 "load the files into different tables, or write them anew with one schema");
  }

 private:
  static Error twice(const std::string& name, const std::string& uri) {
    Error error(ErrorCode::kTypeMismatch, fmt::format("{} has two columns named {}", uri, name),
                "columns of several files are matched by name; rename one of them");
    error.where.file = uri;
    error.where.column = name;
    return error;
  }

  void add_field(const Field& field, const std::string& uri) {
    by_name_.emplace(field.name, fields_.size());
    fields_.push_back(field);
    uris_.push_back(uri);
    if (!is_first_) fields_.back().nullable = true;
  }

  void merge(size_t at, const Field& field, const std::string& uri) {
    Field& target = fields_[at];
    target.nullable = target.nullable || field.nullable;
    if (auto type = common_type(target.type, field.type)) {
      target.type = std::move(*type);
      return;
    }
    differences_.push_back(fmt::format("{}: {} in {}, {} in {}", field.name, type_name(target.type),
                                       uris_[at], type_name(field.type), uri));
  }

  std::vector<Field> fields_;
  std::vector<std::string> uris_;  // where each field was met first
  std::map<std::string, size_t> by_name_;
  std::vector<std::string> differences_;
  bool is_first_ = true;
};

bool is_canonical_integer(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::to_string(value) == text;
}

std::string folder_names(const Partition& partition) {
  std::vector<std::string> names;
  for (const auto& [name, value] : partition.hive) names.push_back(name + "=");
  return names.empty() ? "no such folders" : fmt::format("{}", fmt::join(names, "/"));
}

// Columns of the Hive folders: the same names for every file.
Result<std::vector<Field>> hive_fields(const std::vector<Partition>& partitions) {
  std::vector<Field> fields;
  const Partition& first = partitions.front();
  for (const auto& [name, value] : first.hive)
    fields.push_back({name, plain(TypeId::kInt64), false});
  std::vector<bool> seen_value(fields.size(), false);
  for (const Partition& partition : partitions) {
    bool same = partition.hive.size() == fields.size();
    for (size_t i = 0; same && i < fields.size(); ++i)
      same = partition.hive[i].first == fields[i].name;
    if (!same) {
      return Error(ErrorCode::kTypeMismatch,
                   fmt::format("the folders differ: {} for {}, {} for {}", folder_names(first),
                               first.uri, folder_names(partition), partition.uri),
                   "load the parts of the dataset one by one");
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto& value = partition.hive[i].second;
      if (!value) fields[i].nullable = true;
      if (!value) continue;
      seen_value[i] = true;
      if (!is_canonical_integer(*value)) fields[i].type.id = TypeId::kUtf8;
    }
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!seen_value[i]) fields[i].type.id = TypeId::kUtf8;
  }
  return fields;
}

// One entry a file: repeated text costs the encoder nothing.
void as_dictionary(Field* field) {
  if (field->type.id != TypeId::kUtf8) return;
  DataType type = plain(TypeId::kDictionary);
  type.children.push_back({"", plain(TypeId::kUtf8), true});
  field->type = std::move(type);
}

std::vector<ColumnOrigin> origins_of(const FileSchema& file, const Schema& schema,
                                     size_t file_columns) {
  std::map<std::string_view, int> positions;
  for (size_t i = 0; i < file.schema.fields.size(); ++i) {
    positions.emplace(file.schema.fields[i].name, static_cast<int>(i));
  }
  std::vector<ColumnOrigin> origins(schema.fields.size());
  for (size_t i = 0; i < origins.size(); ++i) {
    origins[i].is_hive = i >= file_columns;
    const auto found = positions.find(schema.fields[i].name);
    if (!origins[i].is_hive && found != positions.end()) origins[i].position = found->second;
  }
  return origins;
}

}  // namespace

Result<UnifiedSchema> unify_schemas(const std::vector<FileSchema>& files,
                                    const std::vector<Partition>& partitions) {
  UnifiedSchema out;
  if (files.size() == 1) {
    // Nothing to match: the schema as it is, even with a name that stands twice.
    out.schema = files[0].schema;
  } else {
    Unifier unifier;
    for (const FileSchema& file : files) HEADRACE_TRY(unifier.add_file(file));
    HEADRACE_ASSIGN(out.schema.fields, std::move(unifier).take());
  }
  const size_t file_columns = out.schema.fields.size();
  HEADRACE_ASSIGN(auto folders, hive_fields(partitions));
  for (Field& field : folders) {
    for (size_t i = 0; i < file_columns; ++i) {
      if (out.schema.fields[i].name != field.name) continue;
      Error error(
          ErrorCode::kTypeMismatch,
          fmt::format("column {} is in the files and in the names of their folders", field.name),
          "rename the folders, or name the files one by one: then only the column in them counts");
      error.where.column = field.name;
      error.where.file = files.front().uri;
      return error;
    }
    as_dictionary(&field);
    out.schema.fields.push_back(std::move(field));
  }
  for (const FileSchema& file : files) {
    out.origins.push_back(origins_of(file, out.schema, file_columns));
    if (files.size() > 1) continue;
    for (size_t i = 0; i < file_columns; ++i) out.origins[0][i].position = static_cast<int>(i);
  }
  return out;
}

}  // namespace headrace
