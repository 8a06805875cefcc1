// Several files, one schema: columns are matched by name, types that differ become the smallest
// type that holds both without loss. No Arrow, no input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headrace/facts.h"
#include "headrace/result.h"
#include "headrace/schema.h"

namespace headrace {

struct FileSchema {
  std::string uri;
  Schema schema;
};

// How a column of the source comes from one file.
struct ColumnOrigin {
  int position = -1;     // in the file's schema; -1: the file does not have it, all NULL
  bool is_hive = false;  // the folder's value, the same for all rows of the file
};

struct UnifiedSchema {
  Schema schema;  // columns of the files, then those of the Hive folders
  std::vector<std::vector<ColumnOrigin>> origins;  // [file][column]
};

// `files` and `partitions` stand for each other, one by one; at least one.
// Fails with kTypeMismatch and shows the columns that differ, with both files.
Result<UnifiedSchema> unify_schemas(const std::vector<FileSchema>& files,
                                    const std::vector<Partition>& partitions);

// The type that holds every value of both, or nullopt.
std::optional<DataType> common_type(const DataType& a, const DataType& b);

}  // namespace headrace
