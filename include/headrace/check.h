// check: is a target ready for a load? Connects and looks; changes nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"

namespace headrace {

enum class FindingState {
  kOk,
  kWarning,  // a load works, with less speed or safety than it could
  kMissing,  // not there, and needed only by what the detail names
  kError,    // a load fails
};

const char* finding_state_name(FindingState state);

struct Finding {
  std::string subject;  // "server", "tls", "copy", "free connections", ...
  FindingState state = FindingState::kOk;
  std::string detail;  // what was found, and what follows from it
  std::string advice;  // what to do; empty when there is nothing to do
};

struct Readiness {
  int schema_version = 1;
  std::string target;       // masked
  std::string table;        // with its schema, where there is one; empty: none was asked for
  std::string server_kind;  // "plain", "rds", "aurora"; "file"
  bool ready = false;       // there is no finding in state kError
  std::string best_method;  // empty when not ready
  std::string reason;       // of best_method, or why the target is not ready
  std::vector<Finding> findings;

  void add(std::string subject, FindingState state, std::string detail, std::string advice = {}) {
    findings.push_back({std::move(subject), state, std::move(detail), std::move(advice)});
  }
  std::string to_json() const;
  std::string to_text() const;
};

// Looks at `target` and, when `table` is not empty, at that table, which need not exist.
// Fails with kUsage (no target of a known kind), kConnection and kAuthentication; whatever else
// is wrong is a finding.
Result<Readiness> check(const std::string& target, const std::string& table = {});

}  // namespace headrace
