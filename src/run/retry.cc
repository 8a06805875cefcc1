#include "run/retry.h"

#include <algorithm>
#include <random>
#include <string_view>

namespace headrace {
namespace {

constexpr int kFirstPauseMs = 500;
constexpr int kLongestPauseMs = 30000;

bool starts_with_any(std::string_view sqlstate, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view p) { return sqlstate.substr(0, p.size()) == p; });
}

}  // namespace

bool is_retryable(const Error& error) {
  if (error.outcome_unknown) return false;
  // libpq's own errors have no SQLSTATE: the network failed.
  if (error.sqlstate.empty()) return error.code == ErrorCode::kConnection;
  return starts_with_any(error.sqlstate, {"08", "40", "53", "55P03", "57P0"});
}

bool is_retryable_at_start(const Error& error) {
  return starts_with_any(error.sqlstate, {"53300", "57P03"});
}

bool is_slot_shortage(const Error& error) { return error.sqlstate == "53300"; }

int retry_pause_ms(int attempt) {
  const int doublings = std::clamp(attempt - 2, 0, 10);
  const int longest = std::min(kLongestPauseMs, kFirstPauseMs << doublings);
  static thread_local std::minstd_rand random{std::random_device{}()};
  return longest / 2 + std::uniform_int_distribution<int>(0, longest / 2)(random);
}

}  // namespace headrace
