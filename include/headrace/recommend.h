// What is advised for a number of rows, before anything is known of source, target and machine.
//
// This is a published table, and it stays as it is. The plan of a real load looks at more (width of
// a row, cores, connections left on the server, privileges) and may choose otherwise; it prints
// both, with the reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace {

struct Recommendation {
  std::string method;
  int64_t batch_size = 0;  // rows
  int num_partitions = 0;
  std::vector<std::string> notes;

  std::string to_json() const;
  std::string to_text() const;
  bool operator==(const Recommendation&) const = default;
};

// Pure. Fails with kUsage for fewer than 0 rows, or a memory that is not more than 0.
//
// No line of the table depends on the memory: every method works in bounded memory, whatever the
// number of rows. It is a parameter because those who call this by its older name give it.
Result<Recommendation> recommend(int64_t rows, double available_memory_gb = 8);

}  // namespace headrace
