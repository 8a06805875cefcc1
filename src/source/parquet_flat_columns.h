// The columns of the flat Parquet reader: one class for each physical type.
#pragma once

#include <cstdint>
#include <memory>

#include "base/slab_pool.h"
#include "source/source.h"

namespace parquet {
class ColumnDescriptor;
class ColumnReader;
}  // namespace parquet

namespace headrace {

// Buffers of one column of one batch; the ArrowArray that is handed on owns them.
struct ColumnBuffers {
  PooledBuffer validity, values, data;
  int64_t null_count = 0;
  int64_t byte_count = 0;
};

// Reads one column chunk after another.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;

  virtual void start(std::shared_ptr<parquet::ColumnReader> chunk) = 0;

  // Reads exactly `rows` rows; throws parquet::ParquetException when the chunk ends before.
  virtual void read(int64_t rows, ColumnBuffers* out) = 0;
};

using MakeColumn = std::unique_ptr<ColumnSource> (*)(const parquet::ColumnDescriptor*,
                                                     std::shared_ptr<SlabPool>);

// Makes the column that delivers Parquet's `d` as `type`; nullptr when that pair is not read here.
MakeColumn column_maker(const parquet::ColumnDescriptor& d, const DataType& type);

}  // namespace headrace
