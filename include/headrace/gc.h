// gc: removes what crashed loads left in a target. Never touches a load that is running.
//
// PostgreSQL: staging tables. A running load holds an advisory lock of its id; a table is dropped
// by the transaction that took this lock. SQLite: temporary files beside the target. A running load
// holds a flock() on its file; a file is removed by the one who took this lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace {

struct GcRequest {
  std::string target;
  std::string schema;    // PostgreSQL: only this one; empty: all that the user can see
  bool dry_run = false;  // tell only
};

enum class LeftoverState {
  kRemoved,       // with dry_run: would be removed
  kLive,          // its load is running
  kNotOurs,       // has such a name, but was not made by headrace
  kNotPermitted,  // its load is dead; someone else has to remove it
  kFailed,        // its load is dead; removing it failed
};

const char* leftover_state_name(LeftoverState state);

struct Leftover {
  std::string name;  // "schema"."table", or a path
  LeftoverState state = LeftoverState::kNotOurs;
  std::string load_id;  // empty: not known
  int64_t bytes = -1;   // -1: not known
  std::string detail;   // the reason, and what to do
};

struct GcReport {
  int schema_version = 1;
  std::string target;  // masked
  bool dry_run = false;
  std::vector<Leftover> leftovers;  // by name

  int64_t count(LeftoverState state) const;
  // False when something could not be removed that should have been.
  bool ok() const { return count(LeftoverState::kFailed) == 0; }
  std::string to_json() const;
  std::string to_text() const;
};

// Fails with kUsage, kNotFound (schema or folder), kConnection, kAuthentication and kServer. What
// was removed before a failure stays removed.
Result<GcReport> gc(const GcRequest& request);

}  // namespace headrace
