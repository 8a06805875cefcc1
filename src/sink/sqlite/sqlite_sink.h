// The SQLite target: sqlite:PATH, or a path that ends in .sqlite, .sqlite3 or .db.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/request.h"
#include "sink/sink.h"
#include "sink/sqlite/catalog.h"
#include "sink/sqlite/connection.h"
#include "sink/sqlite/page_file.h"
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
  Result<PublishStats> publish() override;
  void abandon() noexcept override;

 private:
  Status fill_facts_from_file(SinkFacts* facts);
  Status prepare_pages(const std::string& load_id);
  Status prepare_new_file(const std::string& load_id);
  Status prepare_existing_file();
  Status make_room_for_rows(const SqliteCatalog& catalog);
  Status publish_file(double* lock_seconds);
  Status take_place_of_old_file(double* lock_seconds);

  const std::string target_;  // as the user gave it
  const std::string table_;
  const std::string path_;
  const int busy_timeout_ms_;
  std::string kept_create_table_;  // by facts(): the table's definition, when there is a table
  Plan plan_;
  bool prepared_ = false;
  bool replaces_file_ = false;
  std::string old_schema_;  // of the file to replace, as prepare() saw it
  int64_t api_bytes_ = 0;
  std::vector<std::string> warnings_;
  // Destroyed in reverse order: the temporary file goes last.
  TemporaryFile temporary_;
  std::unique_ptr<PageFile> pages_;
  Connection db_;
};

}  // namespace headrace
