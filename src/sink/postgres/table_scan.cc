#include "sink/postgres/table_scan.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "sink/plan_sums.h"
#include "sink/postgres/ddl.h"

namespace headrace {
namespace {

constexpr char kSignature[] = "PGCOPY\n\377\r\n";  // with its NUL: 11 bytes
constexpr size_t kHeaderBytes = 19;                // signature, flags, length of an extension
constexpr size_t kTrailerBytes = 2;                // -1 in place of a number of fields
// Rows between two looks at the flag that cancels.
constexpr int64_t kCancelRows = 1 << 14;

struct FreeCopyData {
  void operator()(char* data) const { PQfreemem(data); }
};

std::string copy_sql(const Plan& plan) {
  return fmt::format("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)",
                     name_list(plan_column_names(plan)), qualified(plan.schema, plan.table));
}

// What one message of the server holds: the first begins with the header, the last is the trailer.
bool add_message(const uint8_t* at, size_t count, TableSums* sums) {
  if (count >= kHeaderBytes && std::memcmp(at, kSignature, sizeof kSignature) == 0) {
    at += kHeaderBytes;
    count -= kHeaderBytes;
  }
  const bool trailer = count == kTrailerBytes && at[0] == 0xFF && at[1] == 0xFF;
  return trailer || sums->add_pg_tuples(at, count);
}

}  // namespace

Status scan_postgres(Connection& connection, const Plan& plan, const std::atomic<bool>* cancel,
                     TableSums* sums) {
  HEADRACE_TRY(connection.run(copy_sql(plan), "reading the table back"));
  for (;;) {
    char* data = nullptr;
    const int bytes = PQgetCopyData(connection.raw(), &data, 0);
    const std::unique_ptr<char, FreeCopyData> owner(data);
    if (bytes == -2) return connection.lost("reading the table back");
    if (bytes < 0) break;
    if (!add_message(reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(bytes), sums)) {
      return Error(ErrorCode::kInternal, "the server's COPY has other columns than the plan");
    }
    if (sums->rows() % kCancelRows == 0 && cancel != nullptr && cancel->load()) {
      return Error(ErrorCode::kCancelled, "the reading was cancelled");
    }
  }
  HEADRACE_ASSIGN([[maybe_unused]] const PgResult end,
                  connection.wait_results("reading the table back"));
  return {};
}

}  // namespace headrace
