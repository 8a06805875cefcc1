// From options as they were written to a LoadRequest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "options.h"
#include "options_sqlite.h"

namespace headrace::cli {

// Options as they were written; empty or 0 when they were not.
struct Written {
  std::string to, table, mode, method, memory, block_bytes, lock_timeout, load_id;
  std::string copy_format, format, delimiter, progress, on_duplicate, replace_where;
  std::vector<std::string> source, null_values, types, keys, update_columns;
  int connections = 0, num_partitions = 0, max_workers = 0, readers = 0, page_size = 0, retries = 3;
  int srid = -1;  // 0 is one
  WrittenSqlite sqlite;
  int64_t batch_rows = 0, batch_size = 0;
  std::string maintenance_work_mem;
  std::string atomic, create_partitions;
  std::string schema;           // gc
  std::optional<int64_t> rows;  // recommend
  double memory_gb = 8;         // recommend
  bool no_header = false, nan_as_null = false, no_analyze = false, dry_run = false, json = false;
  bool promote_to_multi = false, no_fallback = false;
  Environment environment = Environment::kRead;
};

// A kUsage error, without the passwords that its text may repeat.
Error usage_error(const std::string& message, std::string hint);

// "--lock-timeout" is HEADRACE_LOCK_TIMEOUT.
std::string environment_name(const std::string& option);

// The options of `command`, checked.
Result<Options> convert(const std::string& command, Written written);

}  // namespace headrace::cli
