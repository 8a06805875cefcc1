// The PostgreSQL target: COPY over one or several connections, published by one transaction.
#pragma once

#include "sink/sink.h"

namespace headrace {

extern const SinkKind kPostgresSink;

}  // namespace headrace
