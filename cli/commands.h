// The commands, one file each. Every one prints its result and returns the exit code.
#pragma once

#include "options.h"

namespace headrace::cli {

int run_load(Options options);
int run_plan(const Options& options);
int run_inspect(const Options& options);
int run_verify(Options options);
int run_check(const Options& options);
int run_recommend(const Options& options);
int run_gc(const Options& options);
int run_version(const Options& options);

}  // namespace headrace::cli
