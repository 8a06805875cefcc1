// An Arrow stream whose reader never waits longer than a cancellation: get_next of the stream
// underneath runs in a thread of its own, one batch ahead.
//
//   producer ── get_next ──► pump thread ── one batch ──► get_next of this stream ──► reader
//
// A producer that does not come back (a database that still thinks, a generator that sleeps) is
// left to its thread, which releases what it gets when it gets it.
#pragma once

#include <atomic>

#include "headrace/arrow_c_data.h"

namespace headrace::capi {

// Takes `inner` over and makes `out` of it, which the caller releases. The pump starts with the
// first get_next. `cancel` may be nullptr; it must outlive `out`.
void make_interruptible(ArrowArrayStream* inner, const std::atomic<bool>* cancel,
                        ArrowArrayStream* out);

}  // namespace headrace::capi
