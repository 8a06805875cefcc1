#include "sink/sqlite/catalog.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <cctype>

#include "sink/sqlite/ddl.h"
#include "sink/sqlite/ledger.h"

namespace headrace {
namespace {

bool is_word(char c) {
  const auto u = static_cast<unsigned char>(c);
  return std::isalnum(u) != 0 || c == '_' || c == '$' || u >= 0x80;
}

// The end of the quoted text or comment that begins at sql[at]; `at` itself when none does.
size_t skip_quoted(const std::string& sql, size_t at) {
  const auto after = [&](std::string_view end, size_t from) {
    const size_t found = sql.find(end, from);
    return found == std::string::npos ? sql.size() : found + end.size();
  };
  switch (sql[at]) {
    case '\'':
    case '"':
    case '`':
      // A doubled quote reads as two quoted texts side by side, with the same end.
      return after({&sql[at], 1}, at + 1);
    case '[':
      return after("]", at + 1);
    case '-':
      return sql.compare(at, 2, "--") == 0 ? after("\n", at + 2) : at;
    case '/':
      return sql.compare(at, 2, "/*") == 0 ? after("*/", at + 2) : at;
    default:
      return at;
  }
}

bool contains_any(const std::string& upper, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return upper.find(part) != std::string::npos; });
}

bool has(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Status read_schema(Connection& db, const std::string& table, SqliteCatalog* catalog) {
  HEADRACE_ASSIGN(Statement entry, db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_master "
                                              "ORDER BY type, name"));
  for (;;) {
    HEADRACE_ASSIGN(const bool row, entry.step());
    if (!row) return {};
    const std::string type = entry.text(0), name = entry.text(1), owner = entry.text(2);
    const std::string sql = entry.text(3);
    catalog->schema_text += fmt::format("{}\n{}\n{}\n{}\n", type, name, owner, sql);
    const bool ours = strcasecmp(owner.c_str(), table.c_str()) == 0;
    if (ours && (type == "table" || type == "view")) {
      catalog->table_exists = true;
      catalog->table = name;
      catalog->create_table = sql;
      const std::vector<std::string> words = sqlite_bare_words(sql);
      const bool is_virtual = words.size() > 1 && words[1] == "VIRTUAL";
      catalog->relation_kind = is_virtual ? "virtual table" : type;
    } else if (ours && type == "trigger") {
      catalog->dependents.push_back("trigger " + name);
    } else if (!ours && type == "table" && name == kSqliteLedger) {
      catalog->has_ledger = true;
    } else if (!ours && strncasecmp(name.c_str(), "sqlite_", 7) != 0) {
      catalog->has_other_objects = true;
    }
  }
}

Status read_columns(Connection& db, SqliteCatalog* catalog) {
  const std::vector<std::string> words = sqlite_bare_words(catalog->create_table);
  const bool strict = has(words, "STRICT");
  HEADRACE_ASSIGN(Statement info, db.prepare(fmt::format("PRAGMA table_xinfo({})",
                                                         sqlite_identifier(catalog->table))));
  enum { kId, kName, kType, kNotNull, kDefault, kPrimaryKey, kHidden };
  int key_columns = 0;
  size_t last_key = 0;
  for (;;) {
    HEADRACE_ASSIGN(const bool row, info.step());
    if (!row) break;
    TargetColumn column;
    column.name = info.text(kName);
    column.type.sql = info.text(kType);
    const bool any = strict && strcasecmp(column.type.sql.c_str(), "ANY") == 0;
    column.type.base = any ? "BLOB" : sqlite_affinity(column.type.sql);
    column.not_null = info.integer(kNotNull) != 0;
    column.has_default = !info.is_null(kDefault);
    column.generated = info.integer(kHidden) >= 2;
    if (column.generated) catalog->constraints.push_back("generated column " + column.name);
    if (info.integer(kPrimaryKey) > 0) {
      ++key_columns;
      last_key = catalog->columns.size();
    }
    catalog->columns.push_back(std::move(column));
  }
  if (key_columns > 0) catalog->constraints.push_back("PRIMARY KEY");
  if (key_columns == 1 && !has(words, "WITHOUT") &&
      strcasecmp(catalog->columns[last_key].type.sql.c_str(), "INTEGER") == 0) {
    catalog->columns[last_key].has_default = true;  // the rowid: SQLite numbers what is left out
    catalog->unique_keys.push_back({{catalog->columns[last_key].name}, {"BINARY"}});
    catalog->has_primary_key = true;
  }
  return {};
}

// Its columns; empty when one of them is an expression.
Result<SqliteUniqueKey> read_unique_key(Connection& db, const std::string& index) {
  HEADRACE_ASSIGN(Statement info,
                  db.prepare(fmt::format("PRAGMA index_xinfo({})", sqlite_identifier(index))));
  enum { kSequence, kColumnId, kName, kDescending, kCollation, kIsKey };
  SqliteUniqueKey key;
  for (;;) {
    HEADRACE_ASSIGN(const bool row, info.step());
    if (!row) return key;
    if (info.integer(kIsKey) == 0) continue;
    if (info.integer(kColumnId) < 0) return SqliteUniqueKey();
    key.columns.push_back(info.text(kName));
    key.collations.push_back(info.text(kCollation));
  }
}

Result<std::string> definition_of(Connection& db, const std::string& index) {
  HEADRACE_ASSIGN(Statement find,
                  db.prepare("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?"));
  find.bind_text(1, index);
  HEADRACE_ASSIGN(const bool row, find.step());
  return row ? find.text(0) : std::string();
}

Status read_indexes(Connection& db, SqliteCatalog* catalog) {
  HEADRACE_ASSIGN(Statement list, db.prepare(fmt::format("PRAGMA index_list({})",
                                                         sqlite_identifier(catalog->table))));
  enum { kSequence, kName, kUnique, kOrigin, kPartial };
  for (;;) {
    HEADRACE_ASSIGN(const bool row, list.step());
    if (!row) return {};
    const std::string origin = list.text(kOrigin), name = list.text(kName);
    const bool unique = list.integer(kUnique) != 0;
    if (origin == "c") {
      HEADRACE_ASSIGN(std::string create, definition_of(db, name));
      catalog->indexes.push_back({name, std::move(create), unique});
    } else if (origin == "u") {
      catalog->constraints.push_back("UNIQUE (" + name + ")");
    }
    if (!unique || list.integer(kPartial) != 0) continue;
    HEADRACE_ASSIGN(SqliteUniqueKey key, read_unique_key(db, name));
    if (key.columns.empty()) continue;
    const bool primary = origin == "pk";
    catalog->has_primary_key |= primary;
    catalog->unique_keys.insert(
        primary ? catalog->unique_keys.begin() : catalog->unique_keys.end(), std::move(key));
  }
}

Status read_other_constraints(Connection& db, SqliteCatalog* catalog) {
  HEADRACE_ASSIGN(Statement keys, db.prepare(fmt::format("PRAGMA foreign_key_list({})",
                                                         sqlite_identifier(catalog->table))));
  HEADRACE_ASSIGN(catalog->has_foreign_keys, keys.step());
  if (catalog->has_foreign_keys) catalog->constraints.push_back("FOREIGN KEY");
  // There is no list of these. A column that is merely named so counts too: that only costs speed.
  const std::vector<std::string> words = sqlite_bare_words(catalog->create_table);
  for (const char* word : {"CHECK", "CONFLICT", "STRICT", "WITHOUT"}) {
    if (has(words, word)) catalog->constraints.push_back(word);
  }
  return {};
}

}  // namespace

std::vector<std::string> sqlite_bare_words(const std::string& sql) {
  std::vector<std::string> words;
  for (size_t at = 0; at < sql.size();) {
    const size_t quoted_end = skip_quoted(sql, at);
    if (quoted_end > at) {
      at = quoted_end;
    } else if (is_word(sql[at])) {
      std::string word;
      for (; at < sql.size() && is_word(sql[at]); ++at) {
        word += static_cast<char>(std::toupper(static_cast<unsigned char>(sql[at])));
      }
      words.push_back(std::move(word));
    } else {
      ++at;
    }
  }
  return words;
}

// The rules of "Datatypes In SQLite", section 3.1, in their order.
const char* sqlite_affinity(const std::string& declared_type) {
  std::string upper = declared_type;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (contains_any(upper, {"INT"})) return "INTEGER";
  if (contains_any(upper, {"CHAR", "CLOB", "TEXT"})) return "TEXT";
  if (upper.empty() || contains_any(upper, {"BLOB"})) return "BLOB";
  if (contains_any(upper, {"REAL", "FLOA", "DOUB"})) return "REAL";
  return "NUMERIC";
}

Result<SqliteCatalog> read_sqlite_catalog(Connection& db, const std::string& table) {
  SqliteCatalog catalog;
  HEADRACE_TRY(read_schema(db, table, &catalog));
  HEADRACE_ASSIGN(const int64_t user_version, db.integer("PRAGMA user_version"));
  HEADRACE_ASSIGN(const int64_t application_id, db.integer("PRAGMA application_id"));
  catalog.user_version = static_cast<int>(user_version);
  catalog.application_id = static_cast<int>(application_id);
  if (!catalog.table_exists) return catalog;
  HEADRACE_TRY(read_columns(db, &catalog));
  if (catalog.relation_kind != "table") return catalog;
  HEADRACE_TRY(read_indexes(db, &catalog));
  HEADRACE_TRY(read_other_constraints(db, &catalog));
  HEADRACE_ASSIGN(const int64_t filled, db.integer(fmt::format("SELECT EXISTS (SELECT 1 FROM {})",
                                                               sqlite_identifier(catalog.table))));
  catalog.table_is_empty = filled == 0;
  HEADRACE_ASSIGN(const std::string encoding, db.value("PRAGMA encoding"));
  HEADRACE_ASSIGN(const int64_t auto_vacuum, db.integer("PRAGMA auto_vacuum"));
  if (encoding != "UTF-8") catalog.constraints.push_back("encoding " + encoding);
  if (auto_vacuum != 0) catalog.constraints.push_back("auto_vacuum");
  return catalog;
}

Status check_replaceable_by_pages(const SqliteCatalog& catalog, const Plan& plan) {
  std::string obstacle;
  if (catalog.has_other_objects) obstacle = "the file holds other tables or views";
  if (!catalog.indexes.empty()) obstacle = "index " + catalog.indexes[0].name;
  if (!catalog.dependents.empty()) obstacle = catalog.dependents[0];
  if (!catalog.constraints.empty()) obstacle = catalog.constraints[0];
  if (catalog.table_exists) {
    if (catalog.relation_kind != "table") obstacle = "it is a " + catalog.relation_kind;
    const bool same_columns =
        std::equal(catalog.columns.begin(), catalog.columns.end(), plan.columns.begin(),
                   plan.columns.end(), [](const TargetColumn& have, const ColumnPlan& planned) {
                     return strcasecmp(have.name.c_str(), planned.target.c_str()) == 0;
                   });
    if (!same_columns) obstacle = "the table has other columns than the load, or in another order";
  }
  if (obstacle.empty()) return {};
  return Error(ErrorCode::kUnsupported,
               fmt::format("{} cannot be replaced page by page: {}", plan.table, obstacle),
               "use method api");
}

}  // namespace headrace
