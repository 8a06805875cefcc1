#include "sink/sqlite/api_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sink/sqlite/ddl.h"

namespace headrace {
namespace {

// Rows a statement of a table with triggers: SQLite copies them all before it inserts the first.
constexpr uint32_t kRowsWithTriggers = 256;

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
  // FAIL needs no copy of the pages that a statement changes: a failed load is rolled back as a
  // whole. Where SQLite has to be asked again which row it was, the statement must be undone.
  const char* policy = writer->has_triggers_ ? "ABORT" : "FAIL";
  HEADRACE_ASSIGN(writer->insert_, db->prepare(sqlite_insert(plan, policy, stage,
                                                             writer->source_->column_list())));
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

Status ApiWriter::write(const RowBlock& block) {
  const auto rows = static_cast<uint32_t>(block.row_starts.size());
  const uint32_t step = has_triggers_ ? kRowsWithTriggers : std::max(rows, 1U);
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
    const uint32_t row = source_->row();
    sqlite3_reset(insert_.get());
    if (!blames_a_row(rc & 0xFF)) return error;
    if (!has_triggers_) return located(std::move(error), block, row);
    return refused(block, first, end, std::move(error));
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

// Inserts the rows of a refused statement one by one, to learn which one it was. The rows before it
// do no harm: the transaction is rolled back anyway.
Status ApiWriter::refused(const RowBlock& block, uint32_t first, uint32_t end, Error error) {
  // A trigger's RAISE(ROLLBACK) has ended the transaction: an insert would now be on its own.
  const bool in_transaction = sqlite3_get_autocommit(db_->get()) == 0;
  if (end - first == 1) return located(std::move(error), block, first);
  for (uint32_t row = first; in_transaction && row < end; ++row) {
    HEADRACE_TRY(insert(block, row, row + 1));
  }
  error.context.push_back(fmt::format("the refused row is one of {}", end - first));
  return located(std::move(error), block, first);
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
