// Every type family, most specific first. A new type is one file in types/ and one line here.
#include <fmt/format.h>

#include "encode/codec.h"
#include "encode/types/families.h"

namespace headrace {

const std::vector<const TypeFamily*>& type_families() {
  static const std::vector<const TypeFamily*> families = {
      &kUuidFamily,       &kJsonFamily,
      &kDictionaryFamily, &kBooleanFamily, &kIntegerFamily,   &kUnsignedFamily, &kFloatFamily,
      &kNumericFamily,    &kTextFamily,    &kBytesFamily,     &kDateFamily,     &kTimeFamily,
      &kTimestampFamily,  &kIntervalFamily, &kListFamily,     &kStructFamily,   &kMapFamily,
      &kNullFamily,
  };
  return families;
}

const TypeFamily* find_type_family(const DataType& type) {
  for (const TypeFamily* family : type_families()) {
    if (family->handles(type)) return family;
  }
  return nullptr;
}

Error type_mismatch(const DataType& type, const TargetType& target) {
  return Error(ErrorCode::kTypeMismatch,
               fmt::format("{} cannot be stored in {} without loss", type_name(type), target.sql),
               "change the column's type in the target, or convert the column in the source");
}

}  // namespace headrace
