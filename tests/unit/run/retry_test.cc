#include "run/retry.h"

#include <gtest/gtest.h>

#include <set>

namespace headrace {
namespace {

Error with_state(const char* sqlstate, ErrorCode code = ErrorCode::kServer) {
  Error error(code, "x");
  error.sqlstate = sqlstate;
  return error;
}

TEST(Retry, BySqlstateClass) {
  for (const char* state : {"08006", "40001", "40P01", "53300", "53100", "55P03", "57P01", "57P02", "57P03"}) {
    EXPECT_TRUE(is_retryable(with_state(state))) << state;
  }
  for (const char* state : {"22001", "23505", "42501", "42P01", "55000", "57014", "XX000", "0A000"}) {
    EXPECT_FALSE(is_retryable(with_state(state))) << state;
  }
}

TEST(Retry, ALostConnectionHasNoState) {
  EXPECT_TRUE(is_retryable(with_state("", ErrorCode::kConnection)));
  EXPECT_FALSE(is_retryable(with_state("", ErrorCode::kRejectedValue)));
  EXPECT_FALSE(is_retryable(with_state("", ErrorCode::kSource)));
}

TEST(Retry, NeverWhenTheLoadMayBeCommitted) {
  Error error = with_state("08006", ErrorCode::kConnection);
  error.outcome_unknown = true;
  EXPECT_FALSE(is_retryable(error));
}

TEST(Retry, AtTheStartOnlyAServerThatIsThere) {
  EXPECT_TRUE(is_retryable_at_start(with_state("57P03")));
  EXPECT_TRUE(is_retryable_at_start(with_state("53300")));
  EXPECT_FALSE(is_retryable_at_start(with_state("28P01")));
  EXPECT_FALSE(is_retryable_at_start(with_state("", ErrorCode::kConnection)));
}

TEST(Retry, PausesGrowAndDiffer) {
  int longest = 500;
  for (int attempt = 2; attempt < 12; ++attempt) {
    std::set<int> seen;
    for (int i = 0; i < 50; ++i) {
      const int ms = retry_pause_ms(attempt);
      EXPECT_GE(ms, longest / 2);
      EXPECT_LE(ms, longest);
      seen.insert(ms);
    }
    EXPECT_GT(seen.size(), 5u);
    longest = std::min(30000, longest * 2);
  }
}

}  // namespace
}  // namespace headrace
