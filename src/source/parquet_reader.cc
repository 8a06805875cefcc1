// Reads the row groups of one partition: flat columns by parquet_flat.cc, the others by Arrow's
// reader.
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>

#include "source/arrow_cpp.h"
#include "source/arrow_cpp_shape.h"
#include "source/parquet.h"
#include "source/parquet_flat.h"

namespace headrace {
namespace {

// Row groups up to this size are read a column chunk at a time, larger ones by pieces of
// kStreamBytes.
constexpr int64_t kMaxWholeBytes = 64 << 20;
constexpr int64_t kStreamBytes = 1 << 20;
// Rows of a batch are cut so that it is not much larger, however long the values of this row group
// are.
constexpr int64_t kMaxBatchBytes = 32 << 20;

// One of the two readers, and how far its current batch has been handed on.
struct Lane {
  std::vector<int> inputs;  // places of its columns in BatchShaper::file_columns()
  std::shared_ptr<const OwnedArray> batch;
  int64_t taken = 0;

  int64_t left() const { return batch == nullptr ? 0 : (*batch)->length - taken; }
};

class ParquetReader final : public BatchReader {
 public:
  ParquetReader(const ParquetFile& file, const Partition& partition, BatchShaper shaper)
      : file_(file), partition_(partition), shaper_(std::move(shaper)) {}

  // Row groups, their rows, and the bytes of the columns to read.
  void measure() {
    for (int index : partition_.row_groups) {
      const auto group = file_.metadata->RowGroup(index);
      rows_ += group->num_rows();
      for (int position : shaper_.file_columns()) {
        for (int leaf : file_.columns[static_cast<size_t>(position)].leaves) {
          const auto chunk = group->ColumnChunk(leaf);
          compressed_ += chunk->total_compressed_size();
          uncompressed_ += chunk->total_uncompressed_size();
        }
      }
    }
    first_row_ = partition_.row_groups.empty()
                     ? 0
                     : file_.first_rows[static_cast<size_t>(partition_.row_groups.front())];
  }

  Status open(int64_t batch_rows, std::shared_ptr<SlabPool> pool) {
    batch_rows_ = batch_rows;
    if (uncompressed_ > 0) {
      const auto fit =
          static_cast<int64_t>(static_cast<double>(kMaxBatchBytes) * static_cast<double>(rows_) /
                               static_cast<double>(uncompressed_));
      batch_rows_ = std::clamp<int64_t>(fit, 1, batch_rows);
    }
    std::vector<FlatColumn> flat;
    std::vector<int> leaves;
    const auto& positions = shaper_.file_columns();
    for (size_t i = 0; i < positions.size(); ++i) {
      const ParquetColumn& column = file_.columns[static_cast<size_t>(positions[i])];
      if (column.flat)
        flat.push_back(
            {column.leaves.front(), file_.schema.fields[static_cast<size_t>(positions[i])]});
      else
        leaves.insert(leaves.end(), column.leaves.begin(), column.leaves.end());
      (column.flat ? flat_lane_ : arrow_lane_).inputs.push_back(static_cast<int>(i));
    }
    if (!flat.empty()) {
      HEADRACE_ASSIGN(auto reader, open_reader());
      HEADRACE_ASSIGN(flat_, open_flat_reader(std::move(reader), partition_, std::move(flat),
                                              first_row_, batch_rows_, std::move(pool)));
    }
    if (!leaves.empty()) HEADRACE_TRY(open_arrow(leaves));
    return {};
  }

  Result<std::unique_ptr<RecordBatch>> next() override {
    if (done_ == rows_) return std::unique_ptr<RecordBatch>();
    try {
      HEADRACE_TRY(refill());
    } catch (const parquet::ParquetException&) {
      return parquet_error(file_.path);
    }
    int64_t rows = std::min(batch_rows_, rows_ - done_);
    for (const Lane* lane : {&flat_lane_, &arrow_lane_}) {
      if (!lane->inputs.empty()) rows = std::min(rows, lane->left());
    }
    if (rows <= 0) return too_few_rows();
    std::vector<BorrowedColumn> columns(shaper_.file_columns().size());
    for (Lane* lane : {&flat_lane_, &arrow_lane_}) {
      for (size_t i = 0; i < lane->inputs.size(); ++i) {
        columns[static_cast<size_t>(lane->inputs[i])] =
            borrow_child(lane->batch, static_cast<int64_t>(i), lane->taken);
      }
      lane->taken += rows;
    }
    HEADRACE_ASSIGN(auto batch, shaper_.shape(columns, rows, first_row_ + done_));
    done_ += rows;
    return batch;
  }

  // Both readers take whole chunks, or stream them; the share of the rows tells it well enough.
  int64_t bytes_read() const override {
    return rows_ == 0
               ? 0
               : static_cast<int64_t>(static_cast<double>(compressed_) *
                                      static_cast<double>(done_) / static_cast<double>(rows_));
  }

 private:
  Result<std::unique_ptr<parquet::ParquetFileReader>> open_reader() {
    HEADRACE_ASSIGN(auto input, open_file(file_.path));
    parquet::ReaderProperties properties(source_memory_pool());
    // Where the writer left checksums; without them a flipped bit is just another value.
    properties.set_page_checksum_verification(true);
    if (compressed_ > kMaxWholeBytes) {
      properties.enable_buffered_stream();
      properties.set_buffer_size(kStreamBytes);
    }
    return parquet::ParquetFileReader::Open(std::move(input), properties, file_.metadata);
  }

  Status open_arrow(const std::vector<int>& leaves) {
    HEADRACE_ASSIGN(auto reader, open_reader());
    for (int position : shaper_.file_columns()) {
      const ParquetColumn& column = file_.columns[static_cast<size_t>(position)];
      if (!column.int96) continue;
      for (int leaf : column.leaves) {
        if (file_.metadata->schema()->Column(leaf)->physical_type() != parquet::Type::INT96)
          continue;
        HEADRACE_TRY(check_int96(reader.get(), file_, partition_.row_groups, leaf,
                                 file_.schema.fields[static_cast<size_t>(position)].name));
      }
    }
    HEADRACE_ARROW_ASSIGN(
        arrow_file_,
        parquet::arrow::FileReader::Make(source_memory_pool(), std::move(reader),
                                         parquet_arrow_properties(file_, batch_rows_)),
        file_.path);
    HEADRACE_ARROW_ASSIGN(arrow_, arrow_file_->GetRecordBatchReader(partition_.row_groups, leaves),
                          file_.path);
    HEADRACE_ASSIGN(const Schema delivered, schema_of(*arrow_->schema(), file_.path));
    for (size_t i = 0; i < arrow_lane_.inputs.size(); ++i) {
      const int position = shaper_.file_columns()[static_cast<size_t>(arrow_lane_.inputs[i])];
      const Field& expected = file_.schema.fields[static_cast<size_t>(position)];
      if (i < delivered.fields.size() && delivered.fields[i].type == expected.type) continue;
      return Error(ErrorCode::kInternal,
                   fmt::format("column {} of {} comes as another type than its footer said: {}",
                               expected.name, file_.path,
                               i < delivered.fields.size() ? type_name(delivered.fields[i].type)
                                                           : "nothing"));
    }
    return {};
  }

  Status refill() {
    if (flat_ != nullptr && flat_lane_.left() == 0) {
      HEADRACE_ASSIGN(auto batch, flat_->next());
      flat_lane_.batch =
          batch == nullptr ? nullptr : std::make_shared<const OwnedArray>(std::move(batch->array));
      flat_lane_.taken = 0;
    }
    while (arrow_ != nullptr && arrow_lane_.left() == 0) {
      std::shared_ptr<arrow::RecordBatch> batch;
      HEADRACE_ARROW_TRY(arrow_->ReadNext(&batch), file_.path);
      arrow_lane_.batch = nullptr;
      arrow_lane_.taken = 0;
      if (batch == nullptr) break;
      HEADRACE_ASSIGN(arrow_lane_.batch, share_batch(*batch, file_.path));
    }
    return {};
  }

  Error too_few_rows() const {
    Error error(ErrorCode::kSource,
                fmt::format("{} holds fewer rows than its footer says: {} of {} in row group {}",
                            file_.path, done_, rows_, partition_.row_groups.front()),
                "the file is damaged or was written wrongly; write it again");
    error.where.file = file_.path;
    return error;
  }

  const ParquetFile& file_;
  const Partition partition_;
  const BatchShaper shaper_;
  int64_t batch_rows_ = 1;
  int64_t rows_ = 0;
  int64_t compressed_ = 0;
  int64_t uncompressed_ = 0;
  int64_t first_row_ = 0;  // of the file
  int64_t done_ = 0;
  std::unique_ptr<BatchReader> flat_;
  std::unique_ptr<parquet::arrow::FileReader> arrow_file_;
  std::unique_ptr<arrow::RecordBatchReader> arrow_;
  Lane flat_lane_, arrow_lane_;
};

}  // namespace

Result<std::unique_ptr<BatchReader>> open_parquet_reader(const ParquetFile& file, size_t file_index,
                                                         const UnifiedSchema& unified,
                                                         const Partition& partition,
                                                         const ReadOptions& options,
                                                         std::shared_ptr<SlabPool> pool) {
  HEADRACE_TRY(check_unchanged(file.path, file.stamp));
  HEADRACE_ASSIGN(BatchShaper shaper,
                  BatchShaper::make(unified, file_index, file.schema, partition, options));
  Partition whole = partition;
  if (whole.row_groups.empty()) {
    for (int i = 0; i < file.metadata->num_row_groups(); ++i) whole.row_groups.push_back(i);
  }
  for (int index : whole.row_groups) {
    if (index >= 0 && index < file.metadata->num_row_groups()) continue;
    return Error(ErrorCode::kInternal, fmt::format("{} has no row group {}", file.path, index));
  }
  auto reader = std::make_unique<ParquetReader>(file, whole, std::move(shaper));
  try {
    reader->measure();
    HEADRACE_TRY(reader->open(std::max<int64_t>(options.batch_rows, 1), std::move(pool)));
  } catch (const parquet::ParquetException&) {
    return parquet_error(file.path);
  }
  return std::unique_ptr<BatchReader>(std::move(reader));
}

}  // namespace headrace
