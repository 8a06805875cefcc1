// check of a SQLite target.
#pragma once

#include <string>

#include "headrace/check.h"
#include "headrace/result.h"

namespace headrace {

Status check_sqlite(const std::string& target, const std::string& table, Readiness* out);

}  // namespace headrace
