#include "request_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "convert.h"

namespace headrace::capi {
namespace {

using Json = nlohmann::json;

// Ours alone, or without meaning where nothing is printed.
constexpr std::string_view kNoOptions[] = {"help", "json", "progress"};

Error bad_member(const std::string& name, const char* wanted) {
  return cli::usage_error(fmt::format("'{}' of the request is not understood", name),
                          fmt::format("give {}", wanted));
}

// "nan_as_null" is --nan-as-null.
std::string option_name(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

// One value as the command line has it; numbers as they were written.
Result<std::string> value_text(const std::string& name, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  return bad_member(name, "a string, a number, true, false, null, or a list of strings");
}

Status add_option(const std::string& name, const Json& value, std::vector<std::string>* arguments) {
  const std::string option = option_name(name);
  if (std::find(std::begin(kNoOptions), std::end(kNoOptions), option.substr(2)) !=
      std::end(kNoOptions)) {
    return cli::usage_error(fmt::format("unknown option {}", option), "leave it out");
  }
  if (value.is_null() || value == false) return {};
  if (value == true) {
    arguments->push_back(option);
    return {};
  }
  for (const Json& one : value.is_array() ? value : Json::array({value})) {
    HEADRACE_ASSIGN(const std::string text, value_text(name, one));
    arguments->push_back(option + "=" + text);
  }
  return {};
}

Result<std::vector<std::string>> read_sources(const Json& value) {
  if (value.is_null()) return std::vector<std::string>{};
  std::vector<std::string> sources;
  for (const Json& one : value.is_array() ? value : Json::array({value})) {
    if (!one.is_string()) return bad_member("source", "a string or a list of strings");
    sources.push_back(one.get<std::string>());
  }
  return sources;
}

}  // namespace

Result<cli::Options> read_request(std::string_view command, std::string_view json,
                                  bool has_stream) {
  const Json request = Json::parse(json.begin(), json.end(), nullptr, false);
  if (!request.is_object()) {
    return cli::usage_error("the request is not a JSON object",
                            R"(write it as {"to": "out.sqlite", "table": "t"})");
  }
  std::vector<std::string> arguments = {std::string(command)};
  std::vector<std::string> sources;
  int64_t source_rows = -1;
  bool discard = false;
  for (const auto& [name, value] : request.items()) {
    if (name == "source") {
      HEADRACE_ASSIGN(sources, read_sources(value));
    } else if (name == "source_rows") {
      if (!value.is_null() && !value.is_number_integer()) return bad_member(name, "a whole number");
      if (!value.is_null()) source_rows = value.get<int64_t>();
    } else if (name == "discard") {
      if (!value.is_boolean()) return bad_member(name, "true or false");
      discard = value.get<bool>();
    } else {
      HEADRACE_TRY(add_option(name, value, &arguments));
    }
  }
  // A stream without a name counts as standard input, from which no table takes its name either.
  const bool unnamed = has_stream && sources.empty();
  if (unnamed) sources.push_back("-");
  if (!sources.empty()) arguments.push_back("--");
  arguments.insert(arguments.end(), sources.begin(), sources.end());
  HEADRACE_ASSIGN(cli::Options options,
                  cli::parse_options(arguments, cli::Environment::kIgnored));
  if (unnamed) options.request.source = {"stream"};
  options.request.source_rows = source_rows;
  options.request.discard = discard;
  return options;
}

}  // namespace headrace::capi
