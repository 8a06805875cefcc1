#include "sink/postgres/new_partition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <optional>

#include "base/endian.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kMaxInteger = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInteger = std::numeric_limits<int64_t>::min();
constexpr size_t kMaxNameBytes = 63;
constexpr size_t kMaxValueNameBytes = 40;
constexpr std::chrono::sys_days kEpoch = std::chrono::sys_days(std::chrono::year{2000} / 1 / 1);

bool is_timestamp(std::string_view base) { return base == "timestamp" || base == "timestamptz"; }
bool is_integer(std::string_view base) { return base == "int2" || base == "int4" || base == "int8"; }

// Big-endian, two's complement, as COPY BINARY has integers, dates and timestamps.
int64_t read_integer(std::string_view bytes) {
  int64_t value = static_cast<int8_t>(bytes.empty() ? 0 : bytes[0]);
  for (size_t i = 1; i < bytes.size(); ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return hex;
}

size_t integer_bytes(std::string_view base) {
  if (base == "int2") return 2;
  return base == "int4" || base == "date" ? 4 : 8;
}

std::string integer_hex(int64_t value, std::string_view base) {
  uint8_t bytes[8];
  store_be64(bytes, static_cast<uint64_t>(value));
  const size_t count = integer_bytes(base);
  return "=" + hex_of({reinterpret_cast<const char*>(bytes) + 8 - count, count});
}

// A bound value of a sibling; MINVALUE and MAXVALUE are the ends of all integers.
int64_t bound_integer(const std::string& text) {
  if (text == "min") return kMinInteger;
  if (text == "max") return kMaxInteger;
  const std::string hex = text.substr(1);
  const auto bits = std::strtoull(hex.c_str(), nullptr, 16);
  if (hex.size() == 16) return static_cast<int64_t>(bits);
  return hex.size() == 8 ? static_cast<int32_t>(bits) : static_cast<int16_t>(bits);
}

int64_t floor_to(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

std::chrono::year_month_day date_of(int64_t days) {
  return std::chrono::year_month_day(kEpoch + std::chrono::days(days));
}

std::string date_text(int64_t days) {
  const auto date = date_of(days);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// Years 1 to 9999, which dates as text have in one form.
bool has_date_text(int64_t days) { return days >= -730119 && days < 2921940; }

struct Span {
  int64_t from = 0, to = 0;  // days, micros or integers
};

// The day, month or year around a day.
Span calendar_span(int64_t day, const std::string& width) {
  using namespace std::chrono;
  if (width == "day") return {day, day + 1};
  const year_month_day date = date_of(day);
  const year_month_day first = width == "month" ? date.year() / date.month() / 1 : date.year() / 1 / 1;
  const year_month_day next = width == "month" ? first + months(1) : first + years(1);
  return {(sys_days(first) - kEpoch).count(), (sys_days(next) - kEpoch).count()};
}

std::string integer_text(int64_t value, std::string_view base) {
  if (base == "date") return date_text(value);
  if (!is_timestamp(base)) return std::to_string(value);
  const int64_t day = floor_to(value, kMicrosPerDay);
  const int64_t micros = value - day;
  std::string text = fmt::format("{} {:02}:{:02}:{:02}", date_text(day / kMicrosPerDay),
                                 micros / 3'600'000'000, micros / 60'000'000 % 60,
                                 micros / 1'000'000 % 60);
  if (micros % 1'000'000 != 0) text += fmt::format(".{:06}", micros % 1'000'000);
  return base == "timestamptz" ? text + "+00" : text;
}

std::string value_text(std::string_view base, std::string_view bytes) {
  const bool signed_value = is_integer(base) || base == "date" || is_timestamp(base);
  if (signed_value) {
    const int64_t value = read_integer(bytes);
    const int64_t days = base == "date" ? value : value / kMicrosPerDay;
    if (is_integer(base) || has_date_text(days)) return integer_text(value, base);
    return value > 0 ? "infinity" : "-infinity";
  }
  if (base == "bool") return bytes == std::string_view("\1", 1) ? "true" : "false";
  if (base == "bytea") return "\\x" + hex_of(bytes);
  if (base == "uuid") {
    const std::string hex = hex_of(bytes);
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                       hex.substr(16, 4), hex.substr(20));
  }
  return std::string(bytes);
}

std::string name_of_value(const std::string& text) {
  std::string name;
  for (const char c : text.substr(0, kMaxValueNameBytes)) {
    const auto letter = static_cast<unsigned char>(c);
    name += letter < 128 && std::isalnum(letter) ? static_cast<char>(std::tolower(letter)) : '_';
  }
  return name.empty() ? "empty" : name;
}

std::string name_of_range(const Span& span, std::string_view base, const std::string& width) {
  if (is_integer(base)) return fmt::format("{}{}", span.from < 0 ? "m" : "", std::abs(span.from));
  std::string text = date_text(base == "date" ? span.from : floor_to(span.from, kMicrosPerDay) / kMicrosPerDay);
  std::ranges::replace(text, '-', '_');
  const bool whole_month = text.ends_with("_01");
  if (width == "year" && text.ends_with("_01_01")) return text.substr(0, 4);
  return width == "month" && whole_month ? text.substr(0, 7) : text;
}

// The parent's name, cut so that the suffix has room, and a number where it is taken in the tree.
std::string free_name(const std::vector<PartitionNode>& nodes, const PartitionNode& parent,
                      const std::string& suffix) {
  for (int number = 1;; ++number) {
    const std::string end = "_" + suffix + (number == 1 ? "" : fmt::format("_{}", number));
    std::string start = parent.table;
    while (start.size() + end.size() > kMaxNameBytes) {
      const size_t size = start.size();
      do start.pop_back();
      while (!start.empty() && (static_cast<uint8_t>(start.back()) & 0x80) != 0 && start.size() + 4 > size);
    }
    const std::string name = start + end;
    const bool taken = std::ranges::any_of(nodes, [&](const PartitionNode& n) {
      return n.schema == parent.schema && n.table == name;
    });
    if (!taken) return name;
  }
}

std::string shown(const PartitionKey& key, std::string_view value) {
  if (value.data() == nullptr) return fmt::format("{} = NULL", key.column);
  const std::string text = value_text(key.base, value);
  if (is_integer(key.base)) return fmt::format("{} = {}", key.column, text);
  return fmt::format("{} = '{}'", key.column, text.substr(0, 100));
}

Error no_partition(const PartitionNode& parent, const std::vector<std::string_view>& values,
                   const Plan& plan, std::string hint) {
  std::string row;
  for (size_t i = 0; i < values.size(); ++i) {
    row += (i == 0 ? "" : ", ") + shown(parent.keys[i], values[i]);
  }
  Error error(ErrorCode::kRejectedValue,
              fmt::format("no partition of {}.{} takes {}", parent.schema, parent.table, row),
              std::move(hint));
  for (const ColumnPlan& column : plan.columns) {
    if (column.target == parent.keys[0].column) error.where.column = column.field.name;
  }
  return error;
}

PartitionNode list_partition(const std::vector<PartitionNode>& nodes, const PartitionNode& parent,
                             std::string_view value) {
  PartitionNode leaf;
  leaf.schema = parent.schema;
  if (value.data() == nullptr) {
    leaf.from = {"null"};
    leaf.bound = "FOR VALUES IN (NULL)";
    leaf.table = free_name(nodes, parent, "null");
    return leaf;
  }
  const std::string text = value_text(parent.keys[0].base, value);
  leaf.from = {"=" + hex_of(value)};
  leaf.bound = fmt::format("FOR VALUES IN ({})", quote_literal(text));
  leaf.table = free_name(nodes, parent, name_of_value(text));
  return leaf;
}

// The range of the value by the width, as far as the siblings leave it free; nothing where it has
// none. Siblings do not hold the value.
std::optional<Span> free_span(const std::vector<PartitionNode>& nodes, int32_t node, int64_t value,
                              const std::string& base, const std::string& width) {
  Span span;
  if (is_integer(base)) {
    const int64_t unit = std::strtoll(width.c_str(), nullptr, 10);
    span.from = value < kMinInteger + unit ? kMinInteger : floor_to(value, unit);
    span.to = span.from > kMaxInteger - unit ? kMaxInteger : span.from + unit;
    const int64_t largest = base == "int2" ? 32767 : base == "int4" ? 2147483647 : kMaxInteger;
    if (span.to > largest || span.from < -largest - 1) return std::nullopt;
  } else {
    const bool date = base == "date";
    const int64_t day = date ? value : floor_to(value, kMicrosPerDay) / kMicrosPerDay;
    if (!has_date_text(day)) return std::nullopt;
    span = calendar_span(day, width);
    if (!has_date_text(span.to)) return std::nullopt;
    if (!date) span = {span.from * kMicrosPerDay, span.to * kMicrosPerDay};
  }
  for (const PartitionNode& sibling : nodes) {
    if (sibling.parent != node || sibling.is_default) continue;
    const int64_t from = bound_integer(sibling.from[0]);
    const int64_t to = bound_integer(sibling.to[0]);
    if (to <= value) span.from = std::max(span.from, to);
    if (from > value) span.to = std::min(span.to, from);
  }
  return span;
}

}  // namespace

std::string key_text(const std::string& base, std::string_view bytes) {
  return value_text(base, bytes);
}

Result<PartitionNode> new_partition(const std::vector<PartitionNode>& nodes, int32_t node,
                                    const std::vector<std::string_view>& values, const Plan& plan) {
  const PartitionNode& parent = nodes[static_cast<size_t>(node)];
  const std::string& width = plan.create_partitions;
  if (width.empty()) {
    return no_partition(parent, values, plan,
                        fmt::format("CREATE TABLE ... PARTITION OF {}.{}, or use --create-partitions",
                                    parent.schema, parent.table));
  }
  const bool nested = std::ranges::any_of(nodes, [&](const PartitionNode& n) {
    return n.parent == node && n.by != PartitionBy::kNone;
  });
  if (nested) {
    return no_partition(parent, values, plan,
                        "its partitions have partitions themselves: create this one by hand");
  }
  PartitionNode leaf;
  const PartitionKey& key = parent.keys[0];
  if (parent.by == PartitionBy::kList) {
    leaf = list_partition(nodes, parent, values[0]);
  } else {
    if (values[0].data() == nullptr) {
      return no_partition(parent, values, plan, "ranges take no NULL: create a default partition");
    }
    const auto span = width == "list"
                          ? std::nullopt
                          : free_span(nodes, node, read_integer(values[0]), key.base, width);
    if (!span) {
      return no_partition(parent, values, plan,
                          width == "list" ? "give --create-partitions a width: day, month, year or a number"
                                          : "no range of this width holds it: create one by hand");
    }
    leaf.schema = parent.schema;
    leaf.from = {integer_hex(span->from, key.base)};
    leaf.to = {integer_hex(span->to, key.base)};
    leaf.bound = fmt::format("FOR VALUES FROM ({}) TO ({})", quote_literal(integer_text(span->from, key.base)),
                             quote_literal(integer_text(span->to, key.base)));
    leaf.table = free_name(nodes, parent, name_of_range(*span, key.base, width));
  }
  leaf.parent = node;
  leaf.is_empty = true;
  return leaf;
}

std::string new_partition_check(const PartitionNode& leaf, const PartitionNode& parent) {
  const PartitionKey& key = parent.keys[0];
  const std::string column = quote_identifier(key.column);
  if (leaf.from[0] == "null") return fmt::format("{} IS NULL", column);
  const auto literal = [&](const std::string& text) {
    std::string bytes;
    for (size_t i = 1; i + 1 < text.size(); i += 2) {
      bytes += static_cast<char>(std::strtol(text.substr(i, 2).c_str(), nullptr, 16));
    }
    return fmt::format("{}::{}", quote_literal(value_text(key.base, bytes)), key.type);
  };
  if (parent.by == PartitionBy::kList) {
    return fmt::format("{0} IS NOT NULL AND {0} = {1}", column, literal(leaf.from[0]));
  }
  return fmt::format("{0} IS NOT NULL AND {0} >= {1} AND {0} < {2}", column, literal(leaf.from[0]),
                     literal(leaf.to[0]));
}

}  // namespace headrace
