// gc of a SQLite target: temporary files beside it whose load is dead.
#pragma once

#include "headrace/gc.h"
#include "headrace/result.h"

namespace headrace {

Status gc_sqlite(const GcRequest& request, GcReport* out);

}  // namespace headrace
