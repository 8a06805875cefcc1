// A PostgreSQL target as libpq takes it: a URI or a keyword string. Pure text, no connection; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "headrace/result.h"

namespace headrace {

// "postgresql://..." , "postgres://..." or "key=value ...".
bool is_postgres_target(const std::string& target);

// `target` without its secrets, which become "***", also in query parameters and quoted keyword
// values. Text that libpq cannot read, or reads otherwise than its author meant (an unencoded '@'
// or
// '/' in a password), is not shown at all.
std::string masked_uri(const std::string& target);

// What PQconnectStartParams gets; the pointers of keywords() and values() end with nullptr.
class ConnectParameters {
 public:
  // Fails with kUsage. The message never quotes the target, which may hold a password.
  static Result<ConnectParameters> make(const std::string& target);

  std::vector<const char*> keywords() const;
  std::vector<const char*> values() const;
  int connect_timeout_seconds() const { return connect_timeout_seconds_; }
  bool has_several_hosts() const { return has_several_hosts_; }

 private:
  struct Parameter {
    std::string keyword;
    std::string value;
  };
  std::vector<Parameter> parameters_;
  int connect_timeout_seconds_ = 10;  // 0: none
  bool has_several_hosts_ = false;
};

}  // namespace headrace
