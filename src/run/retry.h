// Retry: whether a load that failed may be run again, and when (SPEC 4). A load is all or nothing,
// so running it again never doubles a row, unless nobody can say whether it was committed.
// Pure but for the random part of the pause; any thread.
#pragma once

#include "headrace/result.h"

namespace headrace {

// Whether the same load may succeed later: the connection was lost, the server was restarted or
// full, a lock or a serializable transaction stood in the way. Never for what the data are.
bool is_retryable(const Error& error);

// The same for the first connection of a load: a host that is not there is told at once, a server
// that is starting up or has no slot free is waited for.
bool is_retryable_at_start(const Error& error);

// Whether the server refused a connection because it has no slot left for it.
bool is_slot_shortage(const Error& error);

// Milliseconds before attempt `attempt` (2, 3, ...): about 0.5, 1, 2, ... 30 seconds, of which half
// is random, so that loads that failed together do not come back together.
int retry_pause_ms(int attempt);

}  // namespace headrace
