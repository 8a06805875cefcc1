#include "sink/sqlite/set_sink.h"

#include <fmt/format.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "base/phase_timer.h"
#include "base/sha256.h"
#include "sink/plan_sums.h"
#include "sink/sqlite/catalog.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/file_io.h"
#include "sink/sqlite/set_recovery.h"
#include "sink/sqlite/set_writer.h"
#include "sink/sqlite/table_scan.h"
#include "sink/sqlite/target_file.h"

namespace headrace {
namespace {

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts);
  return text;
}

// Writes `text` to a temporary file beside `path`, synced.
Result<TemporaryFile> write_text(const std::string& path, const std::string& load_id,
                                 const std::string& text) {
  HEADRACE_ASSIGN(TemporaryFile file, TemporaryFile::create(path, load_id));
  HEADRACE_TRY(write_at(file.fd(), reinterpret_cast<const uint8_t*>(text.data()), text.size(), 0,
                        file.path()));
  HEADRACE_TRY(sync_file(file.fd(), file.path()));
  return file;
}

// Runs work(i) for i in [0, count) on a few threads; the first error wins.
template <typename Work>
Status for_each_file(size_t count, int threads, Work work) {
  std::atomic<size_t> next{0};
  std::vector<Status> results(count);
  const auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) results[i] = work(i);
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back(run);
  run();
  for (std::thread& thread : pool) thread.join();
  for (Status& result : results) HEADRACE_TRY(std::move(result));
  return {};
}

}  // namespace

SqliteSetSink::SqliteSetSink(const LoadRequest& request, SetPlace place, std::string single_path,
                             int busy_timeout_ms)
    : target_(request.target),
      ledger_id_(request.load_id),
      may_be_single_(request.sqlite.layout == "optimized"),
      replaces_(request.mode == Mode::kReplace || request.mode == Mode::kTruncate),
      busy_timeout_ms_(busy_timeout_ms),
      place_(std::move(place)),
      single_path_(std::move(single_path)),
      single_(request, single_path_, busy_timeout_ms) {}

SqliteSetSink::~SqliteSetSink() { abandon(); }

bool SqliteSetSink::is_for(const LoadRequest& request, const std::string& path) {
  const std::string& layout = request.sqlite.layout;
  if (layout == "partitioned" || layout == "optimized") return true;
  if (!layout.empty() || (path_exists(path) && !is_folder(path))) return false;
  // A file with a name of its own is no other name for the set beside it.
  const std::string stem = name_of(path).substr(0, name_of(path).rfind('.'));
  if (!is_folder(path) && !path.ends_with('/') && !request.table.empty() && stem != request.table) return false;
  const std::string folder = is_folder(path) ? without_slashes(path) : folder_of(path);
  return path_exists(set_place(folder, request.table).manifest());
}

Result<std::unique_ptr<Sink>> SqliteSetSink::open(const LoadRequest& request,
                                                  const std::string& path, int busy_timeout_ms) {
  const bool folder = path.ends_with('/') || is_folder(path);
  const SetPlace place =
      set_place(folder ? without_slashes(path) : folder_of(path), request.table);
  return std::unique_ptr<Sink>(new SqliteSetSink(
      request, place, folder ? place.path(place.stem + ".sqlite") : path, busy_timeout_ms));
}

SinkFacts SqliteSetSink::new_set_facts() const {
  SinkFacts facts;
  facts.dialect = Dialect::kSqlite;
  facts.target = target_;
  facts.server_kind = "file";
  facts.server_version = sqlite3_libversion_number();
  facts.table = place_.table;
  facts.max_writers = 64;
  return facts;
}

// What the planner sees: the table, wherever it is. A set's columns are those of its first file.
Result<SinkFacts> SqliteSetSink::facts() {
  HEADRACE_TRY(check_folder(single_path_));
  HEADRACE_ASSIGN(old_, read_set_manifest(place_.manifest()));
  single_has_table_ = false;
  if (old_.generation == 0 && may_be_single_) {
    HEADRACE_ASSIGN(SinkFacts facts, single_.facts());
    single_has_table_ = facts.table_exists;
    return facts;
  }
  if (old_.generation == 0) return new_set_facts();
  if (strcasecmp(old_.table.c_str(), place_.table.c_str()) != 0) {
    return Error(ErrorCode::kTargetExists,
                 fmt::format("{} is of another table: {}", place_.manifest(), old_.table),
                 "give another folder or table name");
  }
  SinkFacts facts = new_set_facts();
  facts.server_kind = "set";
  facts.table_exists = true;
  facts.table = old_.table;
  facts.relation_kind = "table";
  facts.table_is_empty = old_.rows() == 0;
  for (const SetColumn& column : old_.columns) {
    if (replaces_) break;  // new files have the source's columns
    TargetColumn target;
    target.name = column.name;
    target.type.sql = column.type;
    target.type.base = sqlite_affinity(column.type);
    target.not_null = column.not_null;
    facts.columns.push_back(std::move(target));
  }
  for (const PastLoad& load : old_.loads) {
    if (!ledger_id_.empty() && load.id == ledger_id_) facts.committed = {load.when, load.rows};
  }
  return facts;
}

std::vector<std::string> SqliteSetSink::ddl(const Plan& plan) const {
  return plan.layout.partitioned ? PagesLoad::statements(plan, "")
                                 : single_.ddl(plan);
}

Status SqliteSetSink::prepare(const Plan& plan, const std::string& load_id) {
  abandon();
  plan_ = plan;
  load_id_ = load_id;
  if (!plan.layout.partitioned) {
    single_.inherit_loads(old_.loads);
    return single_.prepare(plan, load_id);
  }
  Status status = prepare_set(plan, load_id);
  prepared_ = status.ok();
  if (!status.ok()) abandon();
  return status;
}

Status SqliteSetSink::prepare_set(const Plan& plan, const std::string& load_id) {
  if (plan.method != "pages") {
    return Error(ErrorCode::kUnsupported, "the files of a set are written page by page",
                 "leave --method out");
  }
  HEADRACE_TRY(check_sqlite_names(plan));
  HEADRACE_TRY(check_folder(place_.manifest()));
  std::vector<Leftover> ignored;
  HEADRACE_TRY(recover_sets(place_.folder, &place_, false, &ignored));
  HEADRACE_ASSIGN(old_, read_set_manifest(place_.manifest()));
  if (plan.mode == Mode::kCreate && old_.generation > 0) {
    return Error(ErrorCode::kTargetExists, fmt::format("{} exists", place_.manifest()),
                 "load with mode append or replace");
  }
  if (plan.mode == Mode::kAppend && old_.generation > 0) HEADRACE_TRY(check_columns());
  HEADRACE_ASSIGN(manifest_file_, TemporaryFile::create(place_.manifest(), load_id));
  int column = -1;
  for (size_t c = 0; c < plan.columns.size(); ++c) {
    if (plan.columns[c].target == plan.layout.partition_by) column = static_cast<int>(c);
  }
  router_ = std::make_unique<SetRouter>(
      plan.layout.part_rows, column, plan.layout.partition_by,
      [this](int64_t number) { return make_file(number); });
  complete_ = false;
  return {};
}

// The view takes the columns of all files by name.
Status SqliteSetSink::check_columns() const {
  for (const SetColumn& column : old_.columns) {
    const bool filled = std::ranges::any_of(plan_.columns, [&](const ColumnPlan& planned) {
      return planned.target == column.name;
    });
    if (filled) continue;
    return Error(ErrorCode::kTypeMismatch,
                 fmt::format("the source has no column {}, which the files of the set have",
                             column.name),
                 "add the column to the source, or load with mode replace");
  }
  return {};
}

Result<std::unique_ptr<SetFile>> SqliteSetSink::make_file(int64_t number) const {
  const bool keeps = plan_.mode == Mode::kAppend;
  const int64_t first = keeps ? static_cast<int64_t>(old_.parts.size()) : 0;
  auto file = std::make_unique<SetFile>();
  file->name = place_.part(old_.generation + 1, first + number);
  const std::string path = place_.path(file->name);
  HEADRACE_TRY(check_no_journal(path));
  HEADRACE_ASSIGN(file->temporary, TemporaryFile::create(path, load_id_));
  HEADRACE_ASSIGN(file->pages, PagesLoad::create(file->temporary.fd(), file->temporary.path(), path,
                                                 plan_, PagesLoad::Old{}));
  return file;
}

Result<std::unique_ptr<SinkWriter>> SqliteSetSink::open_writer(int index) {
  if (!plan_.layout.partitioned) return single_.open_writer(index);
  if (!prepared_) return Error(ErrorCode::kInternal, "open_writer before prepare");
  return std::unique_ptr<SinkWriter>(std::make_unique<SetWriter>(router_.get()));
}

Status SqliteSetSink::complete_files() {
  if (complete_) return {};
  HEADRACE_TRY(router_->make_first_file());
  const auto& files = router_->files();
  HEADRACE_TRY(for_each_file(files.size(), plan_.workers,
                             [&](size_t i) { return files[i]->pages->complete(); }));
  complete_ = true;
  return {};
}

Status SqliteSetSink::verify(VerifyLevel level, const TableSums& loaded) {
  if (!plan_.layout.partitioned) return single_.verify(level, loaded);
  HEADRACE_TRY(complete_files());
  TableSums found = plan_sums(plan_);
  const std::string table = sqlite_identifier(plan_.table);
  for (const auto& file : router_->files()) {
    HEADRACE_ASSIGN(Connection db,
                    Connection::open(file->temporary.path(), Connection::kReadOnly, 0));
    if (level == VerifyLevel::kFull) {
      HEADRACE_TRY(check_sqlite_pages(db, "integrity_check"));
      HEADRACE_TRY(scan_sqlite(db, sqlite_select(plan_, table), nullptr, &found));
    } else {
      HEADRACE_TRY(check_sqlite_pages(db, "quick_check"));
      HEADRACE_ASSIGN(const int64_t rows,
                      db.integer(fmt::format("SELECT count(*) FROM {}", table)));
      found.add_rows(rows);
    }
  }
  return compare_sums(plan_, found, loaded);
}

Status SqliteSetSink::scan(const Plan& plan, const std::atomic<bool>* cancel, TableSums* sums) {
  if (old_.generation == 0) return single_.scan(plan, cancel, sums);
  for (const SetPart& part : old_.parts) {
    HEADRACE_ASSIGN(Connection db, Connection::open(place_.path(part.file), Connection::kReadOnly,
                                                    busy_timeout_ms_));
    HEADRACE_TRY(
        scan_sqlite(db, sqlite_select(plan, sqlite_identifier(plan.table)), cancel, sums));
  }
  return {};
}

// The manifest to be, from the files as they are.
Status SqliteSetSink::describe_files() {
  new_ = SetManifest();
  if (plan_.mode == Mode::kAppend) new_ = old_;
  new_.generation = old_.generation + 1;
  new_.table = plan_.table;
  new_.partition_by = plan_.layout.partition_by;
  new_.loads = old_.loads;
  if (single_has_table_) {
    HEADRACE_ASSIGN(Connection db,
                    Connection::open(single_path_, Connection::kReadOnly, busy_timeout_ms_));
    HEADRACE_ASSIGN(new_.loads, read_sqlite_ledger(db, plan_.table));
  }
  new_.columns.clear();
  for (const ColumnPlan& column : plan_.columns) {
    new_.columns.push_back({column.target, column.target_type.sql, column.not_null});
  }
  const auto& files = router_->files();
  std::vector<SetPart> parts(files.size());
  HEADRACE_TRY(for_each_file(files.size(), plan_.workers, [&](size_t i) -> Status {
    const SetFile& file = *files[i];
    struct stat status;
    if (::fstat(file.temporary.fd(), &status) != 0) {
      return io_error(errno, "look at", file.temporary.path());
    }
    HEADRACE_ASSIGN(std::string sum, sha256_of_file(file.temporary.path()));
    parts[i] = {file.name, file.rows, status.st_size, std::move(sum), file.value};
    return {};
  }));
  int64_t rows = 0;
  for (SetPart& part : parts) {
    rows += part.rows;
    new_.parts.push_back(std::move(part));
  }
  new_.replaced.clear();
  for (const SetPart& old : old_.parts) {
    if (plan_.mode != Mode::kAppend) new_.replaced.push_back(old.file);
  }
  if (!ledger_id_.empty()) new_.loads.push_back({ledger_id_, utc_now(), rows});
  return {};
}

Status SqliteSetSink::rename_files() {
  for (const auto& file : router_->files()) {
    const std::string path = place_.path(file->name);
    HEADRACE_TRY(file->temporary.publish_new(path));
    renamed_.push_back(path);
  }
  return sync_folder(place_.folder);
}

Status SqliteSetSink::publish_set(PublishStats* stats) {
  HEADRACE_TRY(complete_files());
  HEADRACE_TRY(describe_files());
  HEADRACE_ASSIGN(const SetManifest now, read_set_manifest(place_.manifest()));
  if (now.generation != old_.generation) {
    return Error(ErrorCode::kServer,
                 fmt::format("{} was changed by another load", place_.manifest()),
                 "it was left as it is; load again");
  }
  for (const auto& file : router_->files()) stats->bytes_sent += file->pages->bytes_written();
  // Before the first rename: whoever finds this without its lock knows what to remove.
  const std::string text = set_manifest_text(new_);
  HEADRACE_TRY(write_at(manifest_file_.fd(), reinterpret_cast<const uint8_t*>(text.data()),
                        text.size(), 0, manifest_file_.path()));
  HEADRACE_TRY(sync_file(manifest_file_.fd(), manifest_file_.path()));
  HEADRACE_TRY(rename_files());
  HEADRACE_ASSIGN(TemporaryFile script,
                  write_text(place_.script(), load_id_, set_script_text(new_)));
  HEADRACE_TRY(script.publish_over(place_.script()));
  HEADRACE_TRY(manifest_file_.publish_over(place_.manifest()));
  renamed_.clear();
  // The rows are visible now, so a failure here is no failure of the load.
  if (Status synced = sync_folder(place_.folder); !synced.ok()) {
    stats->warnings.push_back(synced.error().message + ": a power cut now may undo the load");
  }
  return {};
}

Result<PublishStats> SqliteSetSink::publish() {
  if (!plan_.layout.partitioned) {
    HEADRACE_ASSIGN(PublishStats stats, single_.publish());
    if (old_.generation > 0) remove_set(&stats);
    return stats;
  }
  if (!prepared_) return Error(ErrorCode::kInternal, "publish before prepare");
  const auto start = std::chrono::steady_clock::now();
  PublishStats stats;
  HEADRACE_TRY(publish_set(&stats));
  prepared_ = false;
  for (const SetPart& part : new_.parts) stats.files.push_back(place_.path(part.file));
  stats.files.push_back(place_.script());
  stats.files.push_back(place_.manifest());
  if (static_cast<int64_t>(new_.parts.size()) > kMaxAttached) {
    stats.warnings.push_back(fmt::format(
        "{} files: a usual SQLite attaches {}, so {} needs one that was built for more",
        new_.parts.size(), kMaxAttached, place_.script()));
  }
  remove_replaced_files(&stats);
  if (single_has_table_) remove_single_file(&stats);
  stats.commit_seconds = seconds_since(start);
  return stats;
}

void SqliteSetSink::remove_replaced_files(PublishStats* stats) const {
  for (const std::string& file : new_.replaced) {
    const std::string path = place_.path(file);
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) continue;
    stats->warnings.push_back(io_error(errno, "remove the old file", path).message);
  }
}

// Layout optimized has come back to one file: the manifest goes first, it is the set.
void SqliteSetSink::remove_set(PublishStats* stats) const {
  for (const std::string& path : {place_.manifest(), place_.script()}) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) continue;
    stats->warnings.push_back(io_error(errno, "remove the old set", path).message);
  }
  for (const SetPart& part : old_.parts) ::unlink(place_.path(part.file).c_str());
}

// Layout optimized has outgrown its one file. The planner saw that nothing else is in it.
void SqliteSetSink::remove_single_file(PublishStats* stats) const {
  if (has_journal(single_path_)) {
    stats->warnings.push_back(
        fmt::format("{} holds the old rows still: another process uses it", single_path_));
    return;
  }
  if (::unlink(single_path_.c_str()) == 0 || errno == ENOENT) return;
  stats->warnings.push_back(io_error(errno, "remove the old file", single_path_).message);
}

// What was renamed belongs to no manifest.
void SqliteSetSink::take_back_files() noexcept {
  for (const std::string& path : renamed_) ::unlink(path.c_str());
  if (!renamed_.empty() && old_.generation > 0) {
    auto script = write_text(place_.script(), load_id_, set_script_text(old_));
    if (script.ok()) (void)script->publish_over(place_.script()).ok();
  }
  renamed_.clear();
}

void SqliteSetSink::abandon() noexcept {
  single_.abandon();
  take_back_files();
  if (router_ != nullptr) {
    // Threads may still hold the files' pages: they stay until the next prepare() or the end.
    router_->fail(Error(ErrorCode::kCancelled, "the load was undone"));
    for (const auto& file : router_->files()) file->temporary.remove();
  }
  manifest_file_.remove();
  prepared_ = false;
}

}  // namespace headrace
