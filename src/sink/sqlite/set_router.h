// SetRouter: which rows of a load go to which file of a set, and in what order.
//
// Blocks come from several threads, in any order. Each waits here for its turn, which is its place in
// the load, is split by row counts or by the value of a column, and its pieces get the next numbers of
// their files. So every run gives the same files, the rows in each keep the order of the source, and
// the number of rows need not be known before. Encoding goes on meanwhile, and pages are written after.
//
// The block whose turn it is never waits, neither here nor for pages: nothing can stand still.
//
// Thread-safe, except parts(), which is for after the last writer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "encode/row_block.h"
#include "headrace/result.h"
#include "sink/sqlite/pages_load.h"
#include "sink/sqlite/temporary_file.h"

namespace headrace {

// A file of the set while it is filled. Destroyed in reverse order: the temporary file goes last.
struct SetFile {
  TemporaryFile temporary;
  std::string name;  // that it gets
  std::unique_ptr<PagesLoad> pages;
  std::optional<std::string> value;  // partition_by: as text
  int64_t rows = 0;
  int64_t pieces = 0;   // handed out so far
  std::atomic<bool> closed{false};  // no more pieces will come
};

// Rows of a block that go to one file.
struct SetPiece {
  SetFile* file = nullptr;
  int64_t number = 0;          // within its file
  std::vector<uint32_t> rows;  // of the block; empty: [first, end)
  uint32_t first = 0;
  uint32_t end = 0;
};

class SetRouter {
 public:
  using MakeFile = std::function<Result<std::unique_ptr<SetFile>>(int64_t number)>;

  // A file takes `part_rows` rows (0: no limit), or those with one value of the column at
  // `column` (-1: by number of rows), whose name is for messages.
  SetRouter(int64_t part_rows, int column, std::string column_name, MakeFile make_file)
      : part_rows_(part_rows),
        column_(column),
        column_name_(std::move(column_name)),
        make_file_(std::move(make_file)) {}

  // Waits for the block's turn. Every piece must be written before the next block is routed.
  Status route(const RowBlock& block, std::vector<SetPiece>* pieces);

  // Fails all that wait and all that come; the first error wins.
  void fail(Error error);

  // A set has a file even when there are no rows.
  Status make_first_file();
  const std::vector<std::unique_ptr<SetFile>>& files() const { return files_; }

 private:
  Status split_by_count(const RowBlock& block, std::vector<SetPiece>* pieces);
  Status split_by_value(const RowBlock& block, std::vector<SetPiece>* pieces);
  Result<SetFile*> add_file();

  const int64_t part_rows_;
  const int column_;
  const std::string column_name_;
  const MakeFile make_file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::pair<int64_t, int> turn_{0, 0};
  std::optional<Error> error_;
  std::vector<std::unique_ptr<SetFile>> files_;
  std::map<std::string, SetFile*> by_value_;  // serial type and body
};

}  // namespace headrace
