// Types and fields of a source, as values. They follow the Arrow columnar format's names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headrace {

enum class TypeId : uint8_t {
  kNull,
  kBool,
  kInt8, kInt16, kInt32, kInt64,
  kUint8, kUint16, kUint32, kUint64,
  kFloat16, kFloat32, kFloat64,
  kDecimal,  // bit_width 32, 64, 128 or 256
  kUtf8, kLargeUtf8, kUtf8View,
  kBinary, kLargeBinary, kBinaryView, kFixedSizeBinary,
  kDate32, kDate64,
  kTime32, kTime64,
  kTimestamp,
  kDuration,
  kIntervalMonths, kIntervalDayTime, kIntervalMonthDayNano,
  kDictionary,
  kList, kLargeList, kFixedSizeList, kListView, kLargeListView,
  kStruct, kMap, kUnion, kRunEndEncoded,
};

enum class TimeUnit : uint8_t { kSecond, kMilli, kMicro, kNano };

struct Field;

struct DataType {
  TypeId id = TypeId::kNull;
  TimeUnit unit = TimeUnit::kSecond;  // time, timestamp, duration
  int32_t precision = 0;              // decimal
  int32_t scale = 0;                  // decimal; may be negative
  int32_t bit_width = 0;              // decimal
  int32_t byte_width = 0;             // fixed_size_binary; fixed_size_list: items per list
  TypeId index_id = TypeId::kInt32;   // dictionary: type of the indexes
  std::string timezone;               // timestamp: empty = without zone
  std::string extension;              // ARROW:extension:name, empty if none
  std::vector<Field> children;        // dictionary: one child, the value type

  bool operator==(const DataType&) const;
};

struct Field {
  std::string name;
  DataType type;
  bool nullable = true;

  bool operator==(const Field&) const = default;
};

inline bool DataType::operator==(const DataType& o) const {
  return id == o.id && unit == o.unit && precision == o.precision && scale == o.scale &&
         bit_width == o.bit_width && byte_width == o.byte_width && index_id == o.index_id &&
         timezone == o.timezone && extension == o.extension && children == o.children;
}

struct Schema {
  std::vector<Field> fields;

  bool operator==(const Schema&) const = default;
};

// As a user writes it: "decimal128(15, 2)", "timestamp[us, tz=UTC]", "dictionary<int32, utf8>".
std::string type_name(const DataType& type);

// The inverse, for the simple types that a user may declare for CSV columns and that a Plan
// stores; an unknown name gives kNull and ok = false.
DataType parse_type_name(const std::string& name, bool* ok);

}  // namespace headrace
