// pgcopy:FILE, a file that COPY FROM reads: binary with header and trailer, or text lines.
#pragma once

#include "sink/sink.h"

namespace headrace {

extern const SinkKind kPgcopyFileSink;

}  // namespace headrace
