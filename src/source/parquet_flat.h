// Flat Parquet columns, read page by page into Arrow arrays without Arrow C++'s array builders: on
// lineitem about 70 % of their CPU. Nested columns, INT96, small dictionaries and odd pairs of physical
// and Arrow type stay with Arrow's own reader (parquet_reader.cc).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/slab_pool.h"
#include "source/source.h"

namespace parquet {
class ColumnDescriptor;
class ParquetFileReader;
}  // namespace parquet

namespace headrace {

// The field that the flat reader delivers for a leaf column that Arrow would deliver as `arrow_field`,
// or nullopt when it does not read this pair. Text and bytes come as large_utf8 and large_binary,
// decimals stored as INT32 or INT64 as decimal32 and decimal64.
std::optional<Field> flat_field(const parquet::ColumnDescriptor& column, const Field& arrow_field);

struct FlatColumn {
  int leaf_index = 0;  // of the Parquet schema
  Field field;         // as flat_field() gave it
};

// Reads `partition.row_groups` of an open file. `schema` is that of the delivered batches.
Result<std::unique_ptr<BatchReader>> open_flat_reader(
    std::unique_ptr<parquet::ParquetFileReader> file, const Partition& partition,
    std::vector<FlatColumn> columns, int64_t first_file_row, int64_t batch_rows,
    std::shared_ptr<SlabPool> pool);

}  // namespace headrace
