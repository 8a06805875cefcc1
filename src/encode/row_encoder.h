// RowEncoder: RecordBatch -> RowBlock, by the codecs of a plan's columns.
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/arrow_c.h"
#include "encode/codec.h"
#include "encode/column_view.h"
#include "encode/row_block.h"
#include "headrace/plan.h"
#include "headrace/result.h"

namespace headrace {

class RowEncoder {
 public:
  // `columns` in the order of the batches' columns.
  static Result<std::unique_ptr<RowEncoder>> make(const std::vector<ColumnPlan>& columns,
                                                  RowFormat format, const ValueOptions& options,
                                                  int64_t block_bytes);

  // Starts a batch, which must stay alive until done().
  Status start(const RecordBatch& batch);
  bool done() const { return next_row_ >= end_row_; }

  // Clears `block` and fills it with the next rows: at least one, and no more than block_bytes unless
  // a single row is larger. REQUIRES: !done(). Fails with kRejectedValue: the first bad row of the
  // span, with partition row and column; nothing of that span is in the block.
  Status fill(RowBlock* block);

 private:
  struct Column {
    ColumnPlan plan;
    std::unique_ptr<Codec> codec;
    uint32_t shared_cell = 0;
    std::vector<uint32_t> cells;
  };

  RowEncoder() = default;
  Status measure(int count, uint64_t* row_bytes);
  int rows_that_fit(const uint64_t* row_bytes, int count, size_t room) const;
  void write(int count, const uint64_t* row_bytes, RowBlock* block);
  void write_sqlite_headers(int count, uint8_t** cursors);
  Error reject_error(Rejects& rejects, size_t column) const;

  RowFormat format_ = RowFormat::kPgBinary;
  int64_t block_bytes_ = 0;
  std::vector<Column> columns_;
  std::vector<ColumnView> views_;
  std::vector<uint32_t> record_bytes_;  // sqlite_record: payload of each row of the span
  std::vector<uint32_t> header_bytes_;  // sqlite_record: header of each row of the span
  const RecordBatch* batch_ = nullptr;
  int64_t next_row_ = 0;
  int64_t end_row_ = 0;
  int span_rows_ = kMaxSpanRows;
  int block_index_ = 0;
};

}  // namespace headrace
