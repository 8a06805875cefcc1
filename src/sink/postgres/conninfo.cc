#include "sink/postgres/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

namespace headrace {
namespace {

constexpr const char* kMask = "***";
constexpr int kConnectTimeoutSeconds = 10;

bool is_secret(const std::string& keyword) {
  return keyword.find("password") != std::string::npos ||
         keyword.find("secret") != std::string::npos || keyword == "scram_client_key" ||
         keyword == "scram_server_key";
}

size_t scheme_bytes(const std::string& target) {
  for (std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (target.compare(0, scheme.size(), scheme) == 0) return scheme.size();
  }
  return 0;
}

// Options by keyword, as libpq reads them; nothing when it cannot, or when a part of a password
// seems to have landed in another option.
std::optional<std::map<std::string, std::string>> parse(const std::string& target) {
  if (target.find('\0') != std::string::npos) return std::nullopt;
  char* ignored = nullptr;  // may quote the target
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(target.c_str(), &ignored), &PQconninfoFree);
  PQfreemem(ignored);
  if (options == nullptr) return std::nullopt;
  std::map<std::string, std::string> found;
  for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o) {
    if (o->val != nullptr) found.emplace(o->keyword, o->val);
  }
  const auto digits_and_commas = [](const std::string& text) {
    return text.find_first_not_of("0123456789, ") == std::string::npos;
  };
  if (found.count("port") != 0 && !digits_and_commas(found["port"])) return std::nullopt;
  if (found.count("host") != 0 && found["host"][0] != '/' && found["host"][0] != '@' &&
      found["host"].find('@') != std::string::npos) {
    return std::nullopt;
  }
  if (scheme_bytes(target) != 0) {
    // "postgresql://user:1/secret@host/db": libpq ends the authority at the slash.
    const bool slash = found.count("user") == 0 && found.count("dbname") != 0 &&
                       found["dbname"].find('@') != std::string::npos;
    // "postgresql://host?password=a@b": libpq takes all before the '@' as the user.
    const bool query = found.count("user") != 0 && found["user"].find('?') != std::string::npos;
    if (slash || query) return std::nullopt;
  }
  return found;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const std::string hex(text.substr(i + 1, 2));
      out += static_cast<char>(std::strtol(hex.c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The query of a URI, from its '?' on.
std::string masked_query(std::string_view query) {
  std::string out;
  size_t at = 0;
  while (at < query.size()) {
    const size_t end = std::min(query.find('&', at + 1), query.size());
    const std::string_view parameter = query.substr(at, end - at);  // with its '?' or '&'
    const size_t equals = parameter.find('=');
    if (equals != std::string_view::npos &&
        is_secret(percent_decoded(parameter.substr(1, equals - 1)))) {
      out += parameter.substr(0, equals + 1);
      out += kMask;
    } else {
      out += parameter;
    }
    at = end;
  }
  return out;
}

// REQUIRES: libpq reads it.
std::string masked_parsed_uri(const std::string& uri, size_t scheme) {
  // As libpq does: credentials end at the first '@' that comes before any '/'.
  size_t rest = scheme;
  std::string out = uri.substr(0, scheme);
  const size_t stop = uri.find_first_of("@/", scheme);
  if (stop != std::string::npos && uri[stop] == '@') {
    const size_t colon = uri.find(':', scheme);
    out += uri.substr(scheme, std::min(colon, stop) - scheme);
    if (colon < stop) out += fmt::format(":{}", kMask);
    rest = stop;
  }
  const size_t query = std::min(uri.find('?', rest), uri.size());
  out += uri.substr(rest, query - rest);
  return out + masked_query(std::string_view(uri).substr(query));
}

std::string keyword_value(const std::string& value) {
  if (!value.empty() && value.find_first_of(" \t\n'\\") == std::string::npos) return value;
  std::string quoted = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

bool is_set(const std::map<std::string, std::string>& options, const char* keyword,
            const char* variable) {
  return options.count(keyword) != 0 || std::getenv(variable) != nullptr;
}

}  // namespace

bool is_postgres_target(const std::string& target) {
  return scheme_bytes(target) != 0 || target.find('=') != std::string::npos;
}

std::string masked_uri(const std::string& target) {
  const size_t scheme = scheme_bytes(target);
  const auto options = parse(target);
  if (!options) return scheme != 0 ? target.substr(0, scheme) + kMask : kMask;
  if (scheme != 0) return masked_parsed_uri(target, scheme);
  std::string out;
  for (const auto& [keyword, value] : *options) {
    if (!out.empty()) out += ' ';
    out += fmt::format("{}={}", keyword, is_secret(keyword) ? kMask : keyword_value(value));
  }
  return out;
}

Result<ConnectParameters> ConnectParameters::make(const std::string& target) {
  const auto options = parse(target);
  if (!options) {
    return Error(
        ErrorCode::kUsage, "the target is not a PostgreSQL connection string",
        "in a URI write special characters of user and password as %XX ('@' is %40, '/' is "
        "%2F, ':' is %3A); in a keyword string put values with blanks in quotes");
  }
  ConnectParameters made;
  // What comes before dbname is a default, which the target overrides; what comes after is not.
  made.parameters_.push_back({"fallback_application_name", "headrace"});
  const bool service = is_set(*options, "service", "PGSERVICE");
  if (const auto given = options->find("connect_timeout"); given != options->end()) {
    made.connect_timeout_seconds_ = std::atoi(given->second.c_str());
  } else if (const char* variable = std::getenv("PGCONNECT_TIMEOUT")) {
    made.connect_timeout_seconds_ = std::atoi(variable);
  } else if (!service) {  // a service file may say its own
    made.parameters_.push_back({"connect_timeout", std::to_string(kConnectTimeoutSeconds)});
  }
  // A dead network is noticed within about a minute and a half.
  made.parameters_.push_back({"keepalives_idle", "30"});
  made.parameters_.push_back({"keepalives_interval", "15"});
  made.parameters_.push_back({"keepalives_count", "4"});
  made.parameters_.push_back({"dbname", target});
  made.parameters_.push_back({"client_encoding", "UTF8"});
  const auto lists_several = [&](const char* keyword, const char* variable) {
    const auto given = options->find(keyword);
    const char* fallback = std::getenv(variable);
    const std::string text = given != options->end() ? given->second : (fallback ? fallback : "");
    return text.find(',') != std::string::npos;
  };
  made.has_several_hosts_ =
      lists_several("host", "PGHOST") || lists_several("hostaddr", "PGHOSTADDR") || service;
  return made;
}

std::vector<const char*> ConnectParameters::keywords() const {
  std::vector<const char*> pointers;
  for (const Parameter& p : parameters_) pointers.push_back(p.keyword.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<const char*> ConnectParameters::values() const {
  std::vector<const char*> pointers;
  for (const Parameter& p : parameters_) pointers.push_back(p.value.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace headrace
