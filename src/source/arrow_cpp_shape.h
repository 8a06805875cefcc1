// BatchShaper: columns of one file become columns of the source: chosen, put in order, widened to
// the common type, and completed by NULLs and by the values of Hive folders.
#pragma once

#include <memory>
#include <vector>

#include "source/batch_builder.h"
#include "source/source.h"
#include "source/unify.h"

namespace headrace {

class BatchShaper {
 public:
  // `file` indexes unified.origins; `delivered` is the file's own schema, as its columns come.
  static Result<BatchShaper> make(const UnifiedSchema& unified, size_t file,
                                  const Schema& delivered, const Partition& partition,
                                  const ReadOptions& options);

  // Positions in the file's schema of the columns to read, ascending, each once.
  const std::vector<int>& file_columns() const { return file_columns_; }

  // `columns` stand for file_columns(). `file_row` is the row of the file that comes first.
  Result<std::unique_ptr<RecordBatch>> shape(const std::vector<BorrowedColumn>& columns,
                                             int64_t rows, int64_t file_row) const;

 private:
  struct Output {
    int input = -1;  // in file_columns(); -1: `constant`
    Field from;      // the file's field, when it must be converted
    bool convert = false;
    std::shared_ptr<const OwnedArray> constant;  // max_rows_ rows
  };

  BatchShaper(std::shared_ptr<const Schema> schema, const Partition& partition)
      : builder_(std::move(schema)), partition_(partition) {}

  Result<Output> constant_output(const Field& field, const ColumnOrigin& origin,
                                 int64_t rows) const;
  Result<BorrowedColumn> converted(const Output& output, const Field& to,
                                   const BorrowedColumn& column, int64_t rows) const;

  BatchBuilder builder_;
  Partition partition_;
  std::vector<int> file_columns_;
  std::vector<Output> outputs_;
};

}  // namespace headrace
