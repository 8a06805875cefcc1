// SHA-256 of a file's bytes, as 64 hexadecimal digits.
#pragma once

#include <string>

#include "headrace/result.h"

namespace headrace {

Result<std::string> sha256_of_file(const std::string& path);

}  // namespace headrace
