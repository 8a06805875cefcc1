// INT96 timestamps: a day and the nanoseconds in it, which neither int64 nanoseconds (until 2262)
// nor microseconds hold in full. They are delivered in microseconds, and what does not fit is found
// here.
#include <fmt/format.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <cstring>

#include "source/arrow_cpp.h"
#include "source/parquet.h"

namespace headrace {
namespace {

constexpr int64_t kValuesAtOnce = 4096;
constexpr int64_t kJulianDayOfEpoch = 2440588;
constexpr int64_t kDaysOfMicros = INT64_MAX / 86'400'000'000;
constexpr int64_t kNanosOfDay = 86'400'000'000'000;

const char* problem(const parquet::Int96& value) {
  int64_t nanos = 0;
  std::memcpy(&nanos, &value.value[0], sizeof nanos);
  const int64_t day = static_cast<int32_t>(value.value[2]) - kJulianDayOfEpoch;
  if (day >= kDaysOfMicros || day <= -kDaysOfMicros) return "a date out of range";
  if (nanos < 0 || nanos >= kNanosOfDay) return "a time outside of the day";
  if (nanos % 1000 != 0) return "nanoseconds, which would be lost in microseconds";
  return nullptr;
}

}  // namespace

Status check_int96(parquet::ParquetFileReader* reader, const ParquetFile& file,
                   const std::vector<int>& row_groups, int leaf, const std::string& column) {
  const bool optional = reader->metadata()->schema()->Column(leaf)->max_definition_level() > 0;
  const bool repeated = reader->metadata()->schema()->Column(leaf)->max_repetition_level() > 0;
  const int16_t max_level = reader->metadata()->schema()->Column(leaf)->max_definition_level();
  std::vector<parquet::Int96> values(kValuesAtOnce);
  std::vector<int16_t> levels(kValuesAtOnce), repetitions(kValuesAtOnce);
  for (int index : row_groups) {
    const auto group = reader->RowGroup(index);
    const auto chunk = std::static_pointer_cast<parquet::Int96Reader>(group->Column(leaf));
    int64_t row = file.first_rows[static_cast<size_t>(index)];
    while (chunk->HasNext()) {
      int64_t count = 0;
      const int64_t got =
          chunk->ReadBatch(kValuesAtOnce, optional ? levels.data() : nullptr,
                           repeated ? repetitions.data() : nullptr, values.data(), &count);
      int64_t value = 0;
      for (int64_t i = 0; i < got; ++i) {
        if (!repeated || repetitions[static_cast<size_t>(i)] == 0) ++row;
        if (optional && levels[static_cast<size_t>(i)] != max_level) continue;
        const char* what = problem(values[static_cast<size_t>(value++)]);
        if (what == nullptr) continue;
        Error error(
            ErrorCode::kRejectedValue,
            fmt::format("column {} of {}, row {}: the INT96 timestamp has {}", column, file.path,
                        row, what),
            "write the column as TIMESTAMP (isAdjustedToUTC, NANOS or MICROS) instead of INT96");
        error.where.file = file.path;
        error.where.row = row;
        error.where.column = column;
        return error;
      }
    }
  }
  return {};
}

}  // namespace headrace
