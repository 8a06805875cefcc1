// What CSV cells look like when their type is inferred. Each form is strict: a cell is of a kind
// only if the value, written again, says the same. "007", "+49 30" and "1.10000000000000000001"
// stay text.
#pragma once

#include <cstdint>
#include <string_view>

#include "headrace/schema.h"

namespace headrace {

// Most specific first; every cell is text.
enum class CsvKind : uint8_t { kBool, kInt64, kFloat64, kDate, kTimestamp, kTimestampUtc, kText };
inline constexpr int kCsvKindCount = 7;

// true, false in any case
bool parse_csv_bool(std::string_view text, bool* out);
// No leading zero, no plus, no -0; fits in 64 bits.
bool parse_csv_int64(std::string_view text, int64_t* out);
// Decimal or exponent notation whose digits a double keeps. No NaN, no infinity.
bool parse_csv_float64(std::string_view text, double* out);
// 2025-01-31, as days since 1970
bool parse_csv_date(std::string_view text, int32_t* out);
// 2025-01-31 12:34[:56[.123456]], T instead of the blank; as microseconds since 1970
bool parse_csv_timestamp(std::string_view text, int64_t* out);
// The same followed by Z or an offset such as +02:00, +0200, +02; in UTC
bool parse_csv_timestamp_utc(std::string_view text, int64_t* out);

// Kinds as bits. Those of `possible` that `text` is of; text always is.
uint32_t csv_kinds_of(std::string_view text, uint32_t possible);
inline constexpr uint32_t kAllCsvKinds = (1u << kCsvKindCount) - 1;
CsvKind most_specific(uint32_t kinds);

DataType csv_kind_type(CsvKind kind);

}  // namespace headrace
