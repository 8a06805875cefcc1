// RowOrigins: where the rows of a load came from, for errors that name two of them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "encode/row_block.h"
#include "headrace/facts.h"
#include "headrace/result.h"

namespace headrace {

// Thread-safe.
class RowOrigins {
 public:
  explicit RowOrigins(const std::vector<Partition>& partitions) {
    for (const Partition& partition : partitions) files_[partition.index] = partition.uri;
  }

  void add(const RowBlock& block) {
    std::lock_guard lock(mutex_);
    starts_[block.first_row] = {block.partition, block.partition_row};
  }

  // `row`: 0-based, over the whole load.
  ErrorWhere locate(int64_t row) const;
  // "row 5 of a.parquet"
  std::string shown(int64_t row) const;

 private:
  mutable std::mutex mutex_;
  std::map<int64_t, std::string> files_;   // of each partition
  struct Start {
    int64_t partition = 0;
    int64_t row = 0;  // 0-based, in the file
  };
  std::map<int64_t, Start> starts_;  // of each block, by the row of the load
};

}  // namespace headrace
