#include "sink/postgres/publish_partitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/phase_timer.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/index_builder.h"
#include "sink/postgres/swap.h"

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

std::string joined(const std::vector<std::string>& statements) {
  return fmt::format("{}", fmt::join(statements, ";\n"));
}

class PartitionPublisher {
 public:
  PartitionPublisher(const Publication& p, PartitionStages& stages, PublishStats* stats)
      : p_(p), stages_(stages), stats_(stats) {
    for (const PartitionStage& stage : stages.stages()) {
      if (stage.kind == StageKind::kSwap) swaps_.push_back(&stage);
    }
    // A default partition comes last: what its siblings take, it must not.
    std::ranges::stable_partition(swaps_, [&](const PartitionStage* s) { return !leaf(*s).is_default; });
  }

  Status run() {
    HEADRACE_TRY(finish_stages());
    HEADRACE_TRY(lock_table(p_, "SHARE UPDATE EXCLUSIVE"));
    HEADRACE_TRY(check_unchanged());
    HEADRACE_TRY(merge_all());
    if (!merges_) HEADRACE_TRY(attach_fresh());
    // What is attached was committed before by the writers: a snapshot from between would see it. So
    // no transaction that reads the table may go on over the commit, nor a statement that knows the
    // partitions from when it was planned and takes its snapshot later.
    if (swaps_.empty() && fresh_ == 0 && p_.plan.mode != Mode::kReplace) return {};
    HEADRACE_TRY(lock_table(p_, "ACCESS EXCLUSIVE"));
    locked_at_ = Clock::now();
    HEADRACE_TRY(leave_out_filled());
    HEADRACE_TRY(swap_all());
    return p_.plan.mode == Mode::kReplace ? truncate_others() : Status();
  }

  std::optional<Clock::time_point> locked_at() const { return locked_at_; }

 private:
  const PartitionNode& leaf(const PartitionStage& stage) const { return stages_.node(stage.node); }
  const PartitionNode& parent_of(const PartitionNode& node) const { return stages_.node(node.parent); }
  static std::string stage_name(const PartitionStage& stage) {
    return qualified(stage.name.schema, stage.name.table);
  }

  // Indexes, statistics, rights: everything that needs no lock on the target.
  Status finish_stages() {
    const auto start = Clock::now();
    std::vector<IndexCopy> indexes;
    for (const PartitionStage* stage : swaps_) {
      indexes.insert(indexes.end(), stage->copy.indexes.begin(), stage->copy.indexes.end());
    }
    HEADRACE_TRY(build_indexes(p_.pool, indexes, p_.plan.maintenance_work_mem_bytes, p_.cancel));
    stats_->index_seconds += seconds_since(start);
    HEADRACE_ASSIGN(auto connection, p_.pool.take());
    for (const PartitionStage& stage : stages_.stages()) {
      if (!p_.plan.analyze || stage.kind == StageKind::kMerge) continue;
      if (connection->limits().stopped()) return cancelled_error();
      analyze(*connection, stage_name(stage), stats_);
    }
    p_.pool.give(std::move(connection));
    for (const PartitionStage& stage : stages_.stages()) {
      HEADRACE_TRY(p_.control.run(joined(stage.copy.rights), "setting the rights of a partition"));
      HEADRACE_TRY(p_.control.run(joined(stage.copy.finish), "setting the properties of a partition"));
    }
    return {};
  }

  Error changed() const {
    return Error(ErrorCode::kServer,
                 fmt::format("the partitions of {}.{} were changed by someone else while the load ran",
                             p_.plan.schema, p_.plan.table),
                 "run the load again");
  }

  Status check_unchanged() {
    HEADRACE_TRY(p_.control.run(
        "SAVEPOINT headrace_look; SET LOCAL search_path = ''; SET LOCAL datestyle = 'ISO, YMD'"));
    HEADRACE_ASSIGN(const std::string shape, read_tree_shape(p_.control, p_.plan.tree[0].oid));
    if (shape != stages_.shape()) return changed();
    for (const PartitionStage* stage : swaps_) {
      HEADRACE_ASSIGN(const TableCopy copy,
                      read_partition_copy(p_.control, leaf(*stage), stage->name.table));
      if (copy != stage->copy) return changed();
    }
    return p_.control.run("ROLLBACK TO SAVEPOINT headrace_look");
  }

  Status merge(const PartitionStage& stage) {
    const std::string columns = column_list(p_.plan.columns);
    return p_.control.run(
        fmt::format("INSERT INTO {} {} OVERRIDING SYSTEM VALUE SELECT {} FROM {}; DROP TABLE {}",
                    qualified(p_.plan.schema, p_.plan.table), columns,
                    columns.substr(1, columns.size() - 2), stage_name(stage), stage_name(stage)),
        "inserting into a partition that has rows");
  }

  // What is attached was committed by the writers; what is merged is not before our COMMIT. A snapshot
  // from between would see the one and not the other: where rows are merged, all are.
  Status merge_all() {
    const auto& stages = stages_.stages();
    merges_ = std::ranges::any_of(stages, [](const auto& s) { return s.kind == StageKind::kMerge; });
    if (!merges_) return {};
    HEADRACE_TRY(attach_fresh());
    for (const PartitionStage& stage : stages) HEADRACE_TRY(merge(stage));
    swaps_.clear();
    return {};
  }

  // A number is added where the name is taken by something outside of the tree.
  Result<std::string> free_name(const PartitionNode& node) {
    for (int number = 1;; ++number) {
      const std::string end = number == 1 ? "" : fmt::format("_{}", number);
      const std::string name = node.table + end;
      HEADRACE_ASSIGN(const PgResult row, p_.control.query("SELECT to_regclass($1) IS NULL",
                                                           {qualified(node.schema, name)}));
      if (cell_is_true(row, 0, 0)) return name;
    }
  }

  // Into the tree, and without what made it a stage.
  std::vector<std::string> attach_sql(const PartitionStage& stage, const std::string& name) const {
    const PartitionNode& node = leaf(stage);
    const PartitionNode& parent = parent_of(node);
    const std::string table = qualified(node.schema, name);
    std::vector<std::string> sql = {fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}",
                                                qualified(parent.schema, parent.table), table, node.bound)};
    if (stage.has_check) sql.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table, kBoundCheck));
    return sql;
  }

  Status attach_fresh() {
    for (const PartitionStage& stage : stages_.stages()) {
      if (stage.kind != StageKind::kFresh) continue;
      const PartitionNode& node = leaf(stage);
      HEADRACE_ASSIGN(const std::string name, free_name(node));
      std::vector<std::string> sql = {
          fmt::format("COMMENT ON TABLE {} IS NULL", stage_name(stage)),
          fmt::format("ALTER TABLE {} RENAME TO {}", stage_name(stage), quote_identifier(name))};
      if (merges_) {  // an empty one, whose rows come by INSERT
        const std::string table = qualified(node.schema, name);
        sql = {fmt::format("CREATE TABLE {} (LIKE {} INCLUDING ALL)", table, stage_name(stage)),
               fmt::format("DO $$BEGIN EXECUTE format('ALTER TABLE %s OWNER TO %I', {}, (SELECT "
                           "pg_get_userbyid(relowner) FROM pg_class WHERE oid = {}::regclass)); END$$",
                           quote_literal(table), quote_literal(stage_name(stage)))};
      }
      for (std::string& more : attach_sql(stage, name)) sql.push_back(std::move(more));
      HEADRACE_TRY(p_.control.run(joined(sql), fmt::format("attaching the new partition {}", name)));
      ++fresh_;
      if (fresh_ <= 20) names_ += (names_.empty() ? "" : ", ") + name;
    }
    if (fresh_ > 0) {
      stats_->warnings.push_back(fmt::format("{} {} made: {}{}", fresh_,
                                             fresh_ == 1 ? "partition was" : "partitions were", names_,
                                             fresh_ > 20 ? ", ..." : ""));
    }
    return {};
  }

  // Mode append: partitions that have got rows since the load was planned are merged into.
  Status leave_out_filled() {
    if (p_.plan.mode != Mode::kAppend) return {};
    std::vector<const PartitionStage*> still_empty;
    for (const PartitionStage* stage : swaps_) {
      HEADRACE_ASSIGN(const bool empty, read_is_empty(p_.control, qualified(leaf(*stage).schema, leaf(*stage).table)));
      if (empty) {
        still_empty.push_back(stage);
        continue;
      }
      stats_->warnings.push_back(fmt::format(
          "partition {}.{} was empty when the load began and is not any more: the rows were inserted",
          leaf(*stage).schema, leaf(*stage).table));
      HEADRACE_TRY(merge(*stage));
    }
    swaps_ = std::move(still_empty);
    return {};
  }

  Status swap_all() {
    std::vector<std::string> sql;
    const auto append = [&sql](const std::vector<std::string>& more) {
      sql.insert(sql.end(), more.begin(), more.end());
    };
    for (const PartitionStage* stage : swaps_) {
      append(stage->copy.sequences);
      sql.push_back(fmt::format("DROP TABLE {}", qualified(leaf(*stage).schema, leaf(*stage).table)));
    }
    for (const PartitionStage* stage : swaps_) {
      const PartitionNode& node = leaf(*stage);
      sql.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", stage_name(*stage), quote_identifier(node.table)));
      for (const IndexCopy& index : stage->copy.indexes) sql.push_back(index.rename);
      append(attach_sql(*stage, node.table));
    }
    if (sql.empty()) return {};
    return p_.control.run(joined(sql), "putting the new partitions in their places");
  }

  // Partitions that get no rows lose theirs.
  Status truncate_others() {
    for (size_t i = 0; i < p_.plan.tree.size(); ++i) {
      const PartitionNode& node = p_.plan.tree[i];
      const bool staged = std::ranges::any_of(
          swaps_, [&](const PartitionStage* s) { return s->node == static_cast<int>(i); });
      if (node.by != PartitionBy::kNone || staged) continue;
      const std::string name = qualified(node.schema, node.table);
      HEADRACE_ASSIGN(const bool empty, read_is_empty(p_.control, name));
      if (!empty) HEADRACE_TRY(p_.control.run(fmt::format("TRUNCATE ONLY {}", name), "emptying a partition"));
    }
    return {};
  }

  const Publication& p_;
  PartitionStages& stages_;
  PublishStats* const stats_;
  std::vector<const PartitionStage*> swaps_;
  std::optional<Clock::time_point> locked_at_;
  bool merges_ = false;
  int fresh_ = 0;
  std::string names_;
};

}  // namespace

Result<Published> publish_partitions(const Publication& p, PartitionStages& stages, int64_t rows,
                                     PublishStats* stats) {
  const auto start = Clock::now();
  PartitionPublisher publisher(p, stages, stats);
  HEADRACE_TRY(publisher.run());
  HEADRACE_TRY(p.record(rows));
  HEADRACE_TRY(commit(p.control, p.pool));
  if (publisher.locked_at()) stats->lock_seconds = seconds_since(*publisher.locked_at());
  stats->commit_seconds += seconds_since(start) - stats->index_seconds - stats->analyze_seconds;
  return Published::kRows;
}

}  // namespace headrace
