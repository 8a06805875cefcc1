// What SQLite columns hold of dates and timestamps by option (--date).
#pragma once

#include "headrace/facts.h"
#include "headrace/request.h"

namespace headrace {

// The Julian day of 1970-01-01 00:00.
inline constexpr double kJulianOf1970 = 2440587.5;

// Whether a column takes them as numbers. REQUIRES: stored is not kText.
inline bool takes_sqlite_date(const TargetType& target, ValueOptions::Date stored) {
  if (stored == ValueOptions::Date::kReal) return target.base == "REAL";
  return target.base == "INTEGER" || target.base == "NUMERIC";
}

}  // namespace headrace
