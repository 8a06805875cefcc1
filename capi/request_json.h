// The JSON request of the C interface, read as the command line it stands for. So there is one list
// of options: that of cli/options*.cc; a new one there is known here, and in Python, as it stands.
#pragma once

#include <string>
#include <string_view>

#include "headrace/result.h"
#include "options.h"

namespace headrace::capi {

// The options of `command` in `json`, checked. `has_stream`: rows come from an Arrow stream, for
// which "source" is only a name. Fails with kUsage. Pure: the environment is not read.
Result<cli::Options> read_request(std::string_view command, std::string_view json, bool has_stream);

}  // namespace headrace::capi
