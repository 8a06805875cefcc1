#include "sink/postgres/partition_router.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "encode/format/pg_binary.h"

namespace headrace {
namespace {

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return bytes;
}

int compare_value(std::string_view key, const BoundValue& bound) {
  if (bound.kind != 0) return -bound.kind;
  return key.compare(bound.key);
}

}  // namespace

std::string_view key_string(KeyForm form, std::string_view bytes, std::string* scratch) {
  if (form == KeyForm::kBytes) return bytes;
  if (form == KeyForm::kPadded) {
    const size_t last = bytes.find_last_not_of(' ');
    return bytes.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }
  scratch->assign(bytes);
  if (!scratch->empty()) (*scratch)[0] = static_cast<char>((*scratch)[0] ^ 0x80);
  return *scratch;
}

std::optional<BoundValue> bound_value(KeyForm form, const std::string& text) {
  if (text == "null") return std::nullopt;
  if (text == "min") return BoundValue{-1, {}};
  if (text == "max") return BoundValue{1, {}};
  std::string scratch;
  const std::string bytes = from_hex(std::string_view(text).substr(1));
  return BoundValue{0, std::string(key_string(form, bytes, &scratch))};
}

int compare_to_bound(const std::vector<std::string_view>& key,
                     const std::vector<BoundValue>& bound) {
  for (size_t i = 0; i < bound.size(); ++i) {
    const int order = compare_value(key[i], bound[i]);
    // What follows MINVALUE or MAXVALUE does not count.
    if (order != 0) return order;
  }
  return 0;
}

PartitionRouter::PartitionRouter(const std::vector<PartitionNode>& nodes,
                                 const std::vector<ColumnPlan>& columns) {
  levels_.resize(nodes.size());
  for (const PartitionNode& node : nodes) {
    for (const PartitionKey& key : node.keys) key_index(key, columns);
  }
  std::ranges::sort(keys_, {}, &Key::column);
  for (size_t n = 0; n < nodes.size(); ++n) {
    levels_[n].by = nodes[n].by;
    for (const PartitionKey& key : nodes[n].keys) levels_[n].keys.push_back(key_index(key, columns));
  }
  for (size_t n = 0; n < nodes.size(); ++n) {
    if (nodes[n].parent < 0) continue;
    add_to_level(&levels_[static_cast<size_t>(nodes[n].parent)], nodes[n], static_cast<int32_t>(n));
  }
  for (Level& level : levels_) {
    std::ranges::sort(level.ranges, [](const Range& a, const Range& b) {
      const auto rank = [](const BoundValue& v) { return v.kind; };
      for (size_t i = 0; i < a.from.size(); ++i) {
        if (rank(a.from[i]) != rank(b.from[i])) return rank(a.from[i]) < rank(b.from[i]);
        if (const int order = a.from[i].key.compare(b.from[i].key); order != 0) return order < 0;
      }
      return false;
    });
  }
}

int PartitionRouter::key_index(const PartitionKey& key, const std::vector<ColumnPlan>& columns) {
  const auto column = std::ranges::find(columns, key.column, &ColumnPlan::target);
  const auto position = static_cast<int>(column - columns.begin());
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].column == position) return static_cast<int>(i);
  }
  keys_.push_back({position, key.form, {}, {}, {}});
  return static_cast<int>(keys_.size()) - 1;
}

void PartitionRouter::add_to_level(Level* level, const PartitionNode& node, int32_t index) {
  if (node.is_default) {
    level->default_child = index;
    return;
  }
  const auto form = [&](size_t i) { return keys_[static_cast<size_t>(level->keys[i])].form; };
  if (level->by == PartitionBy::kList) {
    for (const std::string& text : node.from) {
      const auto value = bound_value(form(0), text);
      if (value) level->list[value->key] = index;
      else level->null_child = index;
    }
    return;
  }
  Range range;
  range.child = index;
  for (size_t i = 0; i < node.from.size(); ++i) {
    range.from.push_back(*bound_value(form(i), node.from[i]));
    range.to.push_back(*bound_value(form(i), node.to[i]));
  }
  level->ranges.push_back(std::move(range));
}

void PartitionRouter::add_child(const PartitionNode& node, int32_t index) {
  if (levels_.size() <= static_cast<size_t>(index)) levels_.resize(static_cast<size_t>(index) + 1);
  Level& level = levels_[static_cast<size_t>(node.parent)];
  level.last_child = kNoChild;
  add_to_level(&level, node, index);
  if (level.by != PartitionBy::kRange) return;
  // The one range came last: it moves to its place among the sorted ones.
  const Range added = std::move(level.ranges.back());
  level.ranges.pop_back();
  std::vector<std::string_view> first;
  for (const BoundValue& value : added.from) first.push_back(value.key);
  const auto after = std::ranges::find_if(level.ranges, [&](const Range& range) {
    return compare_to_bound(first, range.from) < 0;
  });
  level.last_range = 0;
  level.ranges.insert(after, added);
}

void PartitionRouter::read_keys(const uint8_t* row) {
  const uint8_t* at = row + pg_binary::kTupleHeaderBytes;
  int column = 0;
  for (Key& key : keys_) {
    for (; column < key.column; ++column) {
      const auto length = static_cast<int32_t>(load_be32(at));
      at += 4 + (length > 0 ? length : 0);
    }
    const auto length = static_cast<int32_t>(load_be32(at));
    if (length < 0) {
      key.raw = key.key = {};
    } else {
      key.raw = {reinterpret_cast<const char*>(at + 4), static_cast<size_t>(length)};
      key.key = key_string(key.form, key.raw, &key.scratch);
    }
  }
}

bool PartitionRouter::in_range(const Range& range) const {
  return compare_to_bound(tuple_, range.from) >= 0 && compare_to_bound(tuple_, range.to) < 0;
}

int32_t PartitionRouter::range_child(Level& level) {
  tuple_.clear();
  for (const int k : level.keys) {
    const Key& key = keys_[static_cast<size_t>(k)];
    if (key.raw.data() == nullptr) return level.default_child;  // no range takes NULL
    tuple_.push_back(key.key);
  }
  if (level.last_range < level.ranges.size() && in_range(level.ranges[level.last_range])) {
    return level.ranges[level.last_range].child;
  }
  const auto after = std::upper_bound(
      level.ranges.begin(), level.ranges.end(), tuple_,
      [](const auto& tuple, const Range& range) { return compare_to_bound(tuple, range.from) < 0; });
  if (after == level.ranges.begin() || !in_range(*(after - 1))) return level.default_child;
  level.last_range = static_cast<size_t>(after - 1 - level.ranges.begin());
  return (after - 1)->child;
}

int32_t PartitionRouter::child_of(Level& level) {
  if (level.by == PartitionBy::kRange) return range_child(level);
  const Key& key = keys_[static_cast<size_t>(level.keys[0])];
  if (key.raw.data() == nullptr) {
    return level.null_child >= 0 ? level.null_child : level.default_child;
  }
  if (level.last_child >= 0 && level.last_value == key.key) return level.last_child;
  const auto found = level.list.find(key.key);
  if (found == level.list.end()) return level.default_child;
  level.last_value = found->first;
  return level.last_child = found->second;
}

int32_t PartitionRouter::route_row(const uint8_t* row) {
  read_keys(row);
  int32_t node = 0;
  while (levels_[static_cast<size_t>(node)].by != PartitionBy::kNone) {
    const int32_t child = child_of(levels_[static_cast<size_t>(node)]);
    if (child < 0) return kNoChild - node;
    node = child;
  }
  return node;
}

void PartitionRouter::route(const RowBlock& block, std::vector<int32_t>* leaves) {
  leaves->resize(static_cast<size_t>(block.row_count));
  const uint8_t* bytes = block.bytes.data();
  for (size_t i = 0; i < leaves->size(); ++i) (*leaves)[i] = route_row(bytes + block.row_starts[i]);
}

std::vector<std::string_view> PartitionRouter::key_values(const uint8_t* row, int32_t node) {
  read_keys(row);
  std::vector<std::string_view> values;
  for (const int k : levels_[static_cast<size_t>(node)].keys) {
    values.push_back(keys_[static_cast<size_t>(k)].raw);
  }
  return values;
}

}  // namespace headrace
