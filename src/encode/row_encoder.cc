#include "encode/row_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "encode/format/pg_binary.h"
#include "encode/format/sqlite_record.h"

namespace headrace {
namespace {

// A row of PostgreSQL or SQLite ends below this; larger ones are refused before they are written.
constexpr uint64_t kMaxRowBytes = (1ULL << 30) - 8192;

// Header length of a record whose serial types take `types` bytes: it counts itself.
uint32_t record_header_bytes(uint32_t types) {
  uint32_t total = types + 1;
  if (total > 127) ++total;
  if (total > 16383) ++total;
  return total;
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> RowEncoder::make(const std::vector<ColumnPlan>& columns,
                                                     RowFormat format, const ValueOptions& options,
                                                     int64_t block_bytes) {
  std::unique_ptr<RowEncoder> encoder(new RowEncoder);
  encoder->format_ = format;
  encoder->block_bytes_ = std::clamp<int64_t>(block_bytes, 1, 1LL << 30);
  for (const ColumnPlan& plan : columns) {
    const TypeFamily* family = find_type_family(plan.field.type);
    if (family == nullptr) return type_mismatch(plan.field.type, plan.target_type);
    HEADRACE_ASSIGN(auto codec, family->make(plan.field.type, plan.target_type, format, options));
    Column column{plan, std::move(codec), 0, std::vector<uint32_t>(kMaxSpanRows)};
    encoder->columns_.push_back(std::move(column));
  }
  if (format == RowFormat::kSqliteRecord) {
    encoder->record_bytes_.resize(kMaxSpanRows);
    encoder->header_bytes_.resize(kMaxSpanRows);
  }
  return encoder;
}

Status RowEncoder::start(const RecordBatch& batch) {
  const ArrowArray& array = *batch.array.get();
  if (array.n_children != static_cast<int64_t>(columns_.size())) {
    return Error(ErrorCode::kSource,
                 fmt::format("a batch has {} columns, the plan {}", array.n_children, columns_.size()));
  }
  batch_ = &batch;
  views_.clear();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const DataType& type = batch.schema->fields[i].type;
    if (!(type == columns_[i].plan.field.type)) {
      return Error(ErrorCode::kSource,
                   fmt::format("column {} changed its type from {} to {}",
                               columns_[i].plan.field.name, type_name(columns_[i].plan.field.type),
                               type_name(type)));
    }
    HEADRACE_ASSIGN(ColumnView view, make_column_view(*array.children[i], type));
    views_.push_back(std::move(view));
    columns_[i].codec->bind(views_.back());
  }
  // Children of a sliced struct array keep their own offsets; the parent's adds to them.
  next_row_ = array.offset;
  end_row_ = array.offset + array.length;
  block_index_ = 0;
  return {};
}

Error RowEncoder::reject_error(Rejects& rejects, size_t column) const {
  const auto first = std::min_element(rejects.begin(), rejects.end(),
                                      [](const Reject& a, const Reject& b) { return a.row < b.row; });
  const ColumnPlan& plan = columns_[column].plan;
  Error error(ErrorCode::kRejectedValue,
              fmt::format("column {}: {}", plan.field.name, first->reason));
  error.where.partition = batch_->partition;
  error.where.row = batch_->partition_row + (first->row - batch_->array->offset) + 1;
  error.where.column = plan.field.name;
  return error;
}

// Fills row_bytes[0, count) with the bytes of each whole row.
Status RowEncoder::measure(int count, uint64_t* row_bytes) {
  const bool sqlite = format_ == RowFormat::kSqliteRecord;
  const RowSpan rows{next_row_, count};
  uint64_t shared = format_ == RowFormat::kPgBinary ? pg_binary::kTupleHeaderBytes : 0;
  uint32_t shared_header = 0;
  std::fill_n(row_bytes, count, 0);
  if (sqlite) std::fill_n(header_bytes_.data(), count, 0);
  Rejects rejects;
  std::pair<int64_t, size_t> worst{std::numeric_limits<int64_t>::max(), 0};
  std::optional<Error> first_error;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    column.shared_cell = column.codec->measure(views_[c], rows, column.cells.data(), rejects);
    if (!rejects.empty()) [[unlikely]] {
      Error error = reject_error(rejects, c);
      if (error.where.row < worst.first) {
        worst = {error.where.row, c};
        first_error = std::move(error);
      }
      rejects.clear();
    }
    const uint32_t* cells = column.cells.data();
    if (column.shared_cell != kCellsDiffer) {
      shared += sqlite ? sqlite_record::body_bytes(column.shared_cell) : column.shared_cell;
      if (sqlite) shared_header += sqlite_record::varint_bytes(column.shared_cell);
    } else if (!sqlite) {
      for (int i = 0; i < count; ++i) row_bytes[i] += cells[i];
    } else {
      for (int i = 0; i < count; ++i) {
        row_bytes[i] += sqlite_record::body_bytes(cells[i]);
        header_bytes_[i] += cells[i] < 128 ? 1 : sqlite_record::varint_bytes(cells[i]);
      }
    }
  }
  if (first_error) return std::move(*first_error);
  for (int i = 0; i < count; ++i) {
    row_bytes[i] += shared;
    if (sqlite) {
      header_bytes_[i] = record_header_bytes(header_bytes_[i] + shared_header);
      record_bytes_[i] = static_cast<uint32_t>(row_bytes[i] + header_bytes_[i]);
      const auto rowid = static_cast<uint64_t>(batch_->first_row + (rows.begin + i - batch_->array->offset) + 1);
      row_bytes[i] = record_bytes_[i] + sqlite_record::varint_bytes(record_bytes_[i]) +
                     sqlite_record::varint_bytes(rowid);
    }
    if (row_bytes[i] > kMaxRowBytes) [[unlikely]] {
      Error error(ErrorCode::kRejectedValue,
                  fmt::format("the row needs {} bytes; the database takes less than 1 GiB", row_bytes[i]));
      error.where.partition = batch_->partition;
      error.where.row = batch_->partition_row + (rows.begin + i - batch_->array->offset) + 1;
      return error;
    }
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

// Payload size, rowid, header size and serial types of each row; cursors then stand at the bodies.
void RowEncoder::write_sqlite_headers(int count, uint8_t** cursors) {
  const int64_t first_rowid = batch_->first_row + (next_row_ - batch_->array->offset) + 1;
  for (int i = 0; i < count; ++i) {
    uint8_t* at = sqlite_record::put_varint(cursors[i], record_bytes_[i]);
    at = sqlite_record::put_varint(at, static_cast<uint64_t>(first_rowid + i));
    at = sqlite_record::put_varint(at, header_bytes_[i]);
    for (const Column& column : columns_) {
      const uint32_t serial =
          column.shared_cell == kCellsDiffer ? column.cells[i] : column.shared_cell;
      at = sqlite_record::put_varint(at, serial);
    }
    cursors[i] = at;
  }
}

void RowEncoder::write(int count, const uint64_t* row_bytes, RowBlock* block) {
  uint64_t total = 0;
  for (int i = 0; i < count; ++i) total += row_bytes[i];
  const size_t begin = block->bytes.size();
  uint8_t* at = block->bytes.extend(total);
  uint8_t* cursors[kMaxSpanRows];
  for (int i = 0; i < count; ++i) {
    block->row_starts.push_back(static_cast<uint32_t>(begin + (at - (block->bytes.data() + begin))));
    cursors[i] = at;
    at += row_bytes[i];
  }
  if (format_ == RowFormat::kPgBinary) {
    const auto fields = static_cast<uint16_t>(columns_.size());
    for (int i = 0; i < count; ++i) {
      store_be16(cursors[i], fields);
      cursors[i] += 2;
    }
  } else if (format_ == RowFormat::kSqliteRecord) {
    write_sqlite_headers(count, cursors);
  }
  const RowSpan rows{next_row_, count};
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].codec->write(views_[c], rows, columns_[c].cells.data(), cursors);
  }
  if (format_ == RowFormat::kText) {
    for (int i = 0; i < count; ++i) cursors[i][-1] = '\n';
  }
}

Status RowEncoder::fill(RowBlock* block) {
  block->clear();
  block->partition = batch_->partition;
  block->batch = batch_->sequence;
  block->index_in_batch = block_index_++;
  block->first_row = batch_->first_row + (next_row_ - batch_->array->offset);
  block->partition_row = batch_->partition_row + (next_row_ - batch_->array->offset);
  uint64_t row_bytes[kMaxSpanRows];
  const auto limit = static_cast<size_t>(block_bytes_);
  while (!done() && block->bytes.size() < limit) {
    const int count = static_cast<int>(std::min<int64_t>(span_rows_, end_row_ - next_row_));
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
