// JSON text of values that hold no others. Each function appends the value of a row that is not
// NULL; false when JSON or the target has none for it: the writer then has the reason.
#pragma once

#include "encode/column_view.h"
#include "encode/format/json_writer.h"

namespace headrace {

// What a type's values look like, decided once.
struct JsonRules {
  bool nul_allowed = false;  // in text: PostgreSQL cannot hold it
  bool nan_as_null = false;
};

using PutJsonScalar = bool (*)(const JsonRules& rules, const ColumnView& column, int64_t row,
                               JsonWriter* out);

// nullptr: values of this type hold others, or have no JSON text.
PutJsonScalar json_scalar(const DataType& type);

}  // namespace headrace
