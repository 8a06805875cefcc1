// RowBlock: encoded rows on their way to a writer. It holds whole rows only.
#pragma once

#include <cstdint>
#include <vector>

#include "base/buffer.h"

namespace headrace {

struct RowBlock {
  Buffer bytes;
  std::vector<uint32_t> row_starts;  // offset of each row in bytes
  int64_t row_count = 0;
  int64_t first_row = 0;  // over the whole load, 0-based
  int64_t partition = 0;
  int64_t partition_row = 0;  // first row within the partition, 0-based
  // Order over the whole load: blocks of batch 0, then of batch 1, ... A writer that must place
  // bytes in order waits for (batch, index) to be its turn.
  int64_t batch = 0;
  int index_in_batch = 0;
  bool last_in_batch = false;

  void clear() {
    bytes.clear();
    row_starts.clear();
    row_count = 0;
    last_in_batch = false;
  }
};

}  // namespace headrace
