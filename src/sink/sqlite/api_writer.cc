#include "sink/sqlite/api_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "encode/format/sqlite_record.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

// More rows a statement gain little, and cost parameters.
constexpr int kMaxRowsAStatement = 20;

int64_t read_integer(const uint8_t* body, uint32_t bytes) {
  // The first byte carries the sign.
  auto value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(body[0])));
  for (uint32_t i = 1; i < bytes; ++i) value = (value << 8) | body[i];
  return static_cast<int64_t>(value);
}

int bind_value(sqlite3_stmt* insert, int parameter, uint64_t serial, const uint8_t* body,
               uint64_t bytes) {
  if (serial >= 12 && (serial & 1) == 1) {
    return sqlite3_bind_text64(insert, parameter, reinterpret_cast<const char*>(body), bytes,
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  if (serial >= 12) return sqlite3_bind_blob64(insert, parameter, body, bytes, SQLITE_STATIC);
  switch (serial) {
    case 0:
      return sqlite3_bind_null(insert, parameter);
    case 7:
      return sqlite3_bind_double(insert, parameter, std::bit_cast<double>(load_be64(body)));
    case 8:
    case 9:
      return sqlite3_bind_int64(insert, parameter, static_cast<int64_t>(serial - 8));
    case 10:
    case 11:
      return SQLITE_CORRUPT;  // SQLite keeps these for itself
    default:
      return sqlite3_bind_int64(insert, parameter,
                                read_integer(body, static_cast<uint32_t>(bytes)));
  }
}

uint64_t value_bytes(uint64_t serial) {
  return serial < 12 ? sqlite_record::kSerialBytes[serial] : (serial - 12) / 2;
}

bool blames_a_row(int result_code) {
  return result_code == SQLITE_CONSTRAINT || result_code == SQLITE_MISMATCH ||
         result_code == SQLITE_TOOBIG;
}

}  // namespace

Result<std::unique_ptr<SinkWriter>> ApiWriter::open(Connection* db, const Plan& plan,
                                                    int64_t* bytes) {
  std::unique_ptr<ApiWriter> writer(new ApiWriter(db, plan, bytes));
  const int parameters = sqlite3_limit(db->get(), SQLITE_LIMIT_VARIABLE_NUMBER, -1);
  writer->rows_a_statement_ =
      std::clamp(parameters / std::max(writer->columns_, 1), 1, kMaxRowsAStatement);
  HEADRACE_ASSIGN(writer->insert_one_, db->prepare(sqlite_insert(plan, 1)));
  HEADRACE_ASSIGN(writer->insert_many_,
                  db->prepare(sqlite_insert(plan, writer->rows_a_statement_)));
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

Status ApiWriter::write(const RowBlock& block) {
  const auto rows = static_cast<uint32_t>(block.row_starts.size());
  const auto step = static_cast<uint32_t>(rows_a_statement_);
  uint32_t row = 0;
  for (; row + step <= rows; row += step) {
    HEADRACE_TRY(insert(insert_many_, block, row, rows_a_statement_));
  }
  for (; row < rows; ++row) HEADRACE_TRY(insert(insert_one_, block, row, 1));
  *bytes_ += static_cast<int64_t>(block.bytes.size());
  return {};
}

Status ApiWriter::finish() {
  insert_one_ = {};
  insert_many_ = {};
  return {};
}

void ApiWriter::abort(const std::string&) noexcept {
  insert_one_ = {};
  insert_many_ = {};
}

Status ApiWriter::insert(Statement& insert, const RowBlock& block, uint32_t first, int count) {
  for (int i = 0; i < count; ++i) {
    HEADRACE_TRY(bind_row(insert, block, first + static_cast<uint32_t>(i), i * columns_ + 1));
  }
  const int rc = sqlite3_step(insert.get());
  if (rc != SQLITE_DONE) {
    Error error = db_->error(rc);
    sqlite3_reset(insert.get());
    if (!blames_a_row(rc & 0xFF)) return error;
    if (count == 1) return located(std::move(error), block, first);
    return find_refused_row(block, first, count, std::move(error));
  }
  sqlite3_reset(insert.get());
  if (sqlite3_changes(db_->get()) != count) {
    // A trigger may do that: SELECT RAISE(IGNORE).
    Error error(ErrorCode::kRejectedValue,
                fmt::format("table {} took {} of {} rows without an error", table_,
                            sqlite3_changes(db_->get()), count),
                "a trigger on the table drops rows");
    return located(std::move(error), block, first);
  }
  return {};
}

Status ApiWriter::bind_row(Statement& insert, const RowBlock& block, uint32_t row,
                           int first_parameter) {
  const uint8_t* cell = block.bytes.data() + block.row_starts[row];
  const uint8_t* record = cell + sqlite_page::read_cell_head(cell).head_bytes;
  uint64_t header_bytes;
  const uint8_t* type = sqlite_record::get_varint(record, &header_bytes);
  const uint8_t* types_end = record + header_bytes;
  const uint8_t* body = types_end;
  for (int column = 0; column < columns_; ++column) {
    if (type >= types_end) return Error(ErrorCode::kInternal, "a record has too few columns");
    uint64_t serial;
    type = sqlite_record::get_varint(type, &serial);
    const uint64_t bytes = value_bytes(serial);
    const int rc = bind_value(insert.get(), first_parameter + column, serial, body, bytes);
    if (rc != SQLITE_OK) return located(db_->error(rc), block, row);
    body += bytes;
  }
  if (type != types_end) return Error(ErrorCode::kInternal, "a record has too many columns");
  return {};
}

// Inserts the rows of a refused statement one by one, to learn which one it was. The rows before it
// do no harm: the transaction is rolled back anyway.
Status ApiWriter::find_refused_row(const RowBlock& block, uint32_t first, int count, Error error) {
  const auto end = first + static_cast<uint32_t>(count);
  // A trigger's RAISE(ROLLBACK) has ended the transaction: an insert would now be on its own.
  const bool in_transaction = sqlite3_get_autocommit(db_->get()) == 0;
  for (uint32_t row = first; in_transaction && row < end; ++row) {
    HEADRACE_TRY(insert(insert_one_, block, row, 1));
  }
  error.context.push_back(fmt::format("the refused row is one of {}", count));
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
