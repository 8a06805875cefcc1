// Sample values of every registered type, with what a target must show when asked.
#pragma once

#include <string>
#include <vector>

#include "headrace/schema.h"

namespace headrace::test {

// `expected` marks a value that a target must refuse instead of changing it.
inline constexpr const char* kRejected = "<rejected>";

struct SampleValue {
  std::string raw;     // as support/arrays.h takes it
  std::string pg;      // column::text with IntervalStyle iso_8601 and TimeZone UTC
  std::string sqlite;  // quote(column)
};

struct TypeSamples {
  std::string name;  // of the test
  DataType type;
  std::vector<SampleValue> values;
};

const std::vector<TypeSamples>& all_samples();

}  // namespace headrace::test
