// inspect of a SQLite file: its schema by SQLite, its pages by our own reading.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "headrace/inspect_file.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/file_io.h"
#include "sink/sqlite/page_format.h"
#include "sink/sqlite/target_file.h"
#include "sink/sqlite/tree_walk.h"

namespace headrace {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

struct Root {
  FileTree tree;
  int64_t page = 0;
};

Result<std::vector<FileColumn>> read_columns(Connection& db, const std::string& table) {
  HEADRACE_ASSIGN(Statement info,
                  db.prepare(fmt::format("PRAGMA table_xinfo({})", sqlite_identifier(table))));
  std::vector<FileColumn> columns;
  for (;;) {
    HEADRACE_ASSIGN(const bool row, info.step());
    if (!row) return columns;
    columns.push_back({info.text(1), info.text(2), info.integer(3) != 0, info.integer(5) != 0});
  }
}

Result<std::vector<FileColumn>> read_index_columns(Connection& db, const std::string& index) {
  HEADRACE_ASSIGN(Statement info,
                  db.prepare(fmt::format("PRAGMA index_xinfo({})", sqlite_identifier(index))));
  std::vector<FileColumn> columns;
  for (;;) {
    HEADRACE_ASSIGN(const bool row, info.step());
    if (!row) return columns;
    if (info.integer(5) == 0) continue;
    columns.push_back({info.is_null(2) ? "expression" : info.text(2), "", false, false});
  }
}

Result<std::vector<Root>> read_schema(Connection& db, FileFacts* facts) {
  HEADRACE_ASSIGN(Statement entry,
                  db.prepare("SELECT type, name, tbl_name, rootpage FROM sqlite_master ORDER BY "
                             "tbl_name, type DESC, name"));
  std::vector<Root> roots;
  for (;;) {
    HEADRACE_ASSIGN(const bool row, entry.step());
    if (!row) return roots;
    const std::string type = entry.text(0), name = entry.text(1);
    if (type == "view") facts->views.push_back(name);
    if (type == "trigger") facts->triggers.push_back(name);
    if (entry.integer(3) == 0) continue;  // a view, a trigger, or a virtual table
    Root root;
    root.page = entry.integer(3);
    root.tree.kind = type;
    root.tree.name = name;
    if (type == "index") root.tree.table = entry.text(2);
    roots.push_back(std::move(root));
  }
}

Status read_pragmas(Connection& db, FileFacts* facts) {
  HEADRACE_ASSIGN(facts->journal_mode, db.value("PRAGMA journal_mode"));
  HEADRACE_ASSIGN(facts->encoding, db.value("PRAGMA encoding"));
  HEADRACE_ASSIGN(facts->page_bytes, db.integer("PRAGMA page_size"));
  HEADRACE_ASSIGN(facts->page_count, db.integer("PRAGMA page_count"));
  HEADRACE_ASSIGN(facts->free_pages, db.integer("PRAGMA freelist_count"));
  HEADRACE_ASSIGN(facts->user_version, db.integer("PRAGMA user_version"));
  HEADRACE_ASSIGN(facts->application_id, db.integer("PRAGMA application_id"));
  return {};
}

int64_t size_of(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : -1;
}

Status fill_tree(Connection& db, const FileFacts& facts, int64_t page, FileTree* tree) {
  int reserved = -1;  // asks
  sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  HEADRACE_ASSIGN(const TreePagesFound found,
                  walk_tree(db, page, static_cast<uint32_t>(facts.page_bytes),
                            static_cast<uint32_t>(reserved > 0 ? reserved : 0), facts.page_count));
  tree->rows = found.entries;
  tree->leaf_pages = found.leaf_pages;
  tree->interior_pages = found.interior_pages;
  tree->overflow_pages = found.overflow_pages;
  const int64_t room = (found.leaf_pages + found.interior_pages) * facts.page_bytes;
  tree->fill = static_cast<double>(found.used_bytes) / static_cast<double>(room);
  return {};
}

}  // namespace

bool is_sqlite_file(const std::string& path) {
  if (!sqlite_path(path).empty()) return true;
  std::ifstream in(path, std::ios::binary);
  char magic[16] = {};
  return in.read(magic, sizeof magic) && std::string_view(magic, 16) == sqlite_page::kFileMagic;
}

Result<FileFacts> inspect_file(const std::string& path) {
  const std::string plain = path.starts_with("sqlite:") ? sqlite_path(path) : path;
  HEADRACE_ASSIGN(const bool there, file_is_there(plain));
  if (!there) return io_error(ENOENT, "read", plain);
  HEADRACE_ASSIGN(Connection db, Connection::open(plain, Connection::kReadOnly, kBusyTimeoutMs));
  FileFacts facts;
  facts.path = plain;
  facts.bytes = size_of(plain);
  HEADRACE_TRY(db.run("BEGIN"));
  HEADRACE_ASSIGN(std::vector<Root> roots, read_schema(db, &facts));
  HEADRACE_TRY(read_pragmas(db, &facts));
  if (size_of(plain + "-wal") > 0) {
    facts.pages_unknown = "some pages are in the -wal file, until a process checkpoints it";
  }
  for (Root& root : roots) {
    FileTree& tree = root.tree;
    if (tree.kind == "table") {
      HEADRACE_ASSIGN(tree.columns, read_columns(db, tree.name));
    } else {
      HEADRACE_ASSIGN(tree.columns, read_index_columns(db, tree.name));
    }
    if (facts.pages_unknown.empty()) {
      HEADRACE_TRY(fill_tree(db, facts, root.page, &tree));
    } else if (tree.kind == "table") {
      HEADRACE_ASSIGN(tree.rows, db.integer(fmt::format("SELECT count(*) FROM {}",
                                                        sqlite_identifier(tree.name))));
    }
    facts.trees.push_back(std::move(tree));
  }
  return facts;
}

}  // namespace headrace
