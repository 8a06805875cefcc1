// Signed integers: int8, int16, int32, int64. Targets and limits: types/integer_target.h.
#include "encode/types/families.h"
#include "encode/types/integer_target.h"

namespace headrace {
namespace {

std::unique_ptr<Codec> make_codec(TypeId id, const TargetType& target, RowFormat format) {
  switch (id) {
    case TypeId::kInt8:
      return make_integer_codec<FixedReader<int8_t>>(target, format);
    case TypeId::kInt16:
      return make_integer_codec<FixedReader<int16_t>>(target, format);
    case TypeId::kInt32:
      return make_integer_codec<FixedReader<int32_t>>(target, format);
    default:
      return make_integer_codec<FixedReader<int64_t>>(target, format);
  }
}

bool handles(const DataType& type) { return type.id >= TypeId::kInt8 && type.id <= TypeId::kInt64; }

TargetType default_target(const DataType& type, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"INTEGER", "INTEGER", -1};
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kInt16:
      return {"smallint", "int2", -1};
    case TypeId::kInt32:
      return {"integer", "int4", -1};
    default:
      return {"bigint", "int8", -1};
  }
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  auto codec = make_codec(type.id, target, format);
  if (codec == nullptr) return type_mismatch(type, target);
  return codec;
}

}  // namespace

const TypeFamily kIntegerFamily = {"integer", handles, default_target, make};

}  // namespace headrace
