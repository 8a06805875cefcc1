// null: takes every row and keeps none, to measure reading and encoding.
#pragma once

#include "sink/sink.h"

namespace headrace {

extern const SinkKind kNullSink;

}  // namespace headrace
