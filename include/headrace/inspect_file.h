// What a SQLite file holds: tables, indexes, rows, pages and how full they are. Changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace {

struct FileColumn {
  std::string name;
  std::string type;
  bool not_null = false;
  bool primary_key = false;
};

// A table or an index, that is, one b-tree.
struct FileTree {
  std::string kind;   // "table", "index"
  std::string name;
  std::string table;  // of an index
  std::vector<FileColumn> columns;
  int64_t rows = -1;  // entries of an index; -1: not known
  int64_t leaf_pages = -1;
  int64_t interior_pages = -1;
  int64_t overflow_pages = -1;
  double fill = 0;  // share of the leaf and interior pages that is in use

  int64_t pages() const { return leaf_pages + interior_pages + overflow_pages; }
};

struct FileFacts {
  int schema_version = 1;
  std::string path;
  std::string journal_mode;
  std::string encoding;
  int64_t bytes = 0;
  int64_t page_bytes = 0;
  int64_t page_count = 0;
  int64_t free_pages = 0;
  int64_t user_version = 0;
  int64_t application_id = 0;
  std::string pages_unknown;  // why pages were not looked at; empty: they were
  std::vector<FileTree> trees;  // tables by name, each with its indexes after it
  std::vector<std::string> views;
  std::vector<std::string> triggers;

  std::string to_json() const;
  std::string to_text() const;
};

// Whether `path` names a SQLite file, by its suffix or its first bytes.
bool is_sqlite_file(const std::string& path);

// Fails with kNotFound, kUsage (not a SQLite file), kBusy and kIo.
Result<FileFacts> inspect_file(const std::string& path);

}  // namespace headrace
