#include "sink/postgres/postgres_sink.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/phase_timer.h"
#include "sink/postgres/catalog.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/gc.h"
#include "sink/postgres/ledger.h"
#include "sink/postgres/load_parts.h"
#include "sink/postgres/merge.h"
#include "sink/postgres/methods.h"
#include "sink/postgres/partition_writer.h"
#include "sink/postgres/planned_sql.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/publish.h"
#include "sink/postgres/publish_partitions.h"
#include "sink/postgres/publish_together.h"
#include "sink/postgres/readiness.h"
#include "sink/postgres/staging.h"
#include "sink/postgres/table_scan.h"
#include "sink/postgres/write_job.h"

namespace headrace {
namespace {

// Autovacuum analyzes a table of which this share has changed.
constexpr double kAnalyzeShare = 0.1;
constexpr int kRollbackTimeoutMs = 10000;
constexpr int kDefaultLockTimeoutMs = 5000;

class PostgresSink final : public Sink {
 public:
  PostgresSink(const LoadRequest& request, TableName name, std::unique_ptr<Connection> control)
      : target_(request.target),
        name_(std::move(name)),
        mode_(request.mode),
        replace_where_(request.replace_where),
        ledger_id_(request.load_id),
        atomic_(request.atomic),
        cancel_(request.cancel),
        pool_(request.target, request.cancel),
        control_(std::move(control)) {}

  ~PostgresSink() override { abandon(); }

  Result<SinkFacts> facts() override {
    HEADRACE_ASSIGN(catalog_, read_catalog(*control_, name_));
    SinkFacts& facts = catalog_->facts;
    facts.target = masked_uri(target_);
    HEADRACE_TRY(estimate());
    if (!ledger_id_.empty()) {
      HEADRACE_ASSIGN(facts.committed,
                      find_committed(*control_, facts.schema, facts.table, ledger_id_));
      HEADRACE_ASSIGN(facts.interrupted,
                      find_interrupted(*control_, facts.schema, facts.table, ledger_id_));
    }
    return catalog_->facts;
  }

  std::vector<std::string> ddl(const Plan& plan) const override {
    return planned_sql(plan, catalog_ ? &*catalog_ : nullptr);
  }

  Status prepare(const Plan& plan, const std::string& load_id) override {
    if (state_ != State::kOpen) return Error(ErrorCode::kInternal, "prepare was called twice");
    if (!catalog_) HEADRACE_TRY(facts());
    plan_ = plan;
    state_ = State::kPrepared;
    wal_start_ = wal_position();
    const bool borrows = plan_.commit_scope == CommitScope::kSingle || plan_.stage_is_temporary;
    if (!borrows) pool_.open_ahead(plan_.workers);
    if (!ledger_id_.empty()) HEADRACE_TRY(make_ledger(pool_, plan_.schema));
    if (plan_.commit_scope == CommitScope::kTogether) return prepare_together(load_id);
    if (atomic_ == Atomic::kFast || !ledger_id_.empty()) HEADRACE_TRY(find_committed_rows(load_id));
    if (plan_.commit_scope == CommitScope::kSingle) return prepare_single(load_id);
    if (!plan_.tree.empty()) return prepare_partitions(load_id);
    if (plan_.commit_scope == CommitScope::kSwap) return prepare_swap(load_id);
    if (plan_.commit_scope == CommitScope::kStaged) return prepare_staged(load_id);
    return Error(ErrorCode::kInternal,
                 "a PostgreSQL table is published by single, swap or staged");
  }

  Result<std::unique_ptr<SinkWriter>> open_writer(int index) override {
    const bool together = plan_.commit_scope == CommitScope::kTogether;
    const bool single = plan_.commit_scope == CommitScope::kSingle;
    const bool borrows = single || plan_.stage_is_temporary;
    if (state_ != State::kPrepared || (borrows && index != 0)) {
      return Error(ErrorCode::kInternal, fmt::format("writer {} cannot be opened", index));
    }
    const PostgresMethod* method = find_postgres_method(plan_.method);
    if (method == nullptr) {
      return Error(ErrorCode::kInternal, fmt::format("there is no method {}", plan_.method));
    }
    // FREEZE: the table was made or truncated in this transaction, and nobody else sees it.
    const bool truncated = truncated_at_ && catalog_->facts.relation_kind == "table";
    const bool freeze = single ? plan_.creates_table || truncated : plan_.stage_is_temporary;
    const bool direct = single || together;
    WriteJob job{direct ? plan_.schema : stage_schema_,
                 direct ? plan_.table : stage_,
                 plan_.table,
                 plan_.columns,
                 plan_.row_format,
                 freeze,
                 plan_.insert_rows};
    HEADRACE_ASSIGN(auto writer, open_method(index, *method, std::move(job)));
    if (!together && plan_.committed_rows.empty()) return writer;
    return std::unique_ptr<SinkWriter>(std::make_unique<PartWriter>(
        std::move(writer), plan_, load_id_, together ? &held_[static_cast<size_t>(index)] : nullptr));
  }

  Status scan(const Plan& plan, const std::atomic<bool>* cancel, TableSums* sums) override {
    return scan_postgres(*control_, plan, cancel, sums);
  }

  Result<PublishStats> publish() override;
  void abandon() noexcept override;

 private:
  enum class State { kOpen, kPrepared, kPublished, kAbandoned };

  Status estimate();
  Status begin(const std::string& load_id);
  Status prepare_single(const std::string& load_id);
  Status prepare_swap(const std::string& load_id);
  Status prepare_staged(const std::string& load_id);
  Status prepare_partitions(const std::string& load_id);
  Status prepare_together(const std::string& load_id);
  Status find_committed_rows(const std::string& load_id);
  Result<std::unique_ptr<SinkWriter>> open_method(int index, const PostgresMethod& method, WriteJob job);
  Status remove_old_rows();
  Status create_target();
  Status check_cascades(const char* doing) const;
  Status delete_old_rows();
  Status check_deleted();
  Status truncate_table();
  Result<Published> publish_staged(const Publication& publication, PublishStats* stats);
  std::string wal_position();
  int64_t wal_bytes();
  bool needs_analyze(Published published) const;

  const std::string target_;
  const TableName name_;
  const Mode mode_;
  const std::string replace_where_;
  const std::string ledger_id_;  // empty: the load is not kept
  const Atomic atomic_;
  const std::atomic<bool>* const cancel_;
  ConnectionPool pool_;
  std::unique_ptr<Connection> control_;
  std::optional<CatalogFacts> catalog_;
  Plan plan_;
  std::string stage_;  // scopes swap and staged
  std::string stage_schema_;
  TableCopy copy_;     // scope swap into an existing table
  std::string load_id_;
  std::vector<HeldTransaction> held_;  // scope together, one a writer
  std::unique_ptr<PartitionStages> partitions_;  // scope swap into a partitioned table
  WriterTotals totals_;
  std::string wal_start_;
  int64_t rows_deleted_ = 0;
  std::optional<std::chrono::steady_clock::time_point> truncated_at_;  // since when readers wait
  State state_ = State::kOpen;
};

int lock_timeout_ms(const Plan& plan) {
  return plan.lock_timeout_ms > 0 ? plan.lock_timeout_ms : kDefaultLockTimeoutMs;
}

// What modes that keep old rows are chosen by. Of a table of others there is no choice.
Status PostgresSink::estimate() {
  SinkFacts& facts = catalog_->facts;
  const bool keeps = mode_ == Mode::kAppend || mode_ == Mode::kDeleteInsert;
  if (!keeps || !facts.is_owner || facts.table_is_empty || facts.relation_kind != "table") return {};
  const std::string table = qualified(facts.schema, facts.table);
  HEADRACE_ASSIGN(facts.row_estimate, estimate_rows(*control_, table, ""));
  const bool blank = replace_where_.find_first_not_of(" \t\r\n") == std::string::npos;
  if (mode_ != Mode::kDeleteInsert || blank) return {};
  HEADRACE_ASSIGN(facts.matching_estimate, estimate_rows(*control_, table, replace_where_));
  return {};
}

// Deleting rows must not delete or change those of other tables.
Status PostgresSink::check_cascades(const char* doing) const {
  if (catalog_->cascading_keys.empty()) return {};
  const CascadingKey& key = catalog_->cascading_keys.front();
  return Error(
      ErrorCode::kUnsupported,
      fmt::format("{} the rows of {}.{} would change rows of {}: its foreign key says ON DELETE {}",
                  doing, plan_.schema, plan_.table, key.table, key.action),
      "use --mode append or upsert, or drop the foreign key for the time of the load");
}

Status PostgresSink::delete_old_rows() {
  HEADRACE_TRY(check_cascades("replacing"));
  HEADRACE_TRY(control_->run(fmt::format("SET LOCAL lock_timeout = {}", lock_timeout_ms(plan_))));
  const auto statements = delete_statements(plan_);
  HEADRACE_TRY(control_->run(statements[0], "locking the table"));
  HEADRACE_TRY(control_->run("SET LOCAL lock_timeout = 0"));
  HEADRACE_TRY(control_->run(statements[1], "deleting the old rows"));
  return check_deleted();
}

// A trigger or a rule can leave rows where they are, and DELETE says nothing of it.
Status PostgresSink::check_deleted() {
  HEADRACE_ASSIGN(
      const PgResult may_stay,
      control_->query("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1::oid AND tgtype & 11 = 11) "
                      "OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = $1::oid AND ev_type = '4' AND is_instead)",
                      {std::to_string(catalog_->oid)}, "reading the catalog"));
  if (!cell_is_true(may_stay, 0, 0)) return {};
  HEADRACE_ASSIGN(const bool empty, read_is_empty(*control_, qualified(plan_.schema, plan_.table)));
  if (empty) return {};
  return Error(ErrorCode::kServer,
               fmt::format("rows of {}.{} are still there after DELETE: a trigger or a rule keeps them",
                           plan_.schema, plan_.table),
               "disable it for the time of the load, or use --mode truncate");
}

// Without CASCADE: a table that others refer to is refused by the server. Waits for the lock in one
// attempt only, while which no new reader gets in.
Status PostgresSink::truncate_table() {
  HEADRACE_TRY(control_->run(fmt::format("SET LOCAL lock_timeout = {}", lock_timeout_ms(plan_))));
  HEADRACE_TRY(control_->run(fmt::format("TRUNCATE {}", qualified(plan_.schema, plan_.table)),
                             "truncating the table"));
  truncated_at_ = std::chrono::steady_clock::now();
  return control_->run("SET LOCAL lock_timeout = 0");
}

Status PostgresSink::remove_old_rows() {
  if (plan_.mode == Mode::kReplace) return delete_old_rows();
  return plan_.mode == Mode::kTruncate ? truncate_table() : Status();
}

// A load with an id of the user's own is run once at a time, whatever its scope.
Status PostgresSink::begin(const std::string& load_id) {
  if (!ledger_id_.empty()) return claim_load_id(*control_, load_id);
  return control_->run(begin_load_transaction(), "BEGIN");
}

Status PostgresSink::prepare_single(const std::string& load_id) {
  HEADRACE_TRY(begin(load_id));
  return plan_.creates_table ? create_target() : remove_old_rows();
}

Status PostgresSink::create_target() {
  Status created = control_->run(
      create_table_sql(qualified(plan_.schema, plan_.table), target_columns(plan_), plan_.keys),
      "creating the table");
  if (created.ok() || created.error().sqlstate != kDuplicateTable) return created;
  return Error(ErrorCode::kTargetExists,
               fmt::format("table {}.{} already exists", plan_.schema, plan_.table),
               "use --mode append to add rows, or --mode replace to replace all of them");
}

Status PostgresSink::prepare_swap(const std::string& load_id) {
  HEADRACE_TRY(claim_load_id(*control_, load_id));
  stage_ = staging_name(load_id, plan_.table);
  stage_schema_ = plan_.schema;
  return create_staging(pool_, plan_, *catalog_, load_id, stage_, &copy_);
}

Status PostgresSink::prepare_partitions(const std::string& load_id) {
  HEADRACE_TRY(claim_load_id(*control_, load_id));
  HEADRACE_ASSIGN(partitions_, PartitionStages::make(pool_, plan_, load_id));
  return {};
}

// The commits are made behind a lock request, which needs a right that INSERT alone does not give.
Status PostgresSink::prepare_together(const std::string& load_id) {
  HEADRACE_TRY(claim_load_id(*control_, load_id));
  HEADRACE_ASSIGN(const PgResult row,
                  control_->query("SELECT has_table_privilege($1, 'UPDATE, DELETE, TRUNCATE')",
                                  {qualified(plan_.schema, plan_.table)}));
  if (!cell_is_true(row, 0, 0)) {
    return Error(ErrorCode::kServer, "the user may not lock the table, which --atomic fast does",
                 "use --atomic strict, or GRANT UPDATE, DELETE or TRUNCATE on the table");
  }
  HEADRACE_TRY(make_parts_table(pool_, plan_.schema));
  held_.resize(static_cast<size_t>(plan_.workers));
  return find_committed_rows(load_id);
}

// Of an interrupted run of this load. Waits for commits that are still on their way: what is told
// here is what there is.
Status PostgresSink::find_committed_rows(const std::string& load_id) {
  load_id_ = load_id;
  HEADRACE_ASSIGN(const auto found, wait_for_parts(pool_, plan_.schema, plan_.table, load_id));
  if (!found) return {};
  if (found->mode != mode_name(plan_.mode) || found->source != plan_.source) {
    return Error(ErrorCode::kUsage,
                 fmt::format("load {} was interrupted as {} of {}", load_id, found->mode, found->source),
                 "complete it with the same source and mode, or use another --load-id");
  }
  plan_.committed_rows = found->committed;
  return {};
}

Result<std::unique_ptr<SinkWriter>> PostgresSink::open_method(int index, const PostgresMethod& method,
                                                              WriteJob job) {
  if (plan_.commit_scope == CommitScope::kSingle || plan_.stage_is_temporary) {
    return method.open(WriterConnection::borrow(*control_), std::move(job), totals_);
  }
  if (plan_.commit_scope == CommitScope::kTogether) {
    const std::string begin = fmt::format("SET LOCAL lock_timeout = {}; {}", lock_timeout_ms(plan_),
                                          lock_part_sql(load_id_));
    HEADRACE_ASSIGN(WriterConnection connection,
                    WriterConnection::hold(pool_, begin, &held_[static_cast<size_t>(index)].connection));
    return method.open(std::move(connection), std::move(job), totals_);
  }
  HEADRACE_ASSIGN(WriterConnection connection, WriterConnection::own(pool_));
  if (partitions_ == nullptr) return method.open(std::move(connection), std::move(job), totals_);
  return std::unique_ptr<SinkWriter>(std::make_unique<PartitionWriter>(
      std::move(connection), std::move(job), totals_, *partitions_));
}

// A temporary table lives in the control connection's transaction, which all of the load is then;
// otherwise the staging table is committed before, and the transaction only claims its name.
Status PostgresSink::prepare_staged(const std::string& load_id) {
  if (plan_.mode == Mode::kDeleteInsert) HEADRACE_TRY(check_cascades("deleting"));
  const std::string name = staging_name(load_id, plan_.table);
  stage_schema_ = plan_.stage_is_temporary ? kTemporarySchema : plan_.schema;
  if (plan_.stage_is_temporary) {
    HEADRACE_TRY(begin(load_id));
  } else {
    HEADRACE_TRY(claim_load_id(*control_, load_id));
  }
  if (plan_.creates_table) HEADRACE_TRY(create_target());
  stage_ = name;
  const auto statements = create_stage_sql(plan_, qualified(stage_schema_, stage_));
  if (!plan_.stage_is_temporary) return create_merge_stage(pool_, statements, load_id, stage_schema_, stage_);
  for (const std::string& sql : statements) {
    HEADRACE_TRY(control_->run(sql, "making the staging table"));
  }
  return {};
}

// The staging table is dropped in the same transaction: whoever sees the rows sees no table of ours.
Result<Published> PostgresSink::publish_staged(const Publication& p, PublishStats* stats) {
  const auto start = std::chrono::steady_clock::now();
  const std::string stage = qualified(stage_schema_, stage_);
  HEADRACE_ASSIGN(const MergeCounts counts,
                  merge(*control_, plan_, stage, lock_timeout_ms(plan_)));
  HEADRACE_TRY(control_->run(fmt::format("DROP TABLE {}", stage), "dropping the staging table"));
  HEADRACE_TRY(p.record(counts.rows_merged));
  HEADRACE_TRY(commit(*control_, pool_));
  stats->commit_seconds += seconds_since(start);
  stats->rows_dropped = counts.rows_duplicated;
  if (counts.rows_duplicated > 0) {
    stats->warnings.push_back(fmt::format("{} rows were left out: another row of the source has their key (--on-duplicate {})",
                                          counts.rows_duplicated, on_duplicate_name(plan_.on_duplicate)));
  }
  rows_deleted_ = counts.rows_deleted;
  return Published::kRows;
}

// Empty where the server does not tell.
std::string PostgresSink::wal_position() {
  auto row = control_->exec("SELECT pg_current_wal_insert_lsn()");
  return row.ok() ? cell(*row, 0, 0) : "";
}

// Of the whole server while the load ran: other sessions' WAL is in it.
int64_t PostgresSink::wal_bytes() {
  if (wal_start_.empty()) return -1;
  auto row = control_->query("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)",
                             {wal_start_});
  return row.ok() ? cell_integer(*row, 0, 0) : -1;
}

// Small appends to a large table leave ANALYZE to autovacuum.
bool PostgresSink::needs_analyze(Published published) const {
  if (!plan_.analyze || published == Published::kTable) return false;
  if (plan_.creates_table) return true;
  if (!catalog_->facts.is_owner) return false;
  const bool all_new = plan_.mode == Mode::kReplace || plan_.mode == Mode::kTruncate;
  if (all_new || catalog_->facts.table_is_empty) return true;
  const auto changed = static_cast<double>(totals_.rows_stored + rows_deleted_);
  return changed >= kAnalyzeShare * catalog_->row_estimate;
}

Result<PublishStats> PostgresSink::publish() {
  if (state_ != State::kPrepared || totals_.opened != totals_.finished) {
    return Error(ErrorCode::kInternal, "publish was called before all writers had finished");
  }
  const Publication publication{*control_, pool_, plan_, *catalog_, stage_, copy_, ledger_id_, cancel_};
  const bool single = plan_.commit_scope == CommitScope::kSingle;
  const bool staged = plan_.commit_scope == CommitScope::kStaged;
  int64_t rows = totals_.rows_stored;  // of the load, whichever run of it stored them
  for (const RowInterval& committed : plan_.committed_rows) rows += committed.count;
  PublishStats stats;
  const bool together = plan_.commit_scope == CommitScope::kTogether;
  HEADRACE_ASSIGN(const Published published,
                  together ? publish_together(publication, load_id_, &held_, rows, &stats)
                  : partitions_ != nullptr
                                                 ? publish_partitions(publication, *partitions_, rows, &stats)
                                             : single ? publish_single(publication, rows, &stats)
                                             : staged ? publish_staged(publication, &stats)
                                                      : publish_swap(publication, rows, &stats));
  state_ = State::kPublished;
  if (truncated_at_) stats.lock_seconds = seconds_since(*truncated_at_);
  pool_.clear();
  stats.wal_bytes = wal_bytes();
  stats.bytes_sent = totals_.bytes_sent;
  if (totals_.rows_stored != totals_.rows_sent) {
    stats.warnings.push_back(fmt::format("{} rows were sent and {} stored: a trigger left rows out",
                                         totals_.rows_sent.load(), totals_.rows_stored.load()));
  }
  if (!plan_.committed_rows.empty()) {
    stats.warnings.push_back(fmt::format("{} rows had been committed by an interrupted run of this load, and were left out",
                                         rows - totals_.rows_stored));
  }
  if (needs_analyze(published)) {
    analyze(*control_, qualified(plan_.schema, plan_.table), &stats);
  }
  return stats;
}

void PostgresSink::abandon() noexcept {
  const bool prepared = state_ == State::kPrepared;
  if (state_ != State::kPublished) state_ = State::kAbandoned;
  if (!prepared) return;
  held_.clear();
  pool_.clear();
  if (partitions_ != nullptr) {
    try {
      for (const std::string& name : partitions_->qualified_names()) drop_staging(control_.get(), pool_, name);
    } catch (...) {
      // Out of memory: the tables keep their recognisable names.
    }
  }
  if (!stage_.empty() && !plan_.stage_is_temporary) {
    try {
      drop_staging(control_.get(), pool_, qualified(stage_schema_, stage_));
    } catch (...) {
      // Out of memory: the table keeps its recognisable name.
    }
  } else if (control_->alive()) {
    try {
      control_->set_limits({nullptr, nullptr, kRollbackTimeoutMs});
      (void)control_->run("ROLLBACK").ok();
    } catch (...) {
      // The end of the connection rolls back.
    }
  }
}

Result<std::unique_ptr<Sink>> open_postgres(const LoadRequest& request) {
  HEADRACE_ASSIGN(TableName name, parse_table_name(request.table));
  HEADRACE_ASSIGN(auto control, Connection::open(request.target, request.cancel));
  return std::unique_ptr<Sink>(
      std::make_unique<PostgresSink>(request, std::move(name), std::move(control)));
}

}  // namespace

const SinkKind kPostgresSink = {"postgres", is_postgres_target, open_postgres, check_postgres,
                                gc_postgres};

}  // namespace headrace
