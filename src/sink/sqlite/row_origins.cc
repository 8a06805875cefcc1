#include "sink/sqlite/row_origins.h"

#include <fmt/format.h>

namespace headrace {

ErrorWhere RowOrigins::locate(int64_t row) const {
  std::lock_guard lock(mutex_);
  ErrorWhere where;
  auto start = starts_.upper_bound(row);
  if (start == starts_.begin()) return where;
  --start;
  where.partition = start->second.partition;
  where.row = start->second.row + (row - start->first) + 1;
  const auto file = files_.find(where.partition);
  if (file != files_.end()) where.file = file->second;
  return where;
}

std::string RowOrigins::shown(int64_t row) const {
  const ErrorWhere where = locate(row);
  if (where.file.empty()) return fmt::format("row {}", row + 1);
  return fmt::format("row {} of partition {} ({})", where.row, where.partition, where.file);
}

}  // namespace headrace
