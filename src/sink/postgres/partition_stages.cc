#include "sink/postgres/partition_stages.h"

#include <fmt/format.h>

#include <memory>

#include "sink/postgres/ddl.h"
#include "sink/postgres/merge.h"
#include "sink/postgres/staging.h"
#include "sink/postgres/write_job.h"

namespace headrace {
namespace {

constexpr char kDoing[] = "making a table beside a partition";

std::string joined(const std::vector<std::string>& statements) {
  return fmt::format("{}", fmt::join(statements, ";\n"));
}

void replace_all(std::string* text, const std::string& from, const std::string& to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// Indexes of several twins stand beside each other: their temporary names get the leaf's number.
void number_indexes(TableCopy* copy, int64_t number) {
  for (IndexCopy& index : copy->indexes) {
    const std::string old = quote_identifier(index.temporary);
    index.temporary += fmt::format("_{}", number);
    const std::string made = quote_identifier(index.temporary);
    replace_all(&index.build, old, made);
    for (std::string& statement : index.finish) replace_all(&statement, old, made);
    replace_all(&index.rename, old, made);
  }
}

}  // namespace

Result<std::string> read_tree_shape(Connection& connection, int64_t root) {
  HEADRACE_ASSIGN(
      const PgResult row,
      connection.query("SELECT string_agg(concat_ws(' ', p.relid::oid, p.parentrelid::oid, c.relkind, "
                       "pg_get_partkeydef(p.relid), pg_get_expr(c.relpartbound, c.oid)), E'\\n' "
                       "ORDER BY p.relid::oid) FROM pg_partition_tree($1::oid::regclass) p "
                       "JOIN pg_class c ON c.oid = p.relid",
                       {std::to_string(root)}, "reading the partitions"));
  return cell(row, 0, 0);
}

Result<TableCopy> read_partition_copy(Connection& connection, const PartitionNode& leaf,
                                      const std::string& stage) {
  HEADRACE_ASSIGN(TableCopy copy,
                  read_table_copy(connection, static_cast<uint32_t>(leaf.oid), stage, SwapOf::kPartition));
  // The identity of a partition is its parent's.
  replace_all(&copy.create, "EXCLUDING STATISTICS", "EXCLUDING STATISTICS EXCLUDING IDENTITY");
  number_indexes(&copy, leaf.oid);
  return copy;
}

Result<std::unique_ptr<PartitionStages>> PartitionStages::make(ConnectionPool& pool,
                                                               const Plan& plan,
                                                               std::string load_id) {
  std::unique_ptr<PartitionStages> stages(new PartitionStages(pool, plan, std::move(load_id)));
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_TRY(connection->run("BEGIN; SET LOCAL search_path = ''; SET LOCAL datestyle = 'ISO, YMD'"));
  HEADRACE_ASSIGN(stages->shape_, read_tree_shape(*connection, plan.tree[0].oid));
  HEADRACE_TRY(connection->run("COMMIT"));
  pool.give(std::move(connection));
  return stages;
}

Result<StageName> PartitionStages::stage_of(int32_t leaf) {
  const std::lock_guard lock(mutex_);
  for (const PartitionStage& stage : stages_) {
    if (stage.node == leaf) return stage.name;
  }
  HEADRACE_ASSIGN(PartitionStage stage, make_stage(leaf));
  stages_.push_back(std::move(stage));
  return stages_.back().name;
}

std::vector<std::string> PartitionStages::qualified_names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const PartitionStage& stage : stages_) {
    names.push_back(qualified(stage.name.schema, stage.name.table));
  }
  return names;
}

std::vector<std::pair<int32_t, PartitionNode>> PartitionStages::nodes_from(size_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<int32_t, PartitionNode>> made;
  for (size_t i = count; i < nodes_.size(); ++i) made.emplace_back(static_cast<int32_t>(i), nodes_[i]);
  return made;
}

Result<int32_t> PartitionStages::partition_for(int32_t node,
                                               const std::vector<std::string_view>& values) {
  const std::lock_guard lock(mutex_);
  HEADRACE_ASSIGN(PartitionNode made, new_partition(nodes_, node, values, plan_));
  // Another writer may have made it meanwhile.
  for (size_t i = plan_.tree.size(); i < nodes_.size(); ++i) {
    if (nodes_[i].parent == node && nodes_[i].from == made.from && nodes_[i].to == made.to) {
      return static_cast<int32_t>(i);
    }
  }
  nodes_.push_back(std::move(made));
  return static_cast<int32_t>(nodes_.size()) - 1;
}

Result<PartitionStage> PartitionStages::make_stage(int32_t leaf) {
  const PartitionNode& node = nodes_[static_cast<size_t>(leaf)];
  PartitionStage stage;
  stage.node = leaf;
  const bool replaced = plan_.mode == Mode::kReplace;
  stage.kind = node.oid == 0                ? StageKind::kFresh
               : replaced || node.is_empty ? StageKind::kSwap
                                           : StageKind::kMerge;
  stage.name = {node.schema, staging_name(load_id_, fmt::format("p{}_{}", leaf, node.table))};
  HEADRACE_ASSIGN(auto connection, pool_.take());
  HEADRACE_TRY(create(*connection, &stage));
  pool_.give(std::move(connection));
  return stage;
}

Status PartitionStages::create(Connection& connection, PartitionStage* stage) {
  const std::string name = qualified(stage->name.schema, stage->name.table);
  HEADRACE_TRY(connection.run(
      fmt::format("{}; SET LOCAL lock_timeout = '10s'", begin_load_transaction()), kDoing));
  HEADRACE_TRY(drop_leftover(connection, name, load_id_));
  if (stage->kind == StageKind::kMerge) {
    HEADRACE_TRY(connection.run(joined(create_stage_sql(plan_, name)), kDoing));
  } else if (stage->kind == StageKind::kFresh) {
    HEADRACE_TRY(create_fresh(connection, stage));
  } else {
    HEADRACE_TRY(create_twin(connection, stage));
  }
  HEADRACE_TRY(connection.run(
      fmt::format("COMMENT ON TABLE {} IS {}", name, quote_literal(staging_comment(load_id_))),
      kDoing));
  return connection.run("COMMIT", kDoing);
}

Status PartitionStages::add_check(Connection& connection, PartitionStage* stage,
                                  const std::string& check) {
  stage->has_check = !check.empty();
  if (!stage->has_check) return {};  // a default partition without siblings takes everything
  return connection.run(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({})",
                                    qualified(stage->name.schema, stage->name.table), kBoundCheck,
                                    check),
                        kDoing);
}

Status PartitionStages::create_twin(Connection& connection, PartitionStage* stage) {
  const PartitionNode& leaf = nodes_[static_cast<size_t>(stage->node)];
  HEADRACE_ASSIGN(stage->copy, read_partition_copy(connection, leaf, stage->name.table));
  if (!stage->copy.dependents.empty() || stage->copy.create.empty()) {
    return Error(ErrorCode::kServer,
                 fmt::format("partition {}.{} was changed since the load was planned", leaf.schema,
                             leaf.table),
                 "run the load again");
  }
  HEADRACE_ASSIGN(const PgResult check, connection.query("SELECT pg_get_partition_constraintdef($1::oid)",
                                                         {std::to_string(leaf.oid)}, kDoing));
  HEADRACE_TRY(connection.run("SET LOCAL default_tablespace = ''", kDoing));
  HEADRACE_TRY(connection.run(stage->copy.create, kDoing));
  HEADRACE_TRY(connection.run(joined(stage->copy.settings), kDoing));
  HEADRACE_TRY(rehearse(connection, stage->copy));
  return add_check(connection, stage, cell(check, 0, 0));
}

// Indexes and keys of the new partition are made when it is attached.
Status PartitionStages::create_fresh(Connection& connection, PartitionStage* stage) {
  const PartitionNode& leaf = nodes_[static_cast<size_t>(stage->node)];
  const PartitionNode& parent = nodes_[static_cast<size_t>(leaf.parent)];
  HEADRACE_TRY(connection.run("SET LOCAL search_path = ''", kDoing));
  HEADRACE_ASSIGN(
      const PgResult row,
      connection.query("SELECT coalesce(pg_get_partition_constraintdef(c.oid), ''), "
                       "coalesce((SELECT format(' TABLESPACE %I', spcname) FROM pg_tablespace s "
                       "WHERE s.oid = c.reltablespace), ''), "
                       "CASE WHEN pg_get_userbyid(c.relowner) = current_user THEN '' "
                       "ELSE quote_ident(pg_get_userbyid(c.relowner)) END "
                       "FROM pg_class c WHERE c.oid = $1::oid",
                       {std::to_string(parent.oid)}, kDoing));
  const std::string name = qualified(stage->name.schema, stage->name.table);
  HEADRACE_TRY(connection.run(
      fmt::format("SET LOCAL default_tablespace = ''; CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING "
                  "INDEXES EXCLUDING STATISTICS EXCLUDING IDENTITY){}",
                  name, qualified(parent.schema, parent.table), cell(row, 0, 1)),
      kDoing));
  if (const std::string owner = cell(row, 0, 2); !owner.empty()) {
    stage->copy.rights = {fmt::format("ALTER TABLE {} OWNER TO {}", name, owner)};
  }
  std::string check = new_partition_check(leaf, parent);
  if (const std::string above = cell(row, 0, 0); !above.empty()) {
    check = fmt::format("({}) AND ({})", above, check);
  }
  return add_check(connection, stage, check);
}

}  // namespace headrace
