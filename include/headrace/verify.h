// verify: is a table what its source says? Reads both, changes nothing.
//
// The source is read and encoded as a load would; the table is read back in the same encoding. Rows
// are counted, and every column is compared by its number of values and a sum of their hashes, which
// does not depend on the order of rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "headrace/result.h"

namespace headrace {

struct VerifiedColumn {
  std::string name;
  int64_t source_values = 0;  // that are not NULL
  int64_t target_values = 0;
  bool nulls_only = false;  // the values are written in the server's own way and were not compared
  bool same = false;
};

struct VerifyReport {
  int schema_version = 1;
  bool same = false;
  std::string difference;  // in words; empty when there is none
  std::string source;
  std::string target;  // masked
  std::string table;
  int64_t source_rows = 0;
  int64_t target_rows = 0;
  double seconds = 0;
  std::vector<VerifiedColumn> columns;

  std::string to_json() const;
  std::string to_text() const;
};

// request.source, target and table, with the options that the load was given; others do not matter.
// Fails as a load would (kNotFound also when the table is not there). A difference is no failure.
Result<VerifyReport> verify(const LoadRequest& request);

}  // namespace headrace
