#include "encode/row_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "encode/format/pg_binary.h"
#include "encode/format/sqlite_header.h"
#include "encode/format/sqlite_record.h"
#include "encode/rowid_codec.h"

namespace headrace {
namespace {

// A row of PostgreSQL or SQLite ends below this; larger ones are refused before they are written.
constexpr uint64_t kMaxRowBytes = (1ULL << 30) - 8192;

// Room that codecs are told of at most; a block keeps as much after its last row.
constexpr uint32_t kMaxRoom = 64;

// Cells below this are added in 16 and 32 bits, which no row of 1600 columns overflows.
constexpr uint32_t kNarrowCell = 32768;

// A span is not cut shorter than this to end with its block.
constexpr int kMinSpanRows = 16;

// Records of more columns are written serial type by serial type.
constexpr size_t kMaxShortColumns = 256;

}  // namespace

Result<std::unique_ptr<RowEncoder>> RowEncoder::make(const std::vector<ColumnPlan>& columns,
                                                     RowFormat format, const ValueOptions& options,
                                                     int64_t block_bytes) {
  std::unique_ptr<RowEncoder> encoder(new RowEncoder);
  encoder->format_ = format;
  encoder->block_bytes_ = std::clamp<int64_t>(block_bytes, 1, 1LL << 30);
  for (const ColumnPlan& plan : columns) {
    Column column;
    column.plan = plan;
    if (plan.is_rowid) {
      if (!can_be_rowid(plan.field.type)) return type_mismatch(plan.field.type, plan.target_type);
      auto codec = make_rowid_codec(plan.field.type);
      encoder->rowids_ = codec->rowids();
      column.codec = std::move(codec);
      column.plan.not_null = false;  // the record holds NULL in its place
    } else {
      const TypeFamily* family = find_type_family(plan.field.type);
      if (family == nullptr) return type_mismatch(plan.field.type, plan.target_type);
      HEADRACE_ASSIGN(column.codec,
                      family->make(plan.field.type, plan.target_type, format, options));
    }
    column.cells.resize(kMaxSpanRows);
    if (plan.source_index != kRowNumberSource) ++encoder->source_columns_;
    encoder->columns_.push_back(std::move(column));
  }
  if (format == RowFormat::kSqliteRecord) {
    encoder->record_bytes_.resize(kMaxSpanRows);
    encoder->header_bytes_.resize(kMaxSpanRows);
    encoder->head_bytes_.resize(kMaxSpanRows);
  }
  return encoder;
}

Status RowEncoder::start(const RecordBatch& batch) {
  const ArrowArray& array = *batch.array.get();
  if (array.n_children != static_cast<int64_t>(source_columns_)) {
    return Error(ErrorCode::kSource, fmt::format("a batch has {} columns, the plan {}",
                                                 array.n_children, source_columns_));
  }
  batch_ = &batch;
  views_.clear();
  size_t child = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].plan.source_index == kRowNumberSource) {
      views_.push_back(row_numbers(array, columns_[i].plan.field.type));
      continue;
    }
    const DataType& type = batch.schema->fields[child].type;
    if (!(type == columns_[i].plan.field.type)) {
      return Error(
          ErrorCode::kSource,
          fmt::format("column {} changed its type from {} to {}", columns_[i].plan.field.name,
                      type_name(columns_[i].plan.field.type), type_name(type)));
    }
    HEADRACE_ASSIGN(ColumnView view, make_column_view(*array.children[child++], type));
    views_.push_back(std::move(view));
    columns_[i].codec->bind(views_.back());
  }
  // Children of a sliced struct array keep their own offsets; the parent's adds to them.
  next_row_ = array.offset;
  end_row_ = array.offset + array.length;
  block_index_ = 0;
  return {};
}

// The numbers of the batch's rows in the source, 1-based, as a column of it.
ColumnView RowEncoder::row_numbers(const ArrowArray& array, const DataType& type) {
  row_numbers_.resize(static_cast<size_t>(array.length));
  std::iota(row_numbers_.begin(), row_numbers_.end(), batch_->first_row + 1);
  ColumnView view;
  view.type = &type;
  view.length = array.length;
  view.offset = -array.offset;  // rows are counted from the start of the array's buffers
  view.values = row_numbers_.data();
  return view;
}

std::vector<ColumnChange> RowEncoder::changes() const {
  std::vector<ColumnChange> changes;
  for (const Column& column : columns_) {
    if (column.codec->changed() == 0) continue;
    changes.push_back({column.plan.field.name, column.codec->change(), column.codec->changed()});
  }
  return changes;
}

Error RowEncoder::reject_error(Rejects& rejects, size_t column) const {
  const auto first =
      std::min_element(rejects.begin(), rejects.end(),
                       [](const Reject& a, const Reject& b) { return a.row < b.row; });
  const ColumnPlan& plan = columns_[column].plan;
  Error error(ErrorCode::kRejectedValue,
              fmt::format("column {}: {}", plan.field.name, first->reason));
  error.where.partition = batch_->partition;
  error.where.row = batch_->partition_row + row_of_batch(first->row) + 1;
  error.where.column = plan.field.name;
  return error;
}

Error RowEncoder::row_too_large(int64_t row, uint64_t bytes) const {
  Error error(ErrorCode::kRejectedValue,
              fmt::format("the row needs {} bytes; the database takes less than 1 GiB", bytes));
  error.where.partition = batch_->partition;
  error.where.row = batch_->partition_row + row_of_batch(row) + 1;
  return error;
}

// A NULL in a NOT NULL column of SQLite: nobody else would see it before the pages are written. A
// PostgreSQL server checks by itself.
void RowEncoder::reject_null(const Column& column, int count, Rejects& rejects) const {
  if (format_ != RowFormat::kSqliteRecord || count == 0) return;
  static_assert(sqlite_record::kSerialNull == 0);
  int row = 0;
  if (column.shared_cell == kCellsDiffer) {
    if (!has_zero_cell(column.cells.data(), count)) return;
    while (column.cells[static_cast<size_t>(row)] != sqlite_record::kSerialNull) ++row;
  } else if (column.shared_cell != sqlite_record::kSerialNull) {
    return;
  }
  rejects.push_back({next_row_ + row, "NULL in a column that is NOT NULL"});
}

// Fills each column's cells; the error is that of the first bad row.
std::optional<Error> RowEncoder::measure_values(int count) {
  Rejects rejects;
  std::optional<Error> first_error;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    column.shared_cell =
        column.codec->measure(views_[c], {next_row_, count}, column.cells.data(), rejects);
    if (column.shared_cell == kCellsDiffer) column.filled_cell = kCellsDiffer;
    if (column.plan.not_null) reject_null(column, count, rejects);
    if (!rejects.empty()) [[unlikely]] {
      Error error = reject_error(rejects, c);
      if (!first_error || error.where.row < first_error->where.row) first_error = std::move(error);
      rejects.clear();
    }
  }
  return first_error;
}

// pg_binary and text: adds a column's cells to the rows' bytes.
void RowEncoder::sum_cells(Column& column, int count) {
  const uint32_t* cells = column.cells.data();
  if (bits_of_cells(cells, count) < kNarrowCell) {
    column.least_bytes = add_cells(cells, count, sums_.narrow, [](__m128i v) { return v; });
    return;
  }
  column.least_bytes = *std::min_element(cells, cells + count);
  for (int i = 0; i < count; ++i) sums_.wide[i] += cells[i];
}

// sqlite_record: adds the bytes of a column's values to the rows' bytes, and those of its serial
// types to the headers when not all take one byte.
void RowEncoder::sum_serials(Column& column, int count) {
  const uint32_t* cells = column.cells.data();
  column.long_serials = bits_of_cells(cells, count) >= 128;
  if (!column.long_serials) {
    column.least_bytes = add_cells(cells, count, sums_.narrow, short_body_bytes);
    return;
  }
  column.least_bytes = kMaxRoom;
  for (int i = 0; i < count; ++i) {
    const uint32_t bytes = sqlite_record::body_bytes(cells[i]);
    sums_.wide[i] += bytes;
    header_bytes_[i] += sqlite_record::varint_bytes(cells[i]);
    column.least_bytes = std::min(column.least_bytes, bytes);
  }
}

// sqlite_record: row_bytes are those of the values; adds header, rowid and payload size.
void RowEncoder::add_record_heads(int count, uint64_t* row_bytes) {
  uint32_t shared = 0;  // bytes of the serial types of columns that are the same in all rows
  long_serials_ = false;
  for (const Column& column : columns_) {
    const bool same = column.shared_cell != kCellsDiffer;
    if (same) shared += sqlite_record::varint_bytes(column.shared_cell);
    if (!same && !column.long_serials) ++shared;
    long_serials_ |= same ? column.shared_cell >= 128 : column.long_serials;
  }
  const uint64_t first = first_row_number();
  const uint32_t same_header = sqlite_record::header_bytes(shared);
  for (int i = 0; i < count; ++i) {
    header_bytes_[i] =
        long_serials_ ? sqlite_record::header_bytes(shared + header_bytes_[i]) : same_header;
    const uint64_t record = row_bytes[i] + header_bytes_[i];
    record_bytes_[i] = static_cast<uint32_t>(record);
    head_bytes_[i] =
        static_cast<uint8_t>(sqlite_record::varint_bytes(record) +
                             sqlite_record::varint_bytes(rowid(first, i)));
    row_bytes[i] = record + head_bytes_[i];
  }
}

// Fills row_bytes[0, count) with the bytes of each whole row.
Status RowEncoder::measure(int count, uint64_t* row_bytes) {
  if (auto error = measure_values(count)) return std::move(*error);
  const bool sqlite = format_ == RowFormat::kSqliteRecord;
  uint64_t shared = format_ == RowFormat::kPgBinary ? pg_binary::kTupleHeaderBytes : 0;
  std::memset(&sums_, 0, sizeof sums_);
  if (sqlite) std::fill_n(header_bytes_.data(), count, 0);
  for (Column& column : columns_) {
    if (column.shared_cell != kCellsDiffer) {
      const uint32_t cell = column.shared_cell;
      column.least_bytes = sqlite ? sqlite_record::body_bytes(cell) : cell;
      shared += column.least_bytes;
    } else if (sqlite) {
      sum_serials(column, count);
    } else {
      sum_cells(column, count);
    }
  }
  for (int i = 0; i < count; ++i) row_bytes[i] = sums_.total(i) + shared;
  if (sqlite) add_record_heads(count, row_bytes);
  for (int i = 0; i < count; ++i) {
    if (row_bytes[i] > kMaxRowBytes) [[unlikely]]
      return row_too_large(next_row_ + i, row_bytes[i]);
  }
  return {};
}

int RowEncoder::rows_that_fit(const uint64_t* row_bytes, int count, size_t room) const {
  uint64_t total = 0;
  for (int i = 0; i < count; ++i) {
    total += row_bytes[i];
    if (total > room) return i;
  }
  return count;
}

// Columns are written one after the other, so what follows a value in its row is written later: at
// least the least bytes of the columns after it, and `room` after the row.
void RowEncoder::write_values(int count, uint8_t** cursors, uint32_t room) {
  uint64_t left = room;
  for (const Column& column : columns_) left += column.least_bytes;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    left -= column.least_bytes;
    column.codec->set_room(static_cast<uint32_t>(std::min<uint64_t>(left, kMaxRoom)));
    column.codec->write(views_[c], {next_row_, count}, column.cells.data(), cursors);
  }
}

// Serial types of each row; headers[i] is where the first goes.
void RowEncoder::write_serials(int count, uint8_t** headers) {
  const uint32_t* columns[kMaxShortColumns];
  const bool is_short = !long_serials_ && columns_.size() <= kMaxShortColumns;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    if (column.shared_cell != kCellsDiffer && column.filled_cell != column.shared_cell) {
      std::fill(column.cells.begin(), column.cells.end(), column.shared_cell);
      column.filled_cell = column.shared_cell;
    }
    if (is_short) columns[c] = column.cells.data();
  }
  if (is_short) {
    const auto column_count = static_cast<int>(columns_.size());
    sqlite_record::put_short_serials(columns, column_count, count, headers);
    return;
  }
  for (int i = 0; i < count; ++i) {
    uint8_t* at = headers[i];
    for (const Column& column : columns_) at = sqlite_record::put_varint(at, column.cells[i]);
  }
}

// Values first, then what stands before them: payload size, rowid, header size and serial types. So
// the values of a row may run over into the head of the next.
void RowEncoder::write_records(int count, uint8_t** starts) {
  const uint64_t first = first_row_number();
  uint8_t* cursors[kMaxSpanRows];
  for (int i = 0; i < count; ++i) cursors[i] = starts[i] + head_bytes_[i] + header_bytes_[i];
  const auto least_head = static_cast<uint32_t>(3 + columns_.size());
  write_values(count, cursors, least_head);
  // Four bytes stored for a rowid end before the values: two columns make a header of three bytes.
  const bool over = columns_.size() >= 2 && rowids_ == nullptr &&
                    first + static_cast<uint64_t>(count) < 1ULL << 28;
  for (int i = 0; i < count; ++i) {
    const uint64_t number = rowid(first, i);
    const uint32_t bytes = record_bytes_[i];
    uint8_t* at = bytes < 16384 ? sqlite_record::put_short_varint(starts[i], bytes)
                                : sqlite_record::put_varint(starts[i], bytes);
    at = over ? sqlite_record::put_varint_over(at, static_cast<uint32_t>(number))
              : sqlite_record::put_varint(at, number);
    starts[i] = sqlite_record::put_varint(at, header_bytes_[i]);
  }
  write_serials(count, starts);
}

void RowEncoder::write(int count, const uint64_t* row_bytes, RowBlock* block) {
  uint64_t total = 0;
  for (int i = 0; i < count; ++i) total += row_bytes[i];
  auto begin = static_cast<uint32_t>(block->bytes.size());
  block->bytes.reserve_more(total + kMaxRoom);
  uint8_t* at = block->bytes.extend(total);
  const size_t rows = block->row_starts.size();
  block->row_starts.resize(rows + static_cast<size_t>(count));
  uint8_t* cursors[kMaxSpanRows];
  for (int i = 0; i < count; ++i) {
    block->row_starts[rows + static_cast<size_t>(i)] = begin;
    cursors[i] = at;
    begin += static_cast<uint32_t>(row_bytes[i]);
    at += row_bytes[i];
  }
  if (format_ == RowFormat::kSqliteRecord) {
    write_records(count, cursors);
    return;
  }
  if (format_ == RowFormat::kPgBinary) {
    const auto fields = static_cast<uint16_t>(columns_.size());
    for (int i = 0; i < count; ++i) {
      store_be16(cursors[i], fields);
      cursors[i] += pg_binary::kTupleHeaderBytes;
    }
  }
  write_values(count, cursors, 0);
  if (format_ == RowFormat::kText) {
    for (int i = 0; i < count; ++i) cursors[i][-1] = '\n';
  }
}

// Rows of the next span: no more than will probably fit, for those left over are measured again.
int RowEncoder::rows_to_measure(const RowBlock& block, size_t room) const {
  auto rows = std::min<int64_t>(span_rows_, end_row_ - next_row_);
  if (block.row_count > 0) {
    const size_t row_bytes = block.bytes.size() / static_cast<size_t>(block.row_count) + 1;
    const auto fitting = static_cast<int64_t>(room / row_bytes);
    rows = std::min(rows, std::max<int64_t>(fitting, kMinSpanRows));
  }
  return static_cast<int>(rows);
}

Status RowEncoder::fill(RowBlock* block) {
  block->clear();
  block->partition = batch_->partition;
  block->batch = batch_->sequence;
  block->index_in_batch = block_index_++;
  block->first_row = batch_->first_row + row_of_batch(next_row_);
  block->partition_row = batch_->partition_row + row_of_batch(next_row_);
  uint64_t row_bytes[kMaxSpanRows];
  const auto limit = static_cast<size_t>(block_bytes_);
  while (!done() && block->bytes.size() < limit) {
    const int count = rows_to_measure(*block, limit - block->bytes.size());
    HEADRACE_TRY(measure(count, row_bytes));
    int fit = rows_that_fit(row_bytes, count, limit - block->bytes.size());
    if (fit == 0) {
      if (block->row_count > 0) break;
      fit = 1;  // one row larger than a block goes alone
    }
    write(fit, row_bytes, block);
    block->row_count += fit;
    next_row_ += fit;
    // Huge rows: do not measure many to write few.
    span_rows_ = fit < count ? std::max(1, fit) : std::min(kMaxSpanRows, span_rows_ * 2);
    if (fit < count) break;
  }
  block->last_in_batch = done();
  return {};
}

}  // namespace headrace
