#include "sink/postgres/planned_sql.h"

#include <fmt/format.h>

#include "sink/postgres/connection.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/insert_sql.h"
#include "sink/postgres/merge.h"
#include "sink/postgres/partition_stages.h"
#include "sink/postgres/publish.h"
#include "sink/postgres/swap.h"

namespace headrace {

// Readers see the old rows until the COMMIT; other writers wait, so that "all rows" is exact.
std::vector<std::string> delete_statements(const Plan& plan) {
  const std::string target = qualified(plan.schema, plan.table);
  return {fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", target),
          fmt::format("DELETE FROM {}", target)};
}

namespace {

// What the writers run.
std::string write_sql(const std::string& table, const Plan& plan, const CatalogFacts* catalog,
                      bool freeze) {
  if (plan.method == "copy") return copy_sql(table, plan.columns, plan.row_format, freeze);
  bool overriding = false;
  for (size_t i = 0; catalog != nullptr && i < catalog->facts.columns.size(); ++i) {
    const TargetColumn& column = catalog->facts.columns[i];
    if (!column.identity_always) continue;
    for (const ColumnPlan& written : plan.columns) overriding |= written.target == column.name;
  }
  return planned_insert_sql(table, plan, overriding);
}

std::vector<std::string> staged_sql(const Plan& plan, const CatalogFacts* catalog) {
  const std::string target = qualified(plan.schema, plan.table);
  const std::string stage =
      qualified(plan.stage_is_temporary ? kTemporarySchema : plan.schema,
                truncated_name(fmt::format("{}_{}", kStagePlaceholder, plan.table)));
  std::vector<std::string> sql;
  const auto append = [&sql](const std::vector<std::string>& more) {
    sql.insert(sql.end(), more.begin(), more.end());
  };
  if (plan.creates_table) sql.push_back(create_table_sql(target, target_columns(plan), plan.keys));
  append(create_stage_sql(plan, stage));
  sql.push_back(write_sql(stage, plan, catalog, plan.stage_is_temporary));
  append(merge_statements(plan, stage));
  return sql;
}

std::vector<std::string> swap_sql(const Plan& plan, const CatalogFacts* catalog) {
  const std::string stage = truncated_name(fmt::format("{}_{}", kStagePlaceholder, plan.table));
  const std::string staging = qualified(plan.schema, stage);
  std::vector<std::string> sql;
  const auto append = [&sql](const std::vector<std::string>& more) {
    sql.insert(sql.end(), more.begin(), more.end());
  };
  if (plan.creates_table || catalog == nullptr) {
    sql.push_back(create_table_sql(staging, plan.columns));
    sql.push_back(write_sql(staging, plan, catalog, false));
    append(name_new_table_statements(plan, stage));
    return sql;
  }
  const TableCopy& copy = catalog->copy;
  sql.push_back(copy.create);
  append(copy.settings);
  sql.push_back(write_sql(staging, plan, catalog, false));
  for (const IndexCopy& index : copy.indexes) sql.push_back(index.build);
  for (const IndexCopy& index : copy.indexes) append(index.finish);
  for (const auto* more : {&copy.keys, &copy.objects, &copy.referring, &copy.rights, &copy.finish}) {
    append(*more);
  }
  if (plan.keeps_rows) {
    sql.push_back(fmt::format("LOCK TABLE {} IN SHARE MODE", qualified(plan.schema, plan.table)));
    sql.push_back(keep_rows_sql(plan, staging, catalog->facts.columns));
  }
  append(lock_statements(plan, copy));
  std::vector<std::string> sequences;
  for (const IdentityCopy& identity : copy.identities) {
    sequences.push_back(qualified(plan.schema, fmt::format("{}_{}_seq", stage, identity.column)));
  }
  append(swap_statements(plan, stage, copy, sequences));
  return sql;
}

// For one partition as an example: the statements of all of them would fill pages.
std::vector<std::string> partition_sql(const Plan& plan, const CatalogFacts* catalog) {
  const PartitionNode* leaf = nullptr;
  for (const PartitionNode& node : plan.tree) {
    const bool twin = node.by == PartitionBy::kNone && (plan.mode == Mode::kReplace || node.is_empty);
    if (twin && leaf == nullptr) leaf = &node;
  }
  const std::string target = qualified(plan.schema, plan.table);
  if (leaf == nullptr) return {};
  const PartitionNode& parent = plan.tree[static_cast<size_t>(leaf->parent)];
  const std::string name = qualified(leaf->schema, leaf->table);
  const std::string stage =
      qualified(leaf->schema, truncated_name(fmt::format("{}_p{}_{}", kStagePlaceholder,
                                                         leaf - plan.tree.data(), leaf->table)));
  return {fmt::format("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS "
                      "EXCLUDING IDENTITY)", stage, name),
          fmt::format("ALTER TABLE {} ADD CONSTRAINT {} CHECK (...)", stage, kBoundCheck),
          write_sql(stage, plan, catalog, false),
          fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", target),
          fmt::format("DROP TABLE {}", name),
          fmt::format("ALTER TABLE {} RENAME TO {}", stage, quote_identifier(leaf->table)),
          fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", qualified(parent.schema, parent.table),
                      name, leaf->bound),
          fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", name, kBoundCheck)};
}

}  // namespace

std::vector<std::string> planned_sql(const Plan& plan, const CatalogFacts* catalog) {
  const std::string target = qualified(plan.schema, plan.table);
  std::vector<std::string> sql;
  const auto append = [&sql](const std::vector<std::string>& more) {
    sql.insert(sql.end(), more.begin(), more.end());
  };
  if (!plan.tree.empty()) return partition_sql(plan, catalog);
  if (plan.commit_scope == CommitScope::kStaged) return staged_sql(plan, catalog);
  if (plan.commit_scope != CommitScope::kSwap) {
    if (plan.creates_table) sql.push_back(create_table_sql(target, plan.columns));
    if (!plan.creates_table && plan.mode == Mode::kReplace) append(delete_statements(plan));
    if (!plan.creates_table && plan.mode == Mode::kTruncate) {
      sql.push_back(fmt::format("TRUNCATE {}", target));
    }
    sql.push_back(write_sql(target, plan, catalog, plan.creates_table));
    return sql;
  }
  append(swap_sql(plan, catalog));
  return sql;
}

}  // namespace headrace
