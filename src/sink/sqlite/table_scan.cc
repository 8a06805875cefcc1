#include "sink/sqlite/table_scan.h"

#include <fmt/format.h>

#include "sink/plan_sums.h"
#include "sink/sqlite/ddl.h"

namespace headrace {
namespace {

// Rows between two looks at the flag that cancels.
constexpr int64_t kCancelRows = 1 << 16;

void add_value(sqlite3_stmt* row, int column, TableSums* sums) {
  const auto c = static_cast<size_t>(column);
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sums->add_integer(c, sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
      return sums->add_real(c, sqlite3_column_double(row, column));
    case SQLITE_TEXT: {
      const void* text = sqlite3_column_text(row, column);
      const auto bytes = static_cast<size_t>(sqlite3_column_bytes(row, column));
      return sums->add_bytes(c, text, bytes, true);
    }
    case SQLITE_BLOB: {
      const void* blob = sqlite3_column_blob(row, column);
      const auto bytes = static_cast<size_t>(sqlite3_column_bytes(row, column));
      return sums->add_bytes(c, blob, bytes, false);
    }
    default:
      return sums->add_null(c);
  }
}

}  // namespace

std::string sqlite_select(const Plan& plan, const std::string& table) {
  return fmt::format("SELECT {} FROM {}", sqlite_name_list(plan_column_names(plan)), table);
}

Status scan_sqlite(Connection& db, const std::string& select, const std::atomic<bool>* cancel,
                   TableSums* sums) {
  HEADRACE_ASSIGN(Statement rows, db.prepare(select));
  const int columns = sqlite3_column_count(rows.get());
  for (;;) {
    HEADRACE_ASSIGN(const bool row, rows.step());
    if (!row) return {};
    for (int c = 0; c < columns; ++c) add_value(rows.get(), c, sums);
    sums->end_row();
    if (sums->rows() % kCancelRows == 0 && cancel != nullptr && cancel->load()) {
      return Error(ErrorCode::kCancelled, "the reading was cancelled");
    }
  }
}

Status check_sqlite_pages(Connection& db, const char* check) {
  HEADRACE_ASSIGN(const std::string verdict, db.value(fmt::format("PRAGMA {}(1)", check)));
  if (verdict == "ok") return {};
  return Error(ErrorCode::kVerification,
               fmt::format("PRAGMA {} of {}: {}", check, db.path(), verdict),
               "nothing was published; was the file damaged before? Look with sqlite3");
}

Status compare_sums(const Plan& plan, const TableSums& found, const TableSums& wanted) {
  if (found.same_as(wanted)) return {};
  return Error(ErrorCode::kVerification,
               fmt::format("what was written differs from the source: {}",
                           difference(found, wanted, plan_column_names(plan))),
               "nothing was published");
}

}  // namespace headrace
