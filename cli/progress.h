// Progress and log lines on stderr.
//
// terminal  one line that is rewritten
// plain     a line every ten seconds, and the log lines
// json      one JSON object per line: {"event": "progress", ...} or {"event": "log", ...}
// none      nothing
//
// One thread at a time.
#pragma once

#include <string>

#include "headrace/request.h"

namespace headrace::cli {

enum class ProgressMode { kAuto, kPlain, kJson, kNone };

class ProgressPrinter {
 public:
  // kAuto is a rewriting line when stderr is a terminal, otherwise kPlain.
  explicit ProgressPrinter(ProgressMode mode);
  ~ProgressPrinter() { end(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  void update(const Progress& progress);
  void log(const std::string& line);

  // Takes the rewriting line away.
  void end();

 private:
  const ProgressMode mode_;
  const bool rewrites_;
  bool line_is_open_ = false;
  double last_seconds_ = 0;
};

}  // namespace headrace::cli
