// Unsigned integers: uint8, uint16, uint32, uint64. Targets and limits: types/integer_target.h.
// PostgreSQL has no unsigned types: each takes the next wider one, uint64 numeric(20,0).
#include "encode/types/families.h"
#include "encode/types/integer_target.h"

namespace headrace {
namespace {

std::unique_ptr<Codec> make_codec(TypeId id, const TargetType& target, RowFormat format) {
  switch (id) {
    case TypeId::kUint8:
      return make_integer_codec<FixedReader<uint8_t>>(target, format);
    case TypeId::kUint16:
      return make_integer_codec<FixedReader<uint16_t>>(target, format);
    case TypeId::kUint32:
      return make_integer_codec<FixedReader<uint32_t>>(target, format);
    default:
      return make_integer_codec<FixedReader<uint64_t>>(target, format);
  }
}

bool handles(const DataType& type) {
  return type.id >= TypeId::kUint8 && type.id <= TypeId::kUint64;
}

TargetType default_target(const DataType& type, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"INTEGER", "INTEGER", -1};
  switch (type.id) {
    case TypeId::kUint8:
      return {"smallint", "int2", -1};
    case TypeId::kUint16:
      return {"integer", "int4", -1};
    case TypeId::kUint32:
      return {"bigint", "int8", -1};
    default:
      return {"numeric(20,0)", "numeric", numeric_typmod(20, 0)};
  }
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions&) {
  auto codec = make_codec(type.id, target, format);
  if (codec == nullptr) return type_mismatch(type, target);
  return codec;
}

}  // namespace

const TypeFamily kUnsignedFamily = {"unsigned", handles, default_target, make};

}  // namespace headrace
