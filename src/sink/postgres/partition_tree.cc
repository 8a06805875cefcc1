#include "sink/postgres/partition_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sink/postgres/table_copy.h"

namespace headrace {
namespace {

constexpr char kDoing[] = "reading the partitions";

// $1: the root. Parents come before their children.
constexpr char kNodes[] = R"(
SELECT c.oid, coalesce(p.parentrelid::oid, 0), n.nspname, c.relname, c.relkind, coalesce(k.partstrat, ' '),
       coalesce(pg_get_expr(c.relpartbound, c.oid), ''), pg_has_role(c.relowner, 'USAGE'),
       has_schema_privilege(n.oid, 'CREATE'), c.relpersistence
FROM pg_partition_tree($1::oid::regclass) p
JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_partitioned_table k ON k.partrelid = c.oid
ORDER BY p.level, n.nspname, c.relname)";

// node, column or empty, type, whether the operator class is the type's own, whether equal strings
// have equal bytes, whether the order of strings is that of their bytes
constexpr char kKeys[] = R"(
SELECT k.partrelid, coalesce(a.attname, ''), coalesce(format_type(a.atttypid, a.atttypmod), ''),
       o.opcdefault AND o.opcnamespace = 'pg_catalog'::regnamespace, coalesce(l.collisdeterministic, true),
       coalesce(l.collname IN ('C', 'POSIX', 'ucs_basic') AND l.collnamespace = 'pg_catalog'::regnamespace
                OR (l.oid = 100 AND d.datcollate IN ('C', 'POSIX')
                    AND coalesce(to_jsonb(d)->>'datlocprovider', 'c') = 'c'), true)
FROM pg_partition_tree($1::oid::regclass) p
JOIN pg_partitioned_table k ON k.partrelid = p.relid
CROSS JOIN LATERAL generate_series(0, k.partnatts - 1) i
LEFT JOIN pg_attribute a ON a.attrelid = k.partrelid AND a.attnum = k.partattrs[i] AND k.partattrs[i] <> 0
JOIN pg_opclass o ON o.oid = k.partclass[i]
LEFT JOIN pg_collation l ON l.oid = k.partcollation[i]
JOIN pg_database d ON d.datname = current_database()
ORDER BY p.level, k.partrelid, i)";

// Objects of the tree whose work tables beside the partitions would not have done, or would not
// have in their place.
constexpr char kObstacles[] = R"(
WITH tree AS (SELECT relid FROM pg_partition_tree($1::oid::regclass))
SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass FROM pg_trigger t JOIN tree ON relid = t.tgrelid
  WHERE NOT t.tgisinternal
UNION ALL SELECT 'foreign key ' || c.conname || ' on ' || c.conrelid::regclass FROM pg_constraint c
  WHERE c.contype = 'f' AND c.conparentid = 0
    AND (c.conrelid IN (SELECT relid FROM tree) OR c.confrelid IN (SELECT relid FROM tree))
UNION ALL SELECT 'rule ' || r.rulename || ' on ' || r.ev_class::regclass FROM pg_rewrite r JOIN tree ON relid = r.ev_class
UNION ALL SELECT 'row level security on ' || c.oid::regclass FROM pg_class c JOIN tree ON relid = c.oid
  WHERE c.relrowsecurity
ORDER BY 1 LIMIT 3)";

struct Families {
  const char* base;
  const char* family;
};
constexpr Families kFamilies[] = {
    {"int2", "signed"},      {"int4", "signed"},   {"int8", "signed"},  {"date", "signed"},
    {"timestamp", "signed"}, {"timestamptz", "signed"}, {"time", "signed"}, {"bool", "bytes"},
    {"uuid", "bytes"},       {"bytea", "bytes"},   {"text", "text"},    {"varchar", "text"},
    {"bpchar", "padded"},    {"enum", "label"}};

PartitionBy partition_by(const std::string& strategy) {
  if (strategy == "l") return PartitionBy::kList;
  if (strategy == "r") return PartitionBy::kRange;
  return strategy == "h" ? PartitionBy::kHash : PartitionBy::kNone;
}

KeyForm key_form(std::string_view family) {
  if (family == "signed") return KeyForm::kSigned;
  return family == "padded" ? KeyForm::kPadded : KeyForm::kBytes;
}

void refuse(PartitionTree* tree, std::string reason) {
  if (tree->no_routing.empty()) tree->no_routing = std::move(reason);
}

PartitionNode* find_node(PartitionTree* tree, int64_t oid) {
  for (PartitionNode& node : tree->nodes) {
    if (node.oid == oid) return &node;
  }
  return nullptr;
}

Status read_nodes(Connection& connection, const std::string& oid, PartitionTree* tree) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kNodes, {oid}, kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    PartitionNode node;
    node.oid = cell_integer(rows, i, 0);
    const int64_t parent = cell_integer(rows, i, 1);
    node.schema = cell(rows, i, 2);
    node.table = cell(rows, i, 3);
    for (size_t p = 0; i > 0 && p < tree->nodes.size(); ++p) {
      if (tree->nodes[p].oid == parent) node.parent = static_cast<int>(p);
    }
    node.by = partition_by(cell(rows, i, 5));
    node.bound = cell(rows, i, 6);
    node.is_default = node.bound == "DEFAULT";
    const std::string name = fmt::format("{}.{}", node.schema, node.table);
    if (cell(rows, i, 4) != "r" && cell(rows, i, 4) != "p") {
      refuse(tree, fmt::format("partition {} is a foreign table", name));
    }
    if (cell(rows, i, 9) == "t") refuse(tree, "the table is temporary");
    if (!cell_is_true(rows, i, 7)) refuse(tree, fmt::format("the user does not own {}", name));
    if (!cell_is_true(rows, i, 8)) {
      refuse(tree, fmt::format("the user may not create tables in schema {}", node.schema));
    }
    tree->nodes.push_back(std::move(node));
  }
  return {};
}

// Empty: rows can be told apart by this key on the client.
std::string key_obstacle(const PgResult& rows, int i, const PartitionNode& node,
                         std::string_view family) {
  const std::string column = cell(rows, i, 1);
  if (column.empty()) return "a partition key is an expression";
  const std::string key = fmt::format("partition key {} ({})", column, cell(rows, i, 2));
  if (family.empty()) return key + ": its order on the server is not known here";
  if (!cell_is_true(rows, i, 3)) return key + " has an operator class of its own";
  if (!cell_is_true(rows, i, 4)) return key + ": its collation is not deterministic";
  const bool range = node.by == PartitionBy::kRange;
  if (range && family == "label") return key + ": ranges of an enum are not compared here";
  const bool text = family == "text" || family == "padded";
  if (range && text && !cell_is_true(rows, i, 5)) {
    return key + ": ranges follow a collation that only the server knows";
  }
  return "";
}

Status read_keys(Connection& connection, const std::string& oid,
                 const std::vector<TargetColumn>& columns, PartitionTree* tree) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kKeys, {oid}, kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    PartitionNode* node = find_node(tree, cell_integer(rows, i, 0));
    if (node == nullptr) continue;
    PartitionKey key{cell(rows, i, 1), cell(rows, i, 2), "", KeyForm::kBytes};
    for (const TargetColumn& column : columns) {
      if (column.name == key.column) key.base = column.type.base;
    }
    const std::string_view family = key_family(key.base);
    const std::string obstacle = key_obstacle(rows, i, *node, family);
    if (!obstacle.empty()) refuse(tree, obstacle);
    key.form = key_form(family);
    node->keys.push_back(std::move(key));
  }
  for (const PartitionNode& node : tree->nodes) {
    if (node.by == PartitionBy::kHash) refuse(tree, "hashes are computed by the server");
  }
  return {};
}

// Key strings of literals of one key, in hex: the server says how their values look in binary.
Status read_values(Connection& connection, const PartitionKey& key,
                   const std::vector<std::string*>& literals) {
  const std::string& base = key.base;
  if (literals.empty()) return {};
  std::string list;
  for (const std::string* literal : literals) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", quote_literal(literal->substr(1)));
  }
  const std::string_view family = key_family(base);
  std::string send = "convert_to(v::text, 'UTF8')";
  if (family == "signed" || family == "bytes") {
    send = fmt::format("pg_catalog.{}(v::{})",
                       base == "bytea"         ? "byteasend"
                       : base == "date"        ? "date_send"
                       : base == "timestamp"   ? "timestamp_send"
                       : base == "timestamptz" ? "timestamptz_send"
                       : base == "time"        ? "time_send"
                       : base == "uuid"        ? "uuid_send"
                                               : base + "send",
                       key.type);
  }
  HEADRACE_ASSIGN(const PgResult rows,
                  connection.exec(fmt::format("SELECT encode({}, 'hex') FROM unnest(ARRAY[{}]::text[]) "
                                              "WITH ORDINALITY u(v, n) ORDER BY n",
                                              send, list),
                                  kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) *literals[i] = "=" + cell(rows, i, 0);
  return {};
}

// "(" value "," ... ")" at *at.
bool take_values(const std::vector<std::string>& words, size_t* at, std::vector<std::string>* out) {
  if (*at >= words.size() || words[*at] != "(") return false;
  for (++*at; *at + 1 < words.size(); *at += 2) {
    const std::string& word = words[*at];
    const bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    if (word == "MINVALUE") out->push_back("min");
    else if (word == "MAXVALUE") out->push_back("max");
    else if (word == "NULL") out->push_back("null");
    else if (word[0] == '=') out->push_back(word);
    else if (number || word == "true" || word == "false") out->push_back("=" + word);
    else return false;
    if (words[*at + 1] == ")") {
      *at += 2;
      return true;
    }
    if (words[*at + 1] != ",") return false;
  }
  return false;
}

// The literals of a bound, as take_values gives them.
bool parse_bound(PartitionNode* node) {
  const std::vector<std::string> words = bound_words(node->bound);
  if (words.size() < 6 || words[0] != "FOR" || words[1] != "VALUES") return false;
  size_t at = 3;
  if (words[2] == "IN") return take_values(words, &at, &node->from) && at == words.size();
  if (words[2] != "FROM") return false;
  if (!take_values(words, &at, &node->from) || at >= words.size() || words[at] != "TO") return false;
  ++at;
  return take_values(words, &at, &node->to) && at == words.size();
}

Status read_bounds(Connection& connection, PartitionTree* tree) {
  // By parent and key, so that one query reads the bounds of all siblings.
  std::map<std::pair<int, size_t>, std::vector<std::string*>> literals;
  for (PartitionNode& node : tree->nodes) {
    if (node.parent < 0 || node.is_default) continue;
    const PartitionNode& parent = tree->nodes[static_cast<size_t>(node.parent)];
    if (!parse_bound(&node)) {
      refuse(tree, fmt::format("the bounds of partition {} have an unknown form", node.table));
      return {};
    }
    const bool list = parent.by == PartitionBy::kList;
    for (auto* values : {&node.from, &node.to}) {
      for (size_t i = 0; i < values->size(); ++i) {
        if ((*values)[i][0] == '=') literals[{node.parent, list ? 0 : i}].push_back(&(*values)[i]);
      }
    }
  }
  for (const auto& [where, values] : literals) {
    const PartitionNode& parent = tree->nodes[static_cast<size_t>(where.first)];
    if (where.second >= parent.keys.size()) return Error(ErrorCode::kInternal, "a bound without key");
    HEADRACE_TRY(read_values(connection, parent.keys[where.second], values));
  }
  return {};
}

Status read_emptiness(Connection& connection, PartitionTree* tree) {
  constexpr size_t kAtOnce = 200;
  std::vector<PartitionNode*> leaves;
  for (PartitionNode& node : tree->nodes) {
    if (node.by == PartitionBy::kNone) leaves.push_back(&node);
  }
  for (size_t begin = 0; begin < leaves.size(); begin += kAtOnce) {
    const size_t end = std::min(leaves.size(), begin + kAtOnce);
    std::string sql = "SELECT ";
    for (size_t i = begin; i < end; ++i) {
      sql += fmt::format("{}NOT EXISTS (SELECT FROM {})", i == begin ? "" : ", ",
                         qualified(leaves[i]->schema, leaves[i]->table));
    }
    HEADRACE_ASSIGN(const PgResult row, connection.exec(sql, "looking for rows in the partitions"));
    for (size_t i = begin; i < end; ++i) {
      leaves[i]->is_empty = cell_is_true(row, 0, static_cast<int>(i - begin));
    }
  }
  return {};
}

// What would be lost with a leaf in whose place another table comes. Being a partition is not.
Status read_leaf_obstacles(Connection& connection, PartitionTree* tree) {
  for (PartitionNode& node : tree->nodes) {
    if (node.by != PartitionBy::kNone) continue;
    HEADRACE_ASSIGN(TableCopy copy, read_table_copy(connection, static_cast<uint32_t>(node.oid),
                                                    kStagePlaceholder, SwapOf::kPartition));
    node.obstacle = fmt::format("{}", fmt::join(copy.dependents, ", "));
  }
  return {};
}

}  // namespace

std::string_view key_family(const std::string& base_type) {
  for (const Families& f : kFamilies) {
    if (base_type == f.base) return f.family;
  }
  return {};
}

std::vector<std::string> bound_words(std::string_view bound) {
  std::vector<std::string> words;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (size_t i = 0; i < bound.size();) {
    if (bound[i] == ' ') {
      ++i;
    } else if (bound[i] == '(' || bound[i] == ')' || bound[i] == ',') {
      words.emplace_back(1, bound[i++]);
    } else if (bound[i] == '\'') {
      std::string text = "=";
      for (++i;; ++i) {
        if (i >= bound.size()) return {};
        if (bound[i] == '\'') {
          if (i + 1 >= bound.size() || bound[i + 1] != '\'') break;
          ++i;
        }
        text += bound[i];
      }
      ++i;
      words.push_back(std::move(text));
    } else if (is_word(bound[i])) {
      const size_t begin = i;
      while (i < bound.size() && is_word(bound[i])) ++i;
      words.emplace_back(bound.substr(begin, i - begin));
    } else {
      return {};
    }
  }
  return words;
}

Result<PartitionTree> read_partition_tree(Connection& connection, uint32_t oid,
                                          const std::vector<TargetColumn>& columns) {
  PartitionTree tree;
  const std::string root = std::to_string(oid);
  HEADRACE_TRY(connection.run("SET LOCAL search_path = ''; SET LOCAL datestyle = 'ISO, YMD';"
                              "SET LOCAL standard_conforming_strings = on",
                              kDoing));
  HEADRACE_TRY(read_nodes(connection, root, &tree));
  if (tree.nodes.empty()) return tree;  // dropped meanwhile
  HEADRACE_TRY(read_keys(connection, root, columns, &tree));
  HEADRACE_ASSIGN(const PgResult obstacles, connection.query(kObstacles, {root}, kDoing));
  if (PQntuples(obstacles.get()) > 0) {
    refuse(&tree, fmt::format("it has {}", cell(obstacles, 0, 0)));
  }
  if (!tree.no_routing.empty()) return tree;
  HEADRACE_TRY(read_bounds(connection, &tree));
  if (!tree.no_routing.empty()) return tree;
  HEADRACE_TRY(read_emptiness(connection, &tree));
  HEADRACE_TRY(read_leaf_obstacles(connection, &tree));
  return tree;
}

}  // namespace headrace
