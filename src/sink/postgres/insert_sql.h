// The INSERT statements of the methods standard, optimized and async.
//
//   kArrays  INSERT INTO t (a, b) SELECT * FROM unnest($1, $2)         one array parameter a column
//   kValues  INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ...       one parameter a value
//
// unnest takes an array apart whatever its dimensions, and a composite value into its fields: a
// table with such a column, or with one whose type has no array type, is written by kValues.
//
// Parameters carry the OID of their type, so that a statement holds no type name and means the same
// under every search_path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/write_job.h"

namespace headrace {

enum class InsertForm { kArrays, kValues };

// How the server takes rows of a table. The base type of a domain stands for it: the assignment to
// the column checks the domain.
struct InsertShape {
  InsertForm form = InsertForm::kArrays;
  bool overriding = false;            // an identity column is written, as COPY may
  std::vector<uint32_t> types;        // of the values, in the order of the job's columns
  std::vector<uint32_t> array_types;  // of arrays of them; 0 where unnest cannot be used
};

// The protocol counts parameters in 16 bits.
inline constexpr int64_t kMaxParameters = 65535;

// Reads the types of the job's columns from the catalog.
Result<InsertShape> read_insert_shape(Connection& connection, const WriteJob& job);

// The statement for `rows` rows; kArrays does not depend on them. `suffix` follows the rows:
// "ON CONFLICT DO NOTHING".
std::string insert_sql(const std::string& qualified_table, const std::vector<ColumnPlan>& columns,
                       InsertForm form, bool overriding, int64_t rows,
                       const std::string& suffix = {});

// The statement as a plan shows it, with one row where it has VALUES: a table whose types could be
// read need not be there yet. REQUIRES: plan.method inserts.
std::string planned_insert_sql(const std::string& qualified_table, const Plan& plan,
                               bool overriding);

}  // namespace headrace
