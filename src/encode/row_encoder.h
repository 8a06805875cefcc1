// RowEncoder: RecordBatch -> RowBlock, by the codecs of a plan's columns.
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arrow_c.h"
#include "encode/cell_sums.h"
#include "encode/codec.h"
#include "encode/column_view.h"
#include "encode/row_block.h"
#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

// Values of a column that an option let us store otherwise than they were.
struct ColumnChange {
  std::string column;
  std::string change;  // as Codec::change()
  int64_t count = 0;
};

class RowEncoder {
 public:
  // `columns` in the order of the batches' columns; a column of row numbers is made here.
  static Result<std::unique_ptr<RowEncoder>> make(const std::vector<ColumnPlan>& columns,
                                                  RowFormat format, const ValueOptions& options,
                                                  int64_t block_bytes);

  // Starts a batch, which must stay alive until done().
  Status start(const RecordBatch& batch);
  bool done() const { return next_row_ >= end_row_; }

  // Clears `block` and fills it with the next rows: at least one, and no more than block_bytes
  // unless a single row is larger. REQUIRES: !done(). Fails with kRejectedValue: the first bad row
  // of the span, with partition row and column; nothing of that span is in the block.
  Status fill(RowBlock* block);

  // Of all rows written so far; columns without changes are left out.
  std::vector<ColumnChange> changes() const;

 private:
  // `cells`, and what was found in them, are of the span measured last.
  struct Column {
    ColumnPlan plan;
    std::unique_ptr<Codec> codec;
    std::vector<uint32_t> cells;
    uint32_t shared_cell = 0;
    uint32_t filled_cell = kCellsDiffer;  // the shared cell that all of `cells` hold, if any
    uint32_t least_bytes = 0;             // of a value within the row
    bool long_serials = false;            // sqlite_record: some cell takes more than one byte
  };

  RowEncoder() = default;
  ColumnView row_numbers(const ArrowArray& array, const DataType& type);
  int rows_to_measure(const RowBlock& block, size_t room) const;
  Status measure(int count, uint64_t* row_bytes);
  std::optional<Error> measure_values(int count);
  void sum_cells(Column& column, int count);
  void sum_serials(Column& column, int count);
  void add_record_heads(int count, uint64_t* row_bytes);
  int rows_that_fit(const uint64_t* row_bytes, int count, size_t room) const;
  void write(int count, const uint64_t* row_bytes, RowBlock* block);
  void write_values(int count, uint8_t** cursors, uint32_t room);
  void write_records(int count, uint8_t** starts);
  void write_serials(int count, uint8_t** headers);
  int64_t row_of_batch(int64_t row) const { return row - batch_->array->offset; }
  // Of row i of the span, whose first row has number `first`, 1-based.
  uint64_t rowid(uint64_t first, int i) const {
    return rowids_ == nullptr ? first + static_cast<uint64_t>(i) : static_cast<uint64_t>(rowids_[i]);
  }
  uint64_t first_row_number() const {
    return static_cast<uint64_t>(batch_->first_row + row_of_batch(next_row_) + 1);
  }
  void reject_null(const Column& column, int count, Rejects& rejects) const;
  Error reject_error(Rejects& rejects, size_t column) const;
  Error row_too_large(int64_t row, uint64_t bytes) const;

  RowFormat format_ = RowFormat::kPgBinary;
  int64_t block_bytes_ = 0;
  const int64_t* rowids_ = nullptr;  // of the span, where a column holds them
  std::vector<Column> columns_;
  std::vector<ColumnView> views_;
  std::vector<int64_t> row_numbers_;  // of the batch, where a column holds them
  size_t source_columns_ = 0;
  RowSums sums_;
  // sqlite_record, of each row of the span: payload, header, and what stands before the payload
  std::vector<uint32_t> record_bytes_;
  std::vector<uint32_t> header_bytes_;
  std::vector<uint8_t> head_bytes_;
  bool long_serials_ = false;  // sqlite_record: some serial type takes more than one byte
  const RecordBatch* batch_ = nullptr;
  int64_t next_row_ = 0;
  int64_t end_row_ = 0;
  int span_rows_ = kMaxSpanRows;
  int block_index_ = 0;
};

}  // namespace headrace
