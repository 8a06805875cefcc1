// Option values that a person writes: sizes, times, characters. All functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace::cli {

// "512MiB", "1.5GB", "65536": bytes. kB, MB, GB go by thousands, KiB, MiB, GiB by 1024.
Result<int64_t> parse_size(const std::string& option, const std::string& text);

// "500ms", "5s", "2min", "1h": milliseconds, more than 0. A unit must be given.
Result<int> parse_milliseconds(const std::string& option, const std::string& text);

// One character, or "\t" or "tab".
Result<char> parse_delimiter(const std::string& text);

// "a,b" and "b" as a, b, b. A name with a comma stands in double quotes.
std::vector<std::string> split_names(const std::vector<std::string>& lists);

// The name that is closest to `text`, or "" if none is close.
std::string closest(const std::string& text, const std::vector<std::string>& names);

}  // namespace headrace::cli
