// SIGINT and SIGTERM: the first asks the load to stop, the second ends the process at once.
#pragma once

#include <atomic>

namespace headrace::cli {

void handle_signals();

// Set by the first signal.
const std::atomic<bool>* cancel_flag();

// Number of the first signal, 0 if there was none.
int received_signal();

}  // namespace headrace::cli
