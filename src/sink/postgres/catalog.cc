#include "sink/postgres/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sink/postgres/partition_tree.h"

namespace headrace {
namespace {

constexpr int kOldestVersion = 120000;
constexpr char kDoing[] = "reading the catalog";

// $1: the name quoted, with its schema if one was given.
constexpr char kFindTable[] = R"(
SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples, c.relispartition,
       pg_has_role(c.relowner, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'),
       has_any_column_privilege(c.oid, 'INSERT'),
       CASE WHEN c.relkind IN ('r', 'p') THEN has_any_column_privilege(c.oid, 'SELECT') ELSE false END,
       CASE WHEN row_security_active(c.oid)
              THEN 'row-level security applies to this user, and the server takes no COPY then'
            WHEN c.relkind = 'v' AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 68 = 68)
              THEN 'the server takes no COPY into a view without an INSTEAD OF INSERT trigger'
            WHEN EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '3')
              THEN 'the table has rules on INSERT, which COPY does not run' END,
       c.relkind = 'v' AND pg_relation_is_updatable(c.oid, true) & 8 = 0
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1))";

// $1: a schema, or '' for the first of the search_path.
constexpr char kFindSchema[] = R"(
SELECT n.nspname, has_schema_privilege(n.oid, 'CREATE')
FROM pg_namespace n WHERE n.nspname = coalesce(nullif($1, ''), current_schema()))";

// $1: the table. The base type of a domain, over all its levels, with the innermost modifier that
// is declared. Types of users carry their schema, so that none is taken for a type of PostgreSQL or
// of an extension; every enum is 'enum', as all have the same binary form. Its labels come in hex,
// each after an 'x'.
constexpr char kColumns[] = R"(
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod, false AS not_null, false AS has_default
  FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.typbasetype, CASE WHEN b.typmod = -1 THEN t.typtypmod ELSE b.typmod END,
         b.not_null OR t.typnotnull, b.has_default OR t.typdefault IS NOT NULL
  FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
)
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN t.typtype = 'e' THEN 'enum'
            WHEN n.nspname = 'pg_catalog' OR EXISTS (
              SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.deptype = 'e'
                AND d.objid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END)
            THEN t.typname::text ELSE n.nspname || '.' || t.typname END,
       b.typmod, a.attnotnull OR b.not_null,
       (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR b.has_default,
       a.attgenerated <> '', a.attidentity = 'a',
       (SELECT string_agg('x' || encode(convert_to(e.enumlabel::text, 'UTF8'), 'hex'), '' ORDER BY e.enumsortorder)
        FROM pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_attribute a
JOIN base b ON b.attnum = a.attnum
JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE a.attrelid = $1::oid
ORDER BY a.attnum)";

constexpr char kIndexes[] =
    "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE i.indrelid = $1::oid ORDER BY 1";
constexpr char kConstraints[] =
    "SELECT conname FROM pg_constraint WHERE conrelid = $1::oid AND contype <> 'n' ORDER BY 1";

// Columns of the unique indexes that ON CONFLICT takes: on plain columns, whole, checked at once.
// The primary key comes first.
constexpr char kUniqueKeys[] = R"(
SELECT i.indexrelid, i.indisprimary, a.attname
FROM pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
  AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
ORDER BY i.indisprimary DESC, i.indexrelid, k.position)";

// Tables whose rows a DELETE of ours would delete or change.
constexpr char kCascadingKeys[] = R"(
SELECT DISTINCT c.conrelid::regclass::text,
       CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END
FROM pg_constraint c
WHERE c.confrelid = $1::oid AND c.contype = 'f' AND c.confdeltype IN ('c', 'n', 'd') AND c.conrelid <> $1::oid
ORDER BY 1)";

// Slots left for this role in this database. numbackends counts every session whoever looks.
constexpr char kSlots[] = R"(
SELECT least(
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int
    - (SELECT sum(numbackends) FROM pg_stat_database),
  (SELECT CASE WHEN rolconnlimit >= 0 AND NOT rolsuper THEN rolconnlimit
     - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid) END
   FROM pg_roles r WHERE rolname = current_user),
  (SELECT CASE WHEN datconnlimit >= 0 THEN datconnlimit
     - (SELECT numbackends FROM pg_stat_database s WHERE s.datid = d.oid) END
   FROM pg_database d WHERE datname = current_database()))::int)";

std::string relation_kind(const std::string& relkind) {
  static const std::map<std::string, std::string> kinds = {
      {"r", "table"},         {"p", "partitioned table"},
      {"v", "view"},          {"m", "materialized view"},
      {"f", "foreign table"}, {"S", "sequence"},
      {"c", "composite type"}};
  const auto found = kinds.find(relkind);
  return found != kinds.end() ? found->second : "index";
}

// "x6162x63" as {"ab", "c"}.
std::vector<std::string> read_labels(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<std::string> labels;
  for (size_t i = 0; i < hex.size(); ++i) {
    if (hex[i] == 'x') {
      labels.emplace_back();
    } else {
      labels.back() += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
      ++i;
    }
  }
  return labels;
}

Result<std::vector<std::string>> read_names(Connection& connection, const char* sql,
                                            const std::string& oid) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(sql, {oid}, kDoing));
  std::vector<std::string> names;
  for (int i = 0; i < PQntuples(rows.get()); ++i) names.push_back(cell(rows, i, 0));
  return names;
}

Status read_unique_keys(Connection& connection, const std::string& oid, SinkFacts* facts) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kUniqueKeys, {oid}, kDoing));
  std::string index;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    if (cell(rows, i, 0) != index) {
      index = cell(rows, i, 0);
      facts->unique_keys.emplace_back();
      facts->has_primary_key |= cell_is_true(rows, i, 1);
    }
    facts->unique_keys.back().push_back(cell(rows, i, 2));
  }
  return {};
}

Status read_missing_table(Connection& connection, const TableName& name, CatalogFacts* out) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kFindSchema, {name.schema}, kDoing));
  if (PQntuples(rows.get()) == 0) {
    return name.schema.empty()
               ? Error(ErrorCode::kNotFound, "no schema of the search_path exists",
                       "give the table as schema.table")
               : Error(ErrorCode::kNotFound, fmt::format("schema {} does not exist", name.schema),
                       fmt::format("CREATE SCHEMA {}", quote_identifier(name.schema)));
  }
  out->facts.schema = cell(rows, 0, 0);
  out->facts.table = name.table;
  out->facts.can_create = cell_is_true(rows, 0, 1);
  return {};
}

Status read_details(Connection& connection, const std::string& oid, CatalogFacts* out) {
  HEADRACE_ASSIGN(out->facts.columns, read_columns(connection, out->oid));
  HEADRACE_ASSIGN(out->facts.indexes, read_names(connection, kIndexes, oid));
  HEADRACE_ASSIGN(out->facts.constraints, read_names(connection, kConstraints, oid));
  HEADRACE_TRY(read_unique_keys(connection, oid, &out->facts));
  HEADRACE_ASSIGN(const PgResult keys, connection.query(kCascadingKeys, {oid}, kDoing));
  for (int i = 0; i < PQntuples(keys.get()); ++i) {
    out->cascading_keys.push_back({cell(keys, i, 0), cell(keys, i, 1)});
  }
  return {};
}

Status read_table(Connection& connection, const TableName& name, CatalogFacts* out) {
  const std::string quoted =
      name.schema.empty() ? quote_identifier(name.table) : qualified(name.schema, name.table);
  HEADRACE_ASSIGN(const PgResult row, connection.query(kFindTable, {quoted}, kDoing));
  if (PQntuples(row.get()) == 0) return read_missing_table(connection, name, out);
  SinkFacts& facts = out->facts;
  out->oid = static_cast<uint32_t>(cell_integer(row, 0, 0));
  out->row_estimate = std::strtod(cell(row, 0, 4).c_str(), nullptr);
  facts.table_exists = true;
  facts.schema = cell(row, 0, 1);
  facts.table = cell(row, 0, 2);
  facts.relation_kind = relation_kind(cell(row, 0, 3));
  facts.is_owner = cell_is_true(row, 0, 6);
  facts.can_create = cell_is_true(row, 0, 7);
  facts.can_insert = cell_is_true(row, 0, 8);
  facts.copy_refusal = cell(row, 0, 10);
  if (cell_is_true(row, 0, 11)) facts.relation_kind = "view that takes no rows";
  HEADRACE_TRY(read_details(connection, cell(row, 0, 0), out));
  if (cell_is_true(row, 0, 9)) {
    HEADRACE_ASSIGN(facts.table_is_empty,
                    read_is_empty(connection, qualified(facts.schema, facts.table)));
  }
  if (facts.relation_kind == "partitioned table") {
    facts.dependents = {"partitioned table"};
    HEADRACE_ASSIGN(PartitionTree tree, read_partition_tree(connection, out->oid, facts.columns));
    facts.partitions = std::move(tree.nodes);
    facts.no_routing = std::move(tree.no_routing);
  } else if (facts.relation_kind == "table") {
    const std::string stage = truncated_name(fmt::format("{}_{}", kStagePlaceholder, facts.table));
    HEADRACE_ASSIGN(out->copy, read_table_copy(connection, out->oid, stage));
    facts.dependents = out->copy.dependents;
    facts.carried = out->copy.carried;
    facts.has_identity = !out->copy.identities.empty();
  }
  return {};
}

}  // namespace

Result<std::vector<TargetColumn>> read_columns(Connection& connection, uint32_t oid) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kColumns, {std::to_string(oid)}, kDoing));
  std::vector<TargetColumn> columns;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    TargetColumn column;
    column.name = cell(rows, i, 0);
    column.type.sql = cell(rows, i, 1);
    column.type.base = cell(rows, i, 2);
    column.type.typmod = static_cast<int32_t>(cell_integer(rows, i, 3));
    column.not_null = cell_is_true(rows, i, 4);
    column.has_default = cell_is_true(rows, i, 5);
    column.generated = cell_is_true(rows, i, 6);
    column.identity_always = cell_is_true(rows, i, 7);
    column.type.labels = read_labels(cell(rows, i, 8));
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<bool> read_is_empty(Connection& connection, const std::string& qualified_table) {
  HEADRACE_ASSIGN(const PgResult rows,
                  connection.exec(fmt::format("SELECT 1 FROM {} LIMIT 1", qualified_table),
                                  "looking for rows in the table"));
  return PQntuples(rows.get()) == 0;
}

Result<int64_t> estimate_rows(Connection& connection, const std::string& qualified_table,
                              const std::string& condition) {
  std::string sql = fmt::format("EXPLAIN (FORMAT JSON) SELECT FROM {}", qualified_table);
  const char* doing =
      condition.empty() ? "estimating the number of rows" : "trying the condition of the rows to replace";
  // On lines of its own: a comment at its end must not swallow the parenthesis.
  if (!condition.empty()) sql += fmt::format(" WHERE ({}\n)", condition);
  HEADRACE_ASSIGN(const PgResult rows, connection.query(sql, {}, doing));
  static constexpr std::string_view kRows = "\"Plan Rows\": ";
  const std::string text = cell(rows, 0, 0);
  const size_t at = text.find(kRows);
  if (at == std::string::npos) return int64_t{-1};
  return std::strtoll(text.c_str() + at + kRows.size(), nullptr, 10);
}

Result<int> read_free_slots(Connection& connection) {
  HEADRACE_ASSIGN(const PgResult slots, connection.query(kSlots, {}, kDoing));
  return static_cast<int>(cell_integer(slots, 0, 0));
}

Result<CatalogFacts> read_catalog(Connection& connection, const TableName& name) {
  CatalogFacts out;
  SinkFacts& facts = out.facts;
  facts.dialect = Dialect::kPostgres;
  facts.server_kind = "plain";
  facts.server_version = PQserverVersion(connection.raw());
  if (facts.server_version < kOldestVersion) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("the server is PostgreSQL {}",
                             PQparameterStatus(connection.raw(), "server_version")),
                 "headrace needs PostgreSQL 12 or later");
  }
  HEADRACE_TRY(
      connection.run("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;"
                     "SET LOCAL client_min_messages = error;"
                     "SET LOCAL lock_timeout = '10s'",
                     kDoing));
  Status read = read_table(connection, name, &out);
  if (!read.ok()) {
    (void)connection.run("ROLLBACK").ok();
    return std::move(read).error();
  }
  HEADRACE_ASSIGN(const int slots, read_free_slots(connection));
  facts.max_writers = std::max(0, slots);
  HEADRACE_ASSIGN(const PgResult temporary,
                  connection.query("SELECT has_database_privilege(current_database(), 'TEMPORARY')",
                                   {}, kDoing));
  facts.can_create_temporary = cell_is_true(temporary, 0, 0);
  HEADRACE_TRY(connection.run("COMMIT", kDoing));
  return out;
}

}  // namespace headrace
