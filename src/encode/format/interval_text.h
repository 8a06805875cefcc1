// Intervals as ISO 8601 durations, in the form PostgreSQL writes with intervalstyle iso_8601 and
// reads in every style: P1Y2M3DT4H5M6.7S. Each part that is not zero has its own sign; zero is
// PT0S.
#pragma once

#include <charconv>
#include <cstdint>

namespace headrace {

// Months and days are not converted into each other, nor days into hours: their lengths vary.
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t seconds = 0;  // with the sign of nanos
  int32_t nanos = 0;    // below a second
};

inline constexpr int kIntervalTextBytes = 96;

inline char* put_interval_part(char* out, int64_t v, char letter) {
  if (v == 0) return out;
  out = std::to_chars(out, out + 20, v).ptr;
  *out++ = letter;
  return out;
}

// Seconds with the fraction's digits up to the last that is not 0.
inline char* put_interval_seconds(char* out, int64_t seconds, int32_t nanos) {
  if (seconds < 0 || nanos < 0) *out++ = '-';
  out = std::to_chars(out, out + 20, seconds < 0 ? -seconds : seconds).ptr;
  if (nanos != 0) {
    uint32_t rest = static_cast<uint32_t>(nanos < 0 ? -nanos : nanos);
    *out++ = '.';
    for (uint32_t unit = 100000000; rest != 0; unit /= 10) {
      *out++ = static_cast<char>('0' + rest / unit);
      rest %= unit;
    }
  }
  *out++ = 'S';
  return out;
}

// At most kIntervalTextBytes.
inline char* put_interval(char* out, const Interval& v) {
  *out++ = 'P';
  out = put_interval_part(out, v.months / 12, 'Y');
  out = put_interval_part(out, v.months % 12, 'M');
  out = put_interval_part(out, v.days, 'D');
  const bool no_date = v.months == 0 && v.days == 0;
  if (v.seconds == 0 && v.nanos == 0 && !no_date) return out;
  *out++ = 'T';
  out = put_interval_part(out, v.seconds / 3600, 'H');
  out = put_interval_part(out, v.seconds % 3600 / 60, 'M');
  const int64_t seconds = v.seconds % 60;
  const bool zero = no_date && v.seconds == 0;
  if (seconds != 0 || v.nanos != 0 || zero) out = put_interval_seconds(out, seconds, v.nanos);
  return out;
}

}  // namespace headrace
