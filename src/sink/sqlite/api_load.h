// ApiLoad: what a load through SQLite does before and after its rows, in one transaction.
//
//   start ─► open_writer ─► finish ─► (the sink commits)
//
//   replace, truncate  all rows are deleted at the start
//   delete_insert      the rows that meet the condition are deleted at the start; at the end as many
//                      rows must meet it as were inserted
//   upsert             rows go to a staging table (merge.h), which is merged at the end
//
// Where all rows of a table are new, its indexes are dropped at the start and built again at the
// end: sorting once is cheaper than a search for each row. Unique ones stay, so that a row they
// refuse is named, and all of them where there are triggers, whose statements may need them.
//
// The transaction is the sink's: a failure leaves it to be rolled back. Used by the sink's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "encode/format/table_sums.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sink.h"
#include "sink/sqlite/api_writer.h"
#include "sink/sqlite/catalog.h"
#include "sink/sqlite/connection.h"

namespace headrace {

class ApiLoad {
 public:
  ApiLoad(Connection* db, const Plan& plan) : db_(db), plan_(plan) {}

  // `catalog` of the file as it is now; the plan was made from facts that may be older.
  Status start(const SqliteCatalog& catalog);
  Result<std::unique_ptr<SinkWriter>> open_writer();
  // `loaded`: sums to verify against, as plan.verify says; nullptr: nothing is verified.
  Status finish(const TableSums* loaded);
  bool finished() const { return finished_; }

  int64_t bytes() const { return totals_.bytes; }
  // Inserted or updated.
  int64_t rows() const { return rows_; }
  int64_t rows_duplicated() const { return rows_duplicated_; }
  double index_seconds() const { return index_seconds_; }
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

  // What start() and finish() run for this plan, for people to read.
  static std::vector<std::string> statements(const Plan& plan);

 private:
  Status make_room(const SqliteCatalog& catalog);
  Status drop_indexes(const SqliteCatalog& catalog);
  Status build_indexes();
  Status note_rows_before();
  Status merge(const TableSums* loaded);
  Status check_condition();
  Status verify_rows(const TableSums& loaded);
  Status verify_stage(const TableSums& loaded);
  Status verify_merged();

  Connection* db_;
  const Plan plan_;
  ApiTotals totals_;
  SqliteUniqueKey key_;             // upsert
  std::vector<SqliteIndex> dropped_;
  bool has_statistics_ = false;     // of the dropped indexes
  int64_t rows_before_ = 0;         // plan.verify
  std::optional<TableSums> before_;  // plan.verify full
  bool finished_ = false;
  int64_t rows_ = 0;
  int64_t rows_duplicated_ = 0;
  double index_seconds_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace headrace
