// PartitionStages: the tables beside the partitions of a target, which N connections fill and
// nobody sees. Each is made when the first row for its partition comes.
//
//   swap   the twin of an empty or replaced partition, with its bound as a CHECK: it takes its place
//   fresh  a partition that does not exist yet (--create-partitions), with its bound as a CHECK
//   merge  an unlogged table whose rows are inserted into a partition that has rows
//
// The sink owns it and outlives the writers. stage_of, partition_for and nodes_from: any thread;
// everything else: the sink's thread, without writers.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/postgres/new_partition.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/table_copy.h"

namespace headrace {

enum class StageKind { kSwap, kFresh, kMerge };

struct StageName {
  std::string schema;
  std::string table;
};

struct PartitionStage {
  int node = 0;
  StageKind kind = StageKind::kSwap;
  StageName name;
  TableCopy copy;     // kSwap
  bool has_check = false;
};

// The CHECK of a stage that says what the bound says; dropped once the stage is attached.
inline constexpr char kBoundCheck[] = "_headrace_bound";

class PartitionStages {
 public:
  // REQUIRES: plan and pool live as long. Reads the shape of the tree, which publishing compares.
  static Result<std::unique_ptr<PartitionStages>> make(ConnectionPool& pool, const Plan& plan,
                                                       std::string load_id);

  // As planned; never changes.
  const std::vector<PartitionNode>& planned_nodes() const { return plan_.tree; }

  // The table for the rows of a leaf, made when it is missing.
  Result<StageName> stage_of(int32_t leaf);

  // A leaf for the key values of a row that fits no child of `node`. Fails with kRejectedValue when
  // none may be made.
  Result<int32_t> partition_for(int32_t node, const std::vector<std::string_view>& values);

  // Leaves made since there were `count` nodes, with their numbers.
  std::vector<std::pair<int32_t, PartitionNode>> nodes_from(size_t count) const;

  const PartitionNode& node(int index) const { return nodes_[static_cast<size_t>(index)]; }
  const std::vector<PartitionNode>& nodes() const { return nodes_; }
  const std::vector<PartitionStage>& stages() const { return stages_; }
  // Of the tree, as it was when the load began.
  const std::string& shape() const { return shape_; }

  // Qualified names of what was made, to drop it.
  std::vector<std::string> qualified_names() const;

 private:
  PartitionStages(ConnectionPool& pool, const Plan& plan, std::string load_id)
      : pool_(pool), plan_(plan), load_id_(std::move(load_id)), nodes_(plan.tree) {}

  Result<PartitionStage> make_stage(int32_t leaf);
  Status create(Connection& connection, PartitionStage* stage);
  Status create_twin(Connection& connection, PartitionStage* stage);
  Status create_fresh(Connection& connection, PartitionStage* stage);
  Status add_check(Connection& connection, PartitionStage* stage, const std::string& check);

  ConnectionPool& pool_;
  const Plan& plan_;
  const std::string load_id_;
  std::string shape_;
  mutable std::mutex mutex_;
  std::vector<PartitionNode> nodes_;
  std::vector<PartitionStage> stages_;
};

// Everything that a change of the tree would change, as one text.
Result<std::string> read_tree_shape(Connection& connection, int64_t root);

// The statements of a leaf's twin. search_path is empty afterwards.
Result<TableCopy> read_partition_copy(Connection& connection, const PartitionNode& leaf,
                                      const std::string& stage);

}  // namespace headrace
