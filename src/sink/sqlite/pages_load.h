// PagesLoad: a load by method pages: the file, its table, its indexes, in the order in which they
// are written.
//
//   create ─► open_writer × N ─► complete
//
// Used by the sink's thread; writers by theirs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sink.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/index_builder.h"
#include "sink/sqlite/page_file.h"
#include "sink/sqlite/page_table.h"
#include "sink/sqlite/row_origins.h"
#include "sink/sqlite/rtree_builder.h"
#include "sink/sqlite/spill_file.h"

namespace headrace {

class PagesLoad {
 public:
  // What an old file passes on to the one that takes its place.
  struct Old {
    std::string create_table;  // empty: of the planned columns
    int user_version = 0;
    int application_id = 0;
  };

  // `fd` is an empty file at `path`, and stays the caller's. `target`: where it will be.
  static Result<std::unique_ptr<PagesLoad>> create(int fd, const std::string& path,
                                                   const std::string& target, const Plan& plan,
                                                   const Old& old);

  std::unique_ptr<SinkWriter> open_writer();
  // Fails the writers that wait, and those that come.
  void fail(Error error) { table_->claims().fail(std::move(error)); }

  // After the last writer: the file is whole and synced.
  Status complete();
  int64_t bytes_written() const { return file_->bytes_written(); }
  double index_seconds() const { return index_seconds_; }

  // The statements that make the schema, for people to read too.
  static std::vector<std::string> statements(const Plan& plan, const std::string& create_table);

 private:
  PagesLoad(const Plan& plan, const std::string& target)
      : plan_(plan), origins_(plan.partitions), spill_(target) {}

  Status add_table();
  Status add_index(const std::string& name, const std::vector<std::string>& columns, bool unique);
  size_t run_bytes() const;
  void add_rtrees();
  Status fill_small_tables();
  Status write_statistics(Connection& db);

  const Plan plan_;
  RowOrigins origins_;
  SpillFile spill_;
  std::unique_ptr<PageFile> file_;
  std::unique_ptr<PageTable> table_;
  std::vector<std::unique_ptr<IndexBuilder>> indexes_;
  std::vector<std::unique_ptr<RTreeBuilder>> rtrees_;  // of a layer, one for each geometry column
  double index_seconds_ = 0;
};

}  // namespace headrace
