// The SQLite target: sqlite:PATH, or a path that ends in .sqlite, .sqlite3 or .db.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "sink/sink.h"
#include "sink/sqlite/api_load.h"
#include "sink/sqlite/catalog.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/ledger.h"
#include "sink/sqlite/pages_load.h"
#include "sink/sqlite/temporary_file.h"

namespace headrace {

extern const SinkKind kSqliteSink;

// How the rows get into the file (plan.method):
//   pages  a new file beside the target, written page by page, renamed when it is synced. Replacing
//          an existing file means that the new one takes its place.
//   api    through SQLite: into the existing file in one transaction, or, when there is none, into
//          a new file beside the target that is renamed.
class SqliteSink : public Sink {
 public:
  SqliteSink(const LoadRequest& request, std::string path, int busy_timeout_ms);
  ~SqliteSink() override;

  Result<SinkFacts> facts() override;
  std::vector<std::string> ddl(const Plan& plan) const override;
  Status prepare(const Plan& plan, const std::string& load_id) override;
  Result<std::unique_ptr<SinkWriter>> open_writer(int index) override;
  Status verify(VerifyLevel level, const TableSums& loaded) override;
  Status scan(const Plan& plan, const std::atomic<bool>* cancel, TableSums* sums) override;
  Result<PublishStats> publish() override;
  void abandon() noexcept override;

  // Load ids that the table had elsewhere: a new file gets them.
  void inherit_loads(std::vector<PastLoad> loads) { inherited_ = std::move(loads); }

 private:
  Status fill_facts_from_file(SinkFacts* facts);
  Status prepare_pages(const std::string& load_id);
  Status prepare_new_file(const std::string& load_id);
  Status prepare_existing_file();
  Status check_not_committed();
  Status complete_pages();
  Status finish_api(const TableSums* loaded);
  Status publish_file(double* lock_seconds);
  Status take_place_of_old_file(double* lock_seconds);

  const std::string target_;  // as the user gave it
  const std::string table_;
  const std::string path_;
  const std::string ledger_id_;  // empty: the load is not kept
  const int busy_timeout_ms_;
  const int64_t cache_bytes_;
  std::string kept_create_table_;  // by facts(): the table's definition, when there is a table
  Plan plan_;
  bool prepared_ = false;
  bool replaces_file_ = false;
  bool keeps_ledger_ = false;  // the file to replace has load ids
  std::vector<PastLoad> inherited_;
  std::string old_schema_;  // of the file to replace, as prepare() saw it
  std::vector<std::string> warnings_;
  // Destroyed in reverse order: the temporary file goes last.
  TemporaryFile temporary_;
  std::unique_ptr<PagesLoad> pages_;
  bool pages_are_complete_ = false;
  Connection db_;
  std::unique_ptr<ApiLoad> api_;
};

}  // namespace headrace
