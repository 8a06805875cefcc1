// Units of times, timestamps and durations, and PostgreSQL's microseconds.
#pragma once

#include <cstdint>
#include <string>

#include "headrace/schema.h"

#include <fmt/format.h>

namespace headrace {

template <TimeUnit kUnit>
struct Unit {
  static constexpr int64_t kPerSecond = kUnit == TimeUnit::kSecond  ? 1
                                        : kUnit == TimeUnit::kMilli ? 1000
                                        : kUnit == TimeUnit::kMicro ? 1000000
                                                                    : 1000000000;
  static constexpr const char* kName = kUnit == TimeUnit::kSecond  ? "s"
                                       : kUnit == TimeUnit::kMilli ? "ms"
                                       : kUnit == TimeUnit::kMicro ? "us"
                                                                   : "ns";
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

// What a target keeps below a second: time(p), timestamp(p) and interval(p) round to p digits, and
// without p there are six. The server rounds without a word, so such values are rejected here.
class FractionLimit {
 public:
  // p < 0: none.
  FractionLimit(const char* type, int32_t precision) : type_(type), precision_(precision) {
    for (int32_t p = precision; p >= 0 && p < 6; ++p) step_ *= 10;
  }
  bool keeps(int64_t micros) const { return step_ == 1 || micros % step_ == 0; }
  // As in "has digits past time(3)".
  std::string name() const {
    return step_ == 1 ? "microseconds" : fmt::format("{}({})", type_, precision_);
  }

 private:
  const char* type_;
  int32_t precision_;
  int64_t step_ = 1;
};

}  // namespace headrace
