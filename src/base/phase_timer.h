// Wall time of phases summed over threads, and the process's CPU time and peak memory.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace headrace {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Adds the nanoseconds of a scope to a counter shared by threads.
class PhaseTimer {
 public:
  explicit PhaseTimer(std::atomic<int64_t>& nanos) : nanos_(nanos) {}
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;
  ~PhaseTimer() {
    const auto spent = std::chrono::steady_clock::now() - start_;
    nanos_.fetch_add(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count(),
                     std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t>& nanos_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// User and system seconds of this process.
inline double process_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return t.tv_sec + t.tv_usec * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Largest resident set of this process so far, in bytes.
inline int64_t process_peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace headrace
