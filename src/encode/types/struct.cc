// Structs and maps.
//
//   PostgreSQL   jsonb, or json in a table that has it: an object (types/nested_json.h)
//   SQLite       TEXT, the same JSON
#include "encode/types/families.h"
#include "encode/types/nested_json.h"

namespace headrace {
namespace {

bool handles_struct(const DataType& type) { return type.id == TypeId::kStruct && has_json(type); }

bool handles_map(const DataType& type) { return type.id == TypeId::kMap && has_json(type); }

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"jsonb", "jsonb", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  if (is_json_target(target, format)) return make_json_codec(type, target, format, options);
  Error error = type_mismatch(type, target);
  error.hint = "make the target's column jsonb, or convert the column in the source";
  return error;
}

}  // namespace

const TypeFamily kStructFamily = {"struct", handles_struct, default_target, make};
const TypeFamily kMapFamily = {"map", handles_map, default_target, make};

}  // namespace headrace
