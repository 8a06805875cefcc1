#include "sink/sqlite/sqlite_sink.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/phase_timer.h"
#include "sink/plan_sums.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/file_io.h"
#include "sink/sqlite/gc.h"
#include "sink/sqlite/ledger.h"
#include "sink/sqlite/readiness.h"
#include "sink/sqlite/set_sink.h"
#include "sink/sqlite/table_scan.h"
#include "sink/sqlite/target_file.h"

namespace headrace {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
// More page-writing threads than that wait for the kernel's file lock.
constexpr int kMaxWriters = 64;

bool recognises(const std::string& target) {
  return target.starts_with("sqlite:") || !sqlite_path(target).empty();
}

Result<std::unique_ptr<Sink>> open(const LoadRequest& request) {
  const std::string path = sqlite_path(request.target);
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Error(ErrorCode::kUsage, fmt::format("'{}' names no file", request.target),
                 "give sqlite:PATH");
  }
  if (path == ":memory:") {
    return Error(ErrorCode::kUsage, "a database in memory would be gone with the load",
                 "give the path of a file");
  }
  HEADRACE_TRY(check_sqlite_table_name(request.table));
  HEADRACE_ASSIGN(std::string real_path, resolve_links(path));
  const int asked_ms = request.sqlite.busy_timeout_ms;
  int wait_ms = asked_ms > 0 ? asked_ms : request.tuning.lock_timeout_ms;
  if (wait_ms <= 0) wait_ms = kBusyTimeoutMs;
  if (SqliteSetSink::is_for(request, real_path)) {
    return SqliteSetSink::open(request, real_path, wait_ms);
  }
  return std::unique_ptr<Sink>(std::make_unique<SqliteSink>(
      request, std::move(real_path), wait_ms));
}

}  // namespace

const SinkKind kSqliteSink{"sqlite", recognises, open, check_sqlite, gc_sqlite};

SqliteSink::SqliteSink(const LoadRequest& request, std::string path, int busy_timeout_ms)
    : target_(request.target),
      table_(request.table),
      path_(std::move(path)),
      ledger_id_(request.load_id),
      busy_timeout_ms_(busy_timeout_ms),
      cache_bytes_(request.tuning.memory_bytes / 4) {}

SqliteSink::~SqliteSink() { abandon(); }

Result<SinkFacts> SqliteSink::facts() {
  SinkFacts facts;
  facts.dialect = Dialect::kSqlite;
  facts.target = target_;
  facts.server_kind = "file";
  facts.server_version = sqlite3_libversion_number();
  facts.table = table_;
  facts.max_writers = kMaxWriters;
  kept_create_table_.clear();
  HEADRACE_TRY(check_folder(path_));
  HEADRACE_ASSIGN(facts.file_exists, file_is_there(path_));
  if (facts.file_exists) {
    HEADRACE_TRY(fill_facts_from_file(&facts));
  } else {
    HEADRACE_TRY(check_no_journal(path_));
  }
  return facts;
}

Status SqliteSink::fill_facts_from_file(SinkFacts* facts) {
  // Asked first: SQLite may recover and remove a journal when it opens the file.
  const bool journal = has_journal(path_);
  HEADRACE_ASSIGN(Connection db, Connection::open(path_, Connection::kReadWrite, busy_timeout_ms_));
  HEADRACE_ASSIGN(SqliteCatalog catalog, read_sqlite_catalog(db, table_));
  HEADRACE_ASSIGN(const std::string journal_mode, db.value("PRAGMA journal_mode"));
  facts->file_is_busy = journal || journal_mode == "wal";
  facts->file_has_other_objects = catalog.has_other_objects;
  facts->can_insert = facts->is_owner = !db.is_read_only();
  facts->table_exists = catalog.table_exists;
  if (!ledger_id_.empty()) {
    HEADRACE_ASSIGN(facts->committed, find_sqlite_load(db, table_, ledger_id_));
  }
  if (!catalog.table_exists) return {};
  kept_create_table_ = catalog.create_table;
  facts->table = std::move(catalog.table);
  facts->table_is_empty = catalog.table_is_empty;
  facts->relation_kind = std::move(catalog.relation_kind);
  facts->columns = std::move(catalog.columns);
  for (const SqliteIndex& index : catalog.indexes) facts->indexes.push_back(index.name);
  for (const SqliteUniqueKey& key : catalog.unique_keys) facts->unique_keys.push_back(key.columns);
  facts->has_primary_key = catalog.has_primary_key;
  facts->constraints = std::move(catalog.constraints);
  facts->dependents = std::move(catalog.dependents);
  return {};
}

std::vector<std::string> SqliteSink::ddl(const Plan& plan) const {
  if (plan.method == "pages") {
    return PagesLoad::statements(plan, kept_create_table_);
  }
  return ApiLoad::statements(plan);
}

Status SqliteSink::prepare(const Plan& plan, const std::string& load_id) {
  abandon();
  pages_.reset();  // no writer of an earlier prepare() is left
  plan_ = plan;
  warnings_.clear();
  pages_are_complete_ = false;
  replaces_file_ = keeps_ledger_ = false;
  HEADRACE_TRY(check_sqlite_names(plan));
  HEADRACE_TRY(check_folder(path_));
  HEADRACE_ASSIGN(const bool exists, file_is_there(path_));
  Status status;
  if (plan.method == "pages") {
    replaces_file_ = exists;
    status = prepare_pages(load_id);
  } else if (plan.method == "api") {
    status = exists ? prepare_existing_file() : prepare_new_file(load_id);
  } else {
    status = Error(ErrorCode::kUsage, fmt::format("SQLite has no method {}", plan.method),
                   "give pages or api");
  }
  prepared_ = status.ok();
  if (!status.ok()) abandon();
  return status;
}

Status SqliteSink::prepare_pages(const std::string& load_id) {
  PagesLoad::Old old_file;
  if (replaces_file_) {
    if (plan_.mode != Mode::kReplace) {
      return Error(ErrorCode::kTargetExists, fmt::format("{} exists", path_),
                   "load with mode replace, or use method api");
    }
    HEADRACE_ASSIGN(Connection old,
                    Connection::open(path_, Connection::kReadWrite, busy_timeout_ms_));
    HEADRACE_ASSIGN(SqliteCatalog catalog, read_sqlite_catalog(old, plan_.table));
    HEADRACE_TRY(check_replaceable_by_pages(catalog, plan_));
    if (catalog.table_exists) old_file.create_table = catalog.create_table;
    old_file.user_version = catalog.user_version;
    old_file.application_id = catalog.application_id;
    old_schema_ = catalog.schema_text;
    keeps_ledger_ = catalog.has_ledger;
  }
  HEADRACE_TRY(check_no_journal(path_));
  HEADRACE_ASSIGN(temporary_, TemporaryFile::create(path_, load_id));
  HEADRACE_ASSIGN(
      pages_, PagesLoad::create(temporary_.fd(), temporary_.path(), path_, plan_, old_file));
  return {};
}

Status SqliteSink::prepare_new_file(const std::string& load_id) {
  HEADRACE_TRY(check_no_journal(path_));
  HEADRACE_ASSIGN(temporary_, TemporaryFile::create(path_, load_id));
  HEADRACE_ASSIGN(db_, Connection::open(temporary_.path(), Connection::kReadWrite, 0));
  // The file is thrown away when anything fails, and synced before it is renamed.
  HEADRACE_TRY(
      db_.run(fmt::format("PRAGMA page_size={}; PRAGMA auto_vacuum=NONE; "
                          "PRAGMA encoding='UTF-8'; PRAGMA journal_mode=OFF; "
                          "PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN",
                          plan_.page_bytes)));
  api_ = std::make_unique<ApiLoad>(&db_, plan_);
  return api_->start(SqliteCatalog());
}

// Settings of this connection only: what the file itself says (journal mode, page size, ...) stays.
Status SqliteSink::prepare_existing_file() {
  HEADRACE_ASSIGN(db_, Connection::open(path_, Connection::kReadWrite, busy_timeout_ms_));
  HEADRACE_TRY(db_.run(fmt::format("PRAGMA cache_size=-{}", cache_bytes_ >> 10)));
  HEADRACE_TRY(db_.run("BEGIN IMMEDIATE"));
  HEADRACE_TRY(check_not_committed());
  HEADRACE_ASSIGN(const SqliteCatalog catalog, read_sqlite_catalog(db_, plan_.table));
  api_ = std::make_unique<ApiLoad>(&db_, plan_);
  return api_->start(catalog);
}

// Since facts() another run of the same load may have ended.
Status SqliteSink::check_not_committed() {
  if (ledger_id_.empty()) return {};
  HEADRACE_ASSIGN(const auto committed, find_sqlite_load(db_, plan_.table, ledger_id_));
  if (!committed) return {};
  return Error(ErrorCode::kServer,
               fmt::format("a load with the id {} into {} was committed meanwhile", ledger_id_,
                           plan_.table),
               "nothing was changed by this run; the rows of the other one are there");
}

Result<std::unique_ptr<SinkWriter>> SqliteSink::open_writer(int index) {
  if (!prepared_) return Error(ErrorCode::kInternal, "open_writer before prepare");
  if (pages_ != nullptr) {
    return pages_->open_writer();
  }
  if (index != 0) return Error(ErrorCode::kInternal, "method api has one writer");
  return api_->open_writer();
}

// The file is whole after this, under its temporary name. Its row of the ledger is written by SQLite.
Status SqliteSink::complete_pages() {
  if (pages_are_complete_) return {};
  HEADRACE_TRY(pages_->complete());
  pages_are_complete_ = true;
  if (ledger_id_.empty() && !keeps_ledger_ && inherited_.empty()) return {};
  HEADRACE_ASSIGN(Connection db,
                  Connection::open(temporary_.path(), Connection::kReadWrite, busy_timeout_ms_));
  HEADRACE_TRY(db.run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"));
  if (keeps_ledger_) HEADRACE_TRY(copy_sqlite_ledger(db, path_));
  for (const PastLoad& past : inherited_) {
    HEADRACE_TRY(record_sqlite_load(db, plan_, past.id, past.rows, past.when));
  }
  if (!ledger_id_.empty()) {
    HEADRACE_TRY(db.run("BEGIN"));
    HEADRACE_ASSIGN(const int64_t rows, db.integer(fmt::format("SELECT count(*) FROM {}",
                                                               sqlite_identifier(plan_.table))));
    HEADRACE_TRY(record_sqlite_load(db, plan_, ledger_id_, rows));
    HEADRACE_TRY(db.run("COMMIT"));
  }
  db.close();
  return sync_file(temporary_.fd(), temporary_.path());
}

Status SqliteSink::finish_api(const TableSums* loaded) {
  HEADRACE_TRY(api_->finish(loaded));
  if (ledger_id_.empty()) return {};
  return record_sqlite_load(db_, plan_, ledger_id_, api_->rows());
}

Status SqliteSink::verify(VerifyLevel level, const TableSums& loaded) {
  if (!prepared_) return Error(ErrorCode::kInternal, "verify before prepare");
  const char* check = level == VerifyLevel::kFull ? "integrity_check" : "quick_check";
  if (pages_ == nullptr) {
    HEADRACE_TRY(finish_api(&loaded));
    return check_sqlite_pages(db_, check);
  }
  HEADRACE_TRY(complete_pages());
  HEADRACE_ASSIGN(Connection db, Connection::open(temporary_.path(), Connection::kReadOnly, 0));
  HEADRACE_TRY(check_sqlite_pages(db, check));
  const std::string table = sqlite_identifier(plan_.table);
  if (level == VerifyLevel::kFull) {
    TableSums found = plan_sums(plan_);
    HEADRACE_TRY(scan_sqlite(db, sqlite_select(plan_, table), nullptr, &found));
    return compare_sums(plan_, found, loaded);
  }
  HEADRACE_ASSIGN(const int64_t rows, db.integer(fmt::format("SELECT count(*) FROM {}", table)));
  if (rows == loaded.rows()) return {};
  return Error(ErrorCode::kVerification,
               fmt::format("{} rows were written instead of {}", rows, loaded.rows()),
               "nothing was published");
}

Status SqliteSink::scan(const Plan& plan, const std::atomic<bool>* cancel, TableSums* sums) {
  HEADRACE_ASSIGN(Connection db, Connection::open(path_, Connection::kReadOnly, busy_timeout_ms_));
  return scan_sqlite(db, sqlite_select(plan, sqlite_identifier(plan.table)), cancel, sums);
}

Result<PublishStats> SqliteSink::publish() {
  if (!prepared_) return Error(ErrorCode::kInternal, "publish before prepare");
  const auto start = std::chrono::steady_clock::now();
  PublishStats stats;
  // verify() has built them already.
  const double index_seconds_before =
      pages_ != nullptr ? pages_->index_seconds() : api_->index_seconds();
  if (pages_ != nullptr) {
    HEADRACE_TRY(complete_pages());
    stats.bytes_sent = pages_->bytes_written();
    stats.index_seconds = pages_->index_seconds();
  } else {
    if (!api_->finished()) HEADRACE_TRY(finish_api(nullptr));
    HEADRACE_TRY(db_.run("COMMIT"));
    stats.bytes_sent = api_->bytes();
    stats.rows_dropped = api_->rows_duplicated();
    stats.index_seconds = api_->index_seconds();
    warnings_ = api_->take_warnings();
    db_.close();
    if (temporary_.is_there()) HEADRACE_TRY(sync_file(temporary_.fd(), temporary_.path()));
  }
  if (temporary_.is_there()) HEADRACE_TRY(publish_file(&stats.lock_seconds));
  prepared_ = false;
  stats.files = {path_};
  stats.warnings = std::move(warnings_);
  stats.commit_seconds = seconds_since(start) - (stats.index_seconds - index_seconds_before);
  stats.index_seconds_in_verify = index_seconds_before;
  return stats;
}

Status SqliteSink::publish_file(double* lock_seconds) {
  if (replaces_file_) {
    HEADRACE_TRY(take_place_of_old_file(lock_seconds));
  } else {
    HEADRACE_TRY(check_no_journal(path_));
    HEADRACE_TRY(temporary_.publish_new(path_));
  }
  // The rows are visible now, so a failure here is no failure of the load.
  if (Status synced = sync_folder(folder_of(path_)); !synced.ok()) {
    warnings_.push_back(synced.error().message + ": a power cut now may undo the load");
  }
  return {};
}

// Renames the new file over the old one under SQLite's exclusive lock of the old one: no reader or
// writer is in the middle of a transaction then.
//
// A process that has the old file open without a lock keeps it: it reads the old rows until it
// opens the path again, and SQLite refuses its writes (SQLITE_READONLY_DBMOVED), since it sees that
// the path leads to another file. A -journal or -wal of the old file must not exist at that moment:
// it would be found by its name and played into the new file.
Status SqliteSink::take_place_of_old_file(double* lock_seconds) {
  HEADRACE_TRY(temporary_.take_permissions_of(path_));
  HEADRACE_ASSIGN(Connection old,
                  Connection::open(path_, Connection::kReadWrite, busy_timeout_ms_));
  HEADRACE_TRY(old.run("BEGIN EXCLUSIVE"));
  const auto start = std::chrono::steady_clock::now();
  HEADRACE_ASSIGN(const std::string journal_mode, old.value("PRAGMA journal_mode"));
  HEADRACE_ASSIGN(const SqliteCatalog catalog, read_sqlite_catalog(old, plan_.table));
  int moved = 0;
  sqlite3_file_control(old.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0 || journal_mode == "wal" || catalog.schema_text != old_schema_) {
    return Error(ErrorCode::kServer, fmt::format("{} was changed by another process", path_),
                 "it was left as it is; load again");
  }
  HEADRACE_TRY(check_no_journal(path_));
  HEADRACE_TRY(temporary_.publish_over(path_));
  *lock_seconds = seconds_since(start);
  // The lock goes with the connection; there is nothing to write back.
  return {};
}

void SqliteSink::abandon() noexcept {
  if (db_) {
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    db_.close();
  }
  // Writers may still hold the page file: it stays until the next prepare() or the end.
  if (pages_ != nullptr) pages_->fail(Error(ErrorCode::kCancelled, "the load was undone"));
  temporary_.remove();
  prepared_ = false;
}

}  // namespace headrace
