#include "headrace/schema.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>

namespace headrace {
namespace {

struct SimpleName {
  TypeId id;
  const char* name;
};

// Types that their name alone describes.
constexpr SimpleName kSimpleNames[] = {
    {TypeId::kNull, "null"},
    {TypeId::kBool, "bool"},
    {TypeId::kInt8, "int8"},
    {TypeId::kInt16, "int16"},
    {TypeId::kInt32, "int32"},
    {TypeId::kInt64, "int64"},
    {TypeId::kUint8, "uint8"},
    {TypeId::kUint16, "uint16"},
    {TypeId::kUint32, "uint32"},
    {TypeId::kUint64, "uint64"},
    {TypeId::kFloat16, "float16"},
    {TypeId::kFloat32, "float32"},
    {TypeId::kFloat64, "float64"},
    {TypeId::kUtf8, "utf8"},
    {TypeId::kLargeUtf8, "large_utf8"},
    {TypeId::kUtf8View, "utf8_view"},
    {TypeId::kBinary, "binary"},
    {TypeId::kLargeBinary, "large_binary"},
    {TypeId::kBinaryView, "binary_view"},
    {TypeId::kDate32, "date32"},
    {TypeId::kDate64, "date64"},
    {TypeId::kIntervalMonths, "interval_months"},
    {TypeId::kIntervalDayTime, "interval_day_time"},
    {TypeId::kIntervalMonthDayNano, "interval_month_day_nano"},
};

constexpr const char* kUnits[] = {"s", "ms", "us", "ns"};

const char* unit_name(TimeUnit unit) { return kUnits[static_cast<int>(unit)]; }

const char* simple_name(TypeId id) {
  for (const auto& s : kSimpleNames) {
    if (s.id == id) return s.name;
  }
  return nullptr;
}

std::string children_names(const DataType& type) {
  std::string out;
  for (const Field& child : type.children) {
    if (!out.empty()) out += ", ";
    out += child.name.empty() ? type_name(child.type)
                              : fmt::format("{}: {}", child.name, type_name(child.type));
  }
  return out;
}

std::string nested_name(const DataType& type) {
  switch (type.id) {
    case TypeId::kDictionary:
      return fmt::format("dictionary<{}, {}>", simple_name(type.index_id),
                         type.children.empty() ? "?" : type_name(type.children[0].type));
    case TypeId::kList: return fmt::format("list<{}>", children_names(type));
    case TypeId::kLargeList: return fmt::format("large_list<{}>", children_names(type));
    case TypeId::kListView: return fmt::format("list_view<{}>", children_names(type));
    case TypeId::kLargeListView: return fmt::format("large_list_view<{}>", children_names(type));
    case TypeId::kFixedSizeList:
      return fmt::format("fixed_size_list[{}]<{}>", type.byte_width, children_names(type));
    case TypeId::kStruct: return fmt::format("struct<{}>", children_names(type));
    case TypeId::kMap: return fmt::format("map<{}>", children_names(type));
    case TypeId::kUnion: return fmt::format("union<{}>", children_names(type));
    case TypeId::kRunEndEncoded: return fmt::format("run_end_encoded<{}>", children_names(type));
    default: return "unknown";
  }
}

std::string plain_name(const DataType& type) {
  if (const char* name = simple_name(type.id)) return name;
  switch (type.id) {
    case TypeId::kDecimal:
      return fmt::format("decimal{}({}, {})", type.bit_width, type.precision, type.scale);
    case TypeId::kFixedSizeBinary: return fmt::format("fixed_size_binary[{}]", type.byte_width);
    case TypeId::kTime32: return fmt::format("time32[{}]", unit_name(type.unit));
    case TypeId::kTime64: return fmt::format("time64[{}]", unit_name(type.unit));
    case TypeId::kDuration: return fmt::format("duration[{}]", unit_name(type.unit));
    case TypeId::kTimestamp:
      return type.timezone.empty()
                 ? fmt::format("timestamp[{}]", unit_name(type.unit))
                 : fmt::format("timestamp[{}, tz={}]", unit_name(type.unit), type.timezone);
    default: return nested_name(type);
  }
}

std::optional<int> parse_int(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<TimeUnit> parse_unit(std::string_view text) {
  for (int i = 0; i < 4; ++i) {
    if (text == kUnits[i]) return static_cast<TimeUnit>(i);
  }
  return std::nullopt;
}

// The part between `open` at the end of `head` and the last character, or nullopt.
std::optional<std::string_view> inside(std::string_view name, std::string_view head, char close) {
  if (name.substr(0, head.size()) != head || name.empty() || name.back() != close) {
    return std::nullopt;
  }
  return name.substr(head.size(), name.size() - head.size() - 1);
}

bool parse_decimal(std::string_view name, DataType* type) {
  for (int bits : {32, 64, 128, 256}) {
    auto args = inside(name, fmt::format("decimal{}(", bits), ')');
    if (!args) continue;
    const auto comma = args->find(',');
    if (comma == std::string_view::npos) return false;
    auto precision = parse_int(args->substr(0, comma));
    auto scale = parse_int(args->substr(comma + 1));
    if (!precision || !scale) return false;
    type->id = TypeId::kDecimal;
    type->bit_width = bits;
    type->precision = *precision;
    type->scale = *scale;
    return true;
  }
  return false;
}

bool parse_temporal(std::string_view name, DataType* type) {
  struct Entry {
    const char* head;
    TypeId id;
  };
  for (const Entry& e : {Entry{"time32[", TypeId::kTime32}, Entry{"time64[", TypeId::kTime64},
                         Entry{"duration[", TypeId::kDuration},
                         Entry{"timestamp[", TypeId::kTimestamp}}) {
    auto args = inside(name, e.head, ']');
    if (!args) continue;
    type->id = e.id;
    std::string_view unit = *args;
    if (const auto comma = args->find(", tz="); comma != std::string_view::npos) {
      if (e.id != TypeId::kTimestamp) return false;
      unit = args->substr(0, comma);
      type->timezone = std::string(args->substr(comma + 5));
    }
    auto parsed = parse_unit(unit);
    if (!parsed) return false;
    type->unit = *parsed;
    return true;
  }
  return false;
}

}  // namespace

std::string type_name(const DataType& type) {
  if (type.extension.empty()) return plain_name(type);
  return fmt::format("{} ({})", plain_name(type), type.extension);
}

DataType parse_type_name(const std::string& name, bool* ok) {
  DataType type;
  *ok = true;
  for (const auto& s : kSimpleNames) {
    if (name == s.name) {
      type.id = s.id;
      return type;
    }
  }
  if (parse_decimal(name, &type) || parse_temporal(name, &type)) return type;
  if (auto width = inside(name, "fixed_size_binary[", ']')) {
    if (auto bytes = parse_int(*width)) {
      type.id = TypeId::kFixedSizeBinary;
      type.byte_width = *bytes;
      return type;
    }
  }
  *ok = false;
  return DataType{};
}

}  // namespace headrace
