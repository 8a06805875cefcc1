// The library's verbs. All are synchronous, thread-safe against each other, and never print.
#pragma once

#include "headrace/arrow_c_data.h"
#include "headrace/facts.h"
#include "headrace/plan.h"
#include "headrace/report.h"
#include "headrace/request.h"
#include "headrace/result.h"

namespace headrace {

// Runs a whole load: facts, plan, rows, commit. All or nothing. A failure is in report.error.
Report load(const LoadRequest& request);

// The same from an Arrow C stream, which is released in every case. request.source is a name
// for messages only and may be empty.
Report load(const LoadRequest& request, ArrowArrayStream* stream);

// Facts and plan of a load; writes nothing.
Result<Plan> plan(const LoadRequest& request);

// The same for an Arrow C stream, of which only the schema is read; it is released in every case.
Result<Plan> plan(const LoadRequest& request, ArrowArrayStream* stream);

// Schema, partitions and statistics of request.source.
Result<SourceFacts> inspect(const LoadRequest& request);

// "0.1.0"
const char* version();

}  // namespace headrace
