// Options that only SQLite targets have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "headrace/result.h"

namespace CLI {
class App;
}

namespace headrace::cli {

// As they were written; empty or 0 when they were not.
struct WrittenSqlite {
  std::string busy_timeout, layout, partition_by, verify;
  int64_t max_records = 0, optimized_rows = 0;
  std::vector<std::string> primary_key, indexes, unique_indexes, geometry_columns;
  std::string decimal, boolean, date, geometry;
  bool strict = false;
};

void add_sqlite_options(CLI::App* app, WrittenSqlite* to);
// Those of them that say how geometries are stored.
void add_geometry_options(CLI::App* app, WrittenSqlite* to);

// `num_partitions` as written: files of a layout that has several.
Status convert_sqlite(const WrittenSqlite& written, int num_partitions, LoadRequest* request);

// Whether --num-partitions counts files, and not connections.
bool counts_files(const WrittenSqlite& written);

}  // namespace headrace::cli
