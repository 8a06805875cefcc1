// gc of a PostgreSQL target: staging tables whose load is dead.
#pragma once

#include "headrace/gc.h"
#include "headrace/result.h"

namespace headrace {

Status gc_postgres(const GcRequest& request, GcReport* out);

}  // namespace headrace
