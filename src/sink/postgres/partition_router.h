// PartitionRouter: which partition a row belongs to, by the encoded values of its key columns.
//
// A row of COPY BINARY is walked to its key columns only. A value becomes a key string (KeyForm),
// whose bytewise order is the server's; then each level of the tree is a search in a hash table
// (list) or a sorted array (range), after a look at the child of the row before.
//
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "encode/row_block.h"
#include "headrace/partitions.h"
#include "headrace/plan.h"

namespace headrace {

// A value of a bound: everything, a key string, or nothing is below it.
struct BoundValue {
  int kind = 0;  // -1 MINVALUE, 0 a value, 1 MAXVALUE
  std::string key;
};

// The bytes of a value as a key string. `scratch` holds what has to be made.
std::string_view key_string(KeyForm form, std::string_view bytes, std::string* scratch);

// "=0000002a" of a node's bound; nullopt is NULL.
std::optional<BoundValue> bound_value(KeyForm form, const std::string& text);

// Fewer than 0 when `key` is below the bound, 0 at it, more above; column by column.
int compare_to_bound(const std::vector<std::string_view>& key, const std::vector<BoundValue>& bound);

class PartitionRouter {
 public:
  // A row whose leaf is -1 - n fits no child of node n.
  static constexpr int32_t kNoChild = -1;

  // REQUIRES: every key column of the tree is one of `columns`, in whose order the rows are.
  PartitionRouter(const std::vector<PartitionNode>& nodes, const std::vector<ColumnPlan>& columns);

  // A child that came later (--create-partitions), as leaf number `index`.
  void add_child(const PartitionNode& node, int32_t index);

  // The node of each row's leaf, or kNoChild - node.
  void route(const RowBlock& block, std::vector<int32_t>* leaves);
  int32_t route_row(const uint8_t* row);

  // The raw values of node's key columns in a row; no data: NULL.
  std::vector<std::string_view> key_values(const uint8_t* row, int32_t node);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Range {
    std::vector<BoundValue> from, to;
    int32_t child;
  };
  struct Level {
    PartitionBy by = PartitionBy::kNone;
    std::vector<int> keys;  // indexes of keys_
    std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> list;
    std::vector<Range> ranges;  // sorted, apart from each other
    int32_t null_child = kNoChild;
    int32_t default_child = kNoChild;
    size_t last_range = 0;
    std::string last_value;
    int32_t last_child = kNoChild;
  };
  struct Key {
    int column;  // position in a row
    KeyForm form;
    std::string_view raw;     // of the row looked at; no data: NULL
    std::string_view key;
    std::string scratch;
  };

  int key_index(const PartitionKey& key, const std::vector<ColumnPlan>& columns);
  void add_to_level(Level* level, const PartitionNode& node, int32_t index);
  void read_keys(const uint8_t* row);
  int32_t child_of(Level& level);
  int32_t range_child(Level& level);
  bool in_range(const Range& range) const;

  std::vector<Level> levels_;  // by node
  std::vector<Key> keys_;      // of the whole tree, in the order of the columns
  std::vector<std::string_view> tuple_;
};

}  // namespace headrace
