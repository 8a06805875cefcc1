#include "sink/postgres/readiness_table.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "sink/postgres/catalog.h"

namespace headrace {
namespace {

using enum FindingState;

constexpr char kDoing[] = "looking at the table";

// $1: a schema, or '' for the first of the search_path.
constexpr char kSchema[] = R"(
SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'),
       current_user
FROM pg_namespace n WHERE n.nspname = coalesce(nullif($1, ''), current_schema()))";

// $1: the table.
constexpr char kTable[] = R"(
SELECT pg_get_userbyid(c.relowner), c.reltuples::bigint,
       (SELECT string_agg(quote_ident(tgname), ', ' ORDER BY tgname) FROM pg_trigger
        WHERE tgrelid = c.oid AND NOT tgisinternal AND tgenabled <> 'D')
FROM pg_class c WHERE c.oid = $1::oid)";

struct SchemaFacts {
  std::string name, user;
  bool is_there = false, may_use = false, may_create = false;
};

Result<SchemaFacts> find_schema(Connection& connection, const std::string& name) {
  HEADRACE_ASSIGN(const PgResult row, connection.query(kSchema, {name}, kDoing));
  SchemaFacts schema;
  schema.name = name;
  if (PQntuples(row.get()) == 0) return schema;
  schema.name = cell(row, 0, 0);
  schema.user = cell(row, 0, 3);
  schema.is_there = true;
  schema.may_use = cell_is_true(row, 0, 1);
  schema.may_create = cell_is_true(row, 0, 2);
  return schema;
}

std::string grant(const char* privilege, const std::string& on, const SchemaFacts& schema) {
  return fmt::format("GRANT {} ON {} TO {}", privilege, on, quote_identifier(schema.user));
}

// A new table can be made where nothing is yet.
void check_new_table(const SchemaFacts& schema, const std::string& table, Readiness* out) {
  const std::string on = "SCHEMA " + quote_identifier(schema.name);
  if (schema.may_create) {
    out->add("copy", kOk, fmt::format("new tables may be created in schema {}", schema.name));
    return;
  }
  out->add("copy", kError,
           table.empty()
               ? fmt::format("the user may not create tables in schema {}", schema.name)
               : fmt::format("table {} does not exist, and the user may not create it", table),
           grant("CREATE", on, schema) +
               (table.empty() ? "; or name an existing table with --table" : ""));
}

void check_copy(const CatalogFacts& catalog, const SchemaFacts& schema, Readiness* out) {
  const SinkFacts& facts = catalog.facts;
  const std::string table = qualified(facts.schema, facts.table);
  if (facts.relation_kind != "table" && facts.relation_kind != "partitioned table" &&
      facts.relation_kind != "view") {
    out->add("copy", kError, fmt::format("{} is a {}, not a table", table, facts.relation_kind),
             "load into a table");
  } else if (!facts.can_insert) {
    out->add("copy", kError, "the user may not insert into the table",
             grant("INSERT", table, schema));
  } else if (!facts.copy_refusal.empty()) {
    out->best_method = "optimized";
    out->reason = facts.copy_refusal;
    out->add("copy", kWarning, fmt::format("not possible: {}", facts.copy_refusal),
             "load with --method optimized or auto; policies and rules judge each inserted row");
  } else {
    out->add("copy", kOk, "the user may insert into the table");
  }
}

// What a load with --mode replace, or into the empty table, would do.
void check_swap(const CatalogFacts& catalog, const std::string& owner, Readiness* out) {
  const SinkFacts& facts = catalog.facts;
  std::string obstacle, advice;
  if (!facts.is_owner) {
    obstacle = fmt::format("the table belongs to {}", owner);
    advice = fmt::format("load as {} or as a member of that role", owner);
  } else if (!facts.can_create) {
    obstacle = "no table can be created beside it";
    advice = "grant CREATE on the schema";
  } else if (!facts.dependents.empty()) {
    obstacle = fmt::format("it would lose {}", fmt::join(facts.dependents, ", "));
  } else {
    out->add("swap", kOk, "a new table can take this one's place, filled by several connections");
    return;
  }
  out->add(
      "swap", kWarning,
      fmt::format("not possible: {}; rows go in by one connection and one transaction", obstacle),
      std::move(advice));
}

Status check_existing_table(Connection& connection, const CatalogFacts& catalog,
                            const SchemaFacts& schema, Readiness* out) {
  const SinkFacts& facts = catalog.facts;
  HEADRACE_ASSIGN(const PgResult row,
                  connection.query(kTable, {std::to_string(catalog.oid)}, kDoing));
  if (PQntuples(row.get()) == 0) {
    out->add("table", kWarning, "was dropped while it was looked at", "run the check again");
    return {};
  }
  const std::string owner = cell(row, 0, 0), triggers = cell(row, 0, 2);
  const int64_t estimate = cell_integer(row, 0, 1);
  const std::string rows = facts.table_is_empty ? "empty"
                           : estimate < 0       ? "number of rows not known"
                                                : fmt::format("about {} rows", estimate);
  out->add("table", kOk,
           fmt::format("exists: {}, {}, columns: {}, indexes: {}, owner: {}", facts.relation_kind,
                       rows, facts.columns.size(), facts.indexes.size(), owner),
           "give another --mode than create");
  if (!triggers.empty()) {
    out->add("triggers", kWarning, fmt::format("{}: they run for loaded rows too", triggers),
             "disable those that the load does not need");
  }
  check_copy(catalog, schema, out);
  if (facts.relation_kind == "table") check_swap(catalog, owner, out);
  return {};
}

Status check_named_table(Connection& connection, const TableName& name, const SchemaFacts& schema,
                         Readiness* out) {
  auto catalog = read_catalog(connection, name);
  if (!catalog.ok()) {
    if (!connection.alive()) return std::move(catalog).error();
    const Error& error = catalog.error();
    out->add("table", kError, error.message, error.hint);
    return {};
  }
  const std::string table = fmt::format("{}.{}", catalog->facts.schema, catalog->facts.table);
  out->table = table;
  if (catalog->facts.table_exists) {
    return check_existing_table(connection, *catalog, schema, out);
  }
  out->add("table", kMissing, fmt::format("{} does not exist: a load creates it", table));
  check_new_table(schema, table, out);
  return {};
}

}  // namespace

Status check_table(Connection& connection, const TableName& name, Readiness* out) {
  HEADRACE_ASSIGN(const SchemaFacts schema, find_schema(connection, name.schema));
  if (!schema.is_there) {
    const bool searched = name.schema.empty();
    out->add("schema", kError,
             searched ? "no schema of the search_path exists"
                      : fmt::format("schema {} does not exist", name.schema),
             searched ? "give the table as schema.table"
                      : fmt::format("CREATE SCHEMA {}", quote_identifier(name.schema)));
    return {};
  }
  if (!schema.may_use) {
    out->add("schema", kError, fmt::format("the user may not use schema {}", schema.name),
             grant("USAGE", "SCHEMA " + quote_identifier(schema.name), schema));
    return {};
  }
  out->add("schema", kOk,
           fmt::format("{}: {}", schema.name,
                       schema.may_create ? "tables may be created" : "no tables may be created"));
  if (name.table.empty()) {
    check_new_table(schema, "", out);
    return {};
  }
  return check_named_table(connection, name, schema, out);
}

}  // namespace headrace
