// Units of times, timestamps and durations, and PostgreSQL's microseconds.
#pragma once

#include <cstdint>

#include "headrace/schema.h"

namespace headrace {

template <TimeUnit kUnit>
struct Unit {
  static constexpr int64_t kPerSecond = kUnit == TimeUnit::kSecond  ? 1
                                        : kUnit == TimeUnit::kMilli ? 1000
                                        : kUnit == TimeUnit::kMicro ? 1000000
                                                                    : 1000000000;
  static constexpr int kDigits = 3 * static_cast<int>(kUnit);  // of a fraction of a second
  // Microseconds in one, and how many make one.
  static constexpr int64_t kMicros = kUnit == TimeUnit::kNano ? 0 : 1000000 / kPerSecond;
  static constexpr int64_t kPerMicro = kUnit == TimeUnit::kNano ? 1000 : 1;

  // REQUIRES: the result fits 64 bits.
  static constexpr int64_t to_micros(int64_t v) {
    return kUnit == TimeUnit::kNano ? v / kPerMicro : v * kMicros;
  }
  static constexpr bool is_whole_micros(int64_t v) {
    return kUnit != TimeUnit::kNano || v % kPerMicro == 0;
  }
};

// Microseconds that a type modifier p of time(p), timestamp(p), interval(p) rounds to; 1: it keeps all.
inline int64_t microseconds_step(int32_t precision) {
  int64_t step = 1;
  for (int32_t p = precision; p >= 0 && p < 6; ++p) step *= 10;
  return step;
}

}  // namespace headrace
