#include "sink/postgres/table_copy.h"

#include <fmt/format.h>

#include <map>

#include "sink/postgres/carried_objects.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/table_copy_sql.h"

namespace headrace {
namespace {

constexpr char kDoing[] = "reading the catalog";
constexpr int kSchemaPublicationsVersion = 150000;

Status append_words(Connection& connection, const char* sql, const std::string& oid,
                    std::vector<std::string>* words) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(sql, {oid}, kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) words->push_back(cell(rows, i, 0));
  return {};
}

Status read_statements(Connection& connection, const std::string& oid, const std::string& stage,
                       TableCopy* copy) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kCopyStatements, {oid, stage}, kDoing));
  const std::map<std::string, std::vector<std::string>*> kinds = {{"setting", &copy->settings},
                                                                  {"right", &copy->rights},
                                                                  {"finish", &copy->finish},
                                                                  {"sequence", &copy->sequences}};
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    const std::string kind = cell(rows, i, 0);
    if (kind == "create") {
      copy->create = cell(rows, i, 1);
    } else {
      kinds.at(kind)->push_back(cell(rows, i, 1));
    }
  }
  return {};
}

Status read_identities(Connection& connection, const std::string& oid, TableCopy* copy) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kCopyIdentities, {oid}, kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    copy->identities.push_back({cell(rows, i, 0), cell(rows, i, 1), cell(rows, i, 2)});
  }
  return {};
}

// Statements that make the index `temporary` of the staging table the index of row i, but for its
// name. A constraint has its index's name, and is renamed with it.
std::vector<std::string> finish_statements(const PgResult& rows, int i,
                                           const std::string& temporary) {
  const std::string constraint_type = cell(rows, i, 5);
  const std::string table = cell(rows, i, 13);
  const std::string schema = cell(rows, i, 14);
  std::vector<std::string> finish;
  if (!constraint_type.empty()) {
    finish.push_back(fmt::format("ALTER TABLE {0} ADD CONSTRAINT {1} {2} USING INDEX {1}{3}{4}",
                                 table, temporary, constraint_type == "p" ? "PRIMARY KEY" : "UNIQUE",
                                 cell_is_true(rows, i, 6) ? " DEFERRABLE" : "",
                                 cell_is_true(rows, i, 7) ? " INITIALLY DEFERRED" : ""));
  }
  if (cell_is_true(rows, i, 8)) {
    finish.push_back(
        fmt::format("ALTER TABLE {} REPLICA IDENTITY USING INDEX {}", table, temporary));
  }
  if (cell_is_true(rows, i, 9))
    finish.push_back(fmt::format("ALTER TABLE {} CLUSTER ON {}", table, temporary));
  if (const std::string comment = cell(rows, i, 10); !comment.empty()) {
    finish.push_back(
        fmt::format("COMMENT ON INDEX {}.{} IS {}", schema, temporary, quote_literal(comment)));
  }
  if (const std::string comment = cell(rows, i, 11); !comment.empty()) {
    finish.push_back(fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", temporary, table,
                                 quote_literal(comment)));
  }
  if (const std::string targets = cell(rows, i, 15); !targets.empty()) {
    finish.push_back(fmt::format("ALTER INDEX {}.{} {}", schema, temporary, targets));
  }
  return finish;
}

// The names stand in a definition exactly as the catalog query quotes them, or it is not touched.
IndexCopy index_copy(const PgResult& rows, int i, const std::string& stage) {
  IndexCopy index;
  index.name = cell(rows, i, 0);
  index.temporary = fmt::format("{}_i{}", temporary_prefix(stage), i);
  const std::string temporary = quote_identifier(index.temporary);
  index.build = cell(rows, i, 3);
  index.build.replace(index.build.find("%s"), 2, temporary);
  index.build += cell(rows, i, 2).substr(cell(rows, i, 1).size());
  index.finish = finish_statements(rows, i, temporary);
  index.rename = fmt::format("ALTER INDEX {}.{} RENAME TO {}", cell(rows, i, 14), temporary,
                             quote_identifier(index.name));
  return index;
}

Status read_indexes(Connection& connection, const std::string& oid, const std::string& stage,
                    TableCopy* copy) {
  HEADRACE_ASSIGN(const PgResult rows, connection.query(kCopyIndexes, {oid, stage}, kDoing));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    if (cell(rows, i, 5) == "x") continue;  // an exclusion constraint is a referring object
    const std::string start = cell(rows, i, 1);
    std::string reason = cell(rows, i, 12);
    if (reason.empty() && cell(rows, i, 2).compare(0, start.size(), start) != 0) {
      reason = "its definition has an unknown form";
    }
    if (reason.empty()) {
      copy->indexes.push_back(index_copy(rows, i, stage));
    } else {
      copy->dependents.push_back(fmt::format("index {} ({})", cell(rows, i, 0), reason));
    }
  }
  return {};
}

}  // namespace

std::string temporary_prefix(const std::string& stage) {
  return stage.substr(0, std::string_view(kStagePlaceholder).size());
}

Result<TableCopy> read_table_copy(Connection& connection, uint32_t oid, const std::string& stage,
                                  SwapOf swap_of) {
  TableCopy copy;
  const std::string key = std::to_string(oid);
  // Names in definitions are then printed with their schemas.
  // Compiling such queries takes longer than running them, and this runs under the lock, too.
  HEADRACE_TRY(connection.run("SET LOCAL search_path = ''; SET LOCAL jit = off", kDoing));
  HEADRACE_TRY(read_statements(connection, key, stage, &copy));
  HEADRACE_TRY(read_identities(connection, key, &copy));
  HEADRACE_TRY(read_carried_objects(connection, key, stage, swap_of, &copy));
  HEADRACE_TRY(append_words(connection, kReferringObjects, key, &copy.dependents));
  HEADRACE_TRY(append_words(connection, kOwnProperties, key, &copy.dependents));
  if (PQserverVersion(connection.raw()) >= kSchemaPublicationsVersion) {
    HEADRACE_TRY(append_words(connection, kSchemaPublications, key, &copy.dependents));
  }
  HEADRACE_TRY(read_indexes(connection, key, stage, &copy));
  return copy;
}

}  // namespace headrace
