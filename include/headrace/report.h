// Report: what happened in a load. Its JSON fields are stable under schema_version 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

// Wall seconds of each phase. read, encode and send overlap, so they are sums over threads.
// prepare: making the staging table or removing the old rows. index: building indexes and checking
// constraints.
struct PhaseSeconds {
  double plan = 0, prepare = 0, read = 0, encode = 0, send = 0, commit = 0, index = 0, analyze = 0,
         verify = 0;
};

struct Report {
  int schema_version = 1;
  std::string status;  // "ok", "failed", "cancelled"
  std::string load_id;
  std::string table;
  std::string target;  // masked
  std::string mode;
  std::string method;
  std::string method_requested;
  std::string method_reason;
  std::string fallback_reason;
  std::string commit_scope;
  int connections = 0;
  int64_t partitions = 0;
  int64_t rows_read = 0, rows_written = 0, rows_rejected = 0, rows_repaired = 0;
  int64_t bytes_read = 0;     // stored bytes of the source that were read
  int64_t bytes_encoded = 0;  // bytes of encoded rows
  int64_t bytes_sent = 0;     // bytes given to the server or written to the file
  double seconds = 0;
  double rows_per_second = 0;
  PhaseSeconds phases;
  int64_t peak_memory_bytes = 0;
  double client_cpu_seconds = 0;
  double lock_seconds = 0;  // longest ACCESS EXCLUSIVE lock on the target
  int64_t wal_bytes = -1;   // of the whole server while the load ran; -1: not known
  std::vector<std::string> files;
  std::vector<std::string> warnings;
  std::vector<Decision> decisions;
  std::optional<Error> error;

  bool ok() const { return status == "ok"; }
  std::string to_json() const;
  std::string to_text() const;
};

}  // namespace headrace
