#include "sink/sqlite/api_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sink/sqlite/ddl.h"

namespace headrace {
namespace {

bool blames_a_row(int result_code) {
  return result_code == SQLITE_CONSTRAINT || result_code == SQLITE_MISMATCH ||
         result_code == SQLITE_TOOBIG;
}

Result<bool> has_triggers(Connection* db, const std::string& table) {
  HEADRACE_ASSIGN(Statement find, db->prepare("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE "
                                              "type = 'trigger' AND tbl_name = ? COLLATE NOCASE)"));
  find.bind_text(1, table);
  HEADRACE_ASSIGN(const bool row, find.step());
  return row && find.integer(0) != 0;
}

}  // namespace

Result<std::unique_ptr<SinkWriter>> ApiWriter::open(Connection* db, const Plan& plan,
                                                    const std::string& stage, ApiTotals* totals) {
  std::unique_ptr<ApiWriter> writer(new ApiWriter(db, plan, totals));
  const int columns = static_cast<int>(plan.columns.size());
  HEADRACE_ASSIGN(writer->source_, RowSource::attach(db, columns));
  if (stage.empty()) {
    HEADRACE_ASSIGN(writer->has_triggers_, has_triggers(db, plan.table));
  }
  HEADRACE_ASSIGN(writer->insert_,
                  db->prepare(sqlite_insert(plan, stage, writer->source_->column_list())));
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

Status ApiWriter::write(const RowBlock& block) {
  const auto rows = static_cast<uint32_t>(block.row_starts.size());
  // Where there are triggers SQLite copies all rows of a statement before it inserts the first, and
  // cannot tell which one was refused or dropped: so each has a statement of its own.
  const uint32_t step = has_triggers_ ? 1 : std::max(rows, 1U);
  for (uint32_t first = 0; first < rows; first += step) {
    HEADRACE_TRY(insert(block, first, std::min(first + step, rows)));
  }
  totals_->bytes += static_cast<int64_t>(block.bytes.size());
  totals_->rows += rows;
  return {};
}

Status ApiWriter::finish() {
  insert_ = {};
  return {};
}

void ApiWriter::abort(const std::string&) noexcept { insert_ = {}; }

Status ApiWriter::insert(const RowBlock& block, uint32_t first, uint32_t end) {
  source_->set(&block, first, end);
  const int rc = sqlite3_step(insert_.get());
  if (rc != SQLITE_DONE) {
    Error error = db_->error(rc);
    const uint32_t row = has_triggers_ ? first : source_->row();
    sqlite3_reset(insert_.get());
    if (!blames_a_row(rc & 0xFF)) return error;
    return located(std::move(error), block, row);
  }
  sqlite3_reset(insert_.get());
  const int changed = sqlite3_changes(db_->get());
  if (static_cast<uint32_t>(changed) != end - first) {
    // A trigger may do that: SELECT RAISE(IGNORE).
    Error error(ErrorCode::kRejectedValue,
                fmt::format("table {} took {} of {} rows without an error", table_, changed,
                            end - first),
                "a trigger on the table drops rows");
    return located(std::move(error), block, first);
  }
  return {};
}

Error ApiWriter::located(Error error, const RowBlock& block, uint32_t row) const {
  error.where.partition = block.partition;
  error.where.row = block.partition_row + row + 1;
  // "NOT NULL constraint failed: t.a" names the column.
  const std::string place = "NOT NULL constraint failed: " + table_ + ".";
  const size_t at = error.message.find(place);
  const size_t end = error.message.rfind(" (");
  if (at != std::string::npos && end != std::string::npos && end > at + place.size()) {
    error.where.column = error.message.substr(at + place.size(), end - at - place.size());
  }
  return error;
}

}  // namespace headrace
