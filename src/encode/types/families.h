// The type families, one per file of this folder. codec_registry.cc lists them.
#pragma once

#include "encode/codec.h"

namespace headrace {

extern const TypeFamily kDictionaryFamily;
extern const TypeFamily kBooleanFamily;
extern const TypeFamily kIntegerFamily;
extern const TypeFamily kUnsignedFamily;
extern const TypeFamily kFloatFamily;
extern const TypeFamily kNumericFamily;
extern const TypeFamily kTextFamily;
extern const TypeFamily kBytesFamily;
extern const TypeFamily kDateFamily;
extern const TypeFamily kTimeFamily;
extern const TypeFamily kTimestampFamily;
extern const TypeFamily kIntervalFamily;
extern const TypeFamily kListFamily;
extern const TypeFamily kStructFamily;
extern const TypeFamily kMapFamily;
extern const TypeFamily kNullFamily;
extern const TypeFamily kUuidFamily;
extern const TypeFamily kJsonFamily;

}  // namespace headrace
