// What parquet*.cc share: an opened footer, and what is decided for its columns.
#pragma once

#include <parquet/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/slab_pool.h"
#include "source/dataset.h"
#include "source/source.h"
#include "source/unify.h"

namespace parquet {
class ParquetFileReader;
}

namespace headrace {

struct ParquetColumn {
  std::vector<int> leaves;  // indexes of Parquet columns
  bool flat = false;        // read by parquet_flat.cc, otherwise by Arrow's reader
  bool dictionary = false;  // delivered as dictionary<int32, ...> by Arrow's reader
  bool int96 = false;       // holds INT96 timestamps
};

struct ParquetFile {
  std::string path;
  FileStamp stamp;
  std::shared_ptr<parquet::FileMetaData> metadata;
  Schema schema;  // as its columns are delivered, before they are unified with other files
  std::vector<ParquetColumn> columns;  // of `schema`
  std::vector<int64_t> first_rows;     // of each row group
};

// What is asked of Arrow's own reader. `file.columns` say which leaves come as dictionaries.
parquet::ArrowReaderProperties parquet_arrow_properties(const ParquetFile& file,
                                                        int64_t batch_rows);

// Reads the footer. Fails with kSource on what is not a whole Parquet file.
Result<ParquetFile> open_parquet_file(const Partition& file);

// Chooses text columns to be delivered as dictionaries: only where all row groups of all files hold
// dictionaries of few entries, as all batches have one schema.
Status choose_dictionaries(std::vector<ParquetFile>* files, UnifiedSchema* unified);

// Columns, partitions and counts from the footers.
void fill_parquet_facts(const std::vector<ParquetFile>& files,
                        const std::vector<Partition>& partitions, const UnifiedSchema& unified,
                        SourceFacts* facts);

Result<std::unique_ptr<BatchReader>> open_parquet_reader(const ParquetFile& file, size_t file_index,
                                                         const UnifiedSchema& unified,
                                                         const Partition& partition,
                                                         const ReadOptions& options,
                                                         std::shared_ptr<SlabPool> pool);

// INT96 timestamps are delivered in microseconds. Fails when a value of these row groups has
// nanoseconds, or lies outside what microseconds reach.
Status check_int96(parquet::ParquetFileReader* reader, const ParquetFile& file,
                   const std::vector<int>& row_groups, int leaf, const std::string& column);

}  // namespace headrace
