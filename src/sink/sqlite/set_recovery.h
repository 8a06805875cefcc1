// What loads into sets leave behind when they are killed, and how it is found.
//
// A load writes its manifest under the temporary name, synced, before it renames the first file; it
// holds a lock of it all the time. So a temporary manifest without a lock names the files of a dead
// load that no manifest has taken over. And each manifest names the files that it replaced, some of
// which may still be there.
#pragma once

#include <string>
#include <vector>

#include "headrace/gc.h"
#include "headrace/result.h"
#include "sink/sqlite/set_manifest.h"

namespace headrace {

// Settles all sets in `folder`; what was found is added to *leftovers. `place`, unless nullptr: only
// this set.
Status recover_sets(const std::string& folder, const SetPlace* place, bool dry_run,
                    std::vector<Leftover>* leftovers);

}  // namespace headrace
