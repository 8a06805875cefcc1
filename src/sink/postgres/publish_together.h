// Publishing by N commits behind a curtain (commit scope together). Each transaction is complete,
// its deferred constraints are checked, and it says in headrace_load_parts which rows it holds.
//
//   curtain ─► N × COMMIT sent at once ─► answers ─► curtain up ─► ledger, parts forgotten
//
// Where some commits are done and others not, the error says so; the same load id again leaves out
// what is committed.
//
// Used by the sink's thread.
#pragma once

#include <string>
#include <vector>

#include "sink/postgres/part_writer.h"
#include "sink/postgres/publish.h"

namespace headrace {

Result<Published> publish_together(const Publication& publication, const std::string& load_id,
                                   std::vector<HeldTransaction>* held, int64_t rows,
                                   PublishStats* stats);

}  // namespace headrace
