// The command line: one command, its sources, its options. Options may also come from the
// environment as HEADRACE_<OPTION>; the command line wins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "headrace/result.h"
#include "progress.h"

namespace headrace::cli {

enum class Command { kHelp, kLoad, kPlan, kInspect, kVerify, kCheck, kRecommend, kGc, kVersion };

struct Options {
  Command command = Command::kHelp;
  std::string help;  // kHelp: what to print
  LoadRequest request;
  std::string schema;           // kGc
  int64_t rows = 0;             // kRecommend
  double memory_gb = 8;         // kRecommend
  bool json = false;
  bool dry_run = false;
  ProgressMode progress = ProgressMode::kAuto;
};

// `arguments` without the program's name. Fails with kUsage.
Result<Options> parse_options(const std::vector<std::string>& arguments);

// Whether the result is asked for as JSON, also on a command line that does not parse.
bool wants_json(const std::vector<std::string>& arguments);

}  // namespace headrace::cli
