#include "sink/postgres/postgres_sink.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "sink/postgres/catalog.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/ddl.h"
#include "sink/postgres/insert_sql.h"
#include "sink/postgres/methods.h"
#include "sink/postgres/pool.h"
#include "sink/postgres/publish.h"
#include "sink/postgres/staging.h"
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
        cancel_(request.cancel),
        pool_(request.target, request.cancel),
        control_(std::move(control)) {}

  ~PostgresSink() override { abandon(); }

  Result<SinkFacts> facts() override {
    HEADRACE_ASSIGN(catalog_, read_catalog(*control_, name_));
    catalog_->facts.target = masked_uri(target_);
    return catalog_->facts;
  }

  std::vector<std::string> ddl(const Plan& plan) const override;

  Status prepare(const Plan& plan, const std::string& load_id) override {
    if (state_ != State::kOpen) return Error(ErrorCode::kInternal, "prepare was called twice");
    if (!catalog_) HEADRACE_TRY(facts());
    plan_ = plan;
    state_ = State::kPrepared;
    wal_start_ = wal_position();
    if (plan_.commit_scope == CommitScope::kSingle) return prepare_single();
    if (plan_.commit_scope == CommitScope::kSwap) return prepare_swap(load_id);
    return Error(ErrorCode::kInternal, "a PostgreSQL table is published by single or swap");
  }

  Result<std::unique_ptr<SinkWriter>> open_writer(int index) override {
    const bool single = plan_.commit_scope == CommitScope::kSingle;
    if (state_ != State::kPrepared || (single && index != 0)) {
      return Error(ErrorCode::kInternal, fmt::format("writer {} cannot be opened", index));
    }
    const PostgresMethod* method = find_postgres_method(plan_.method);
    if (method == nullptr) {
      return Error(ErrorCode::kInternal, fmt::format("there is no method {}", plan_.method));
    }
    WriteJob job{plan_.schema,     single ? plan_.table : stage_,  plan_.table,      plan_.columns,
                 plan_.row_format, single && plan_.creates_table, plan_.insert_rows};
    if (single) return method->open(WriterConnection::borrow(*control_), std::move(job), totals_);
    HEADRACE_ASSIGN(WriterConnection connection, WriterConnection::own(pool_));
    return method->open(std::move(connection), std::move(job), totals_);
  }

  Result<PublishStats> publish() override;
  void abandon() noexcept override;

 private:
  enum class State { kOpen, kPrepared, kPublished, kAbandoned };

  Status prepare_single();
  Status prepare_swap(const std::string& load_id);
  Status delete_old_rows();
  std::string write_sql(const std::string& table, const Plan& plan, bool freeze) const;
  std::string wal_position();
  int64_t wal_bytes();
  bool needs_analyze(Published published) const;

  const std::string target_;
  const TableName name_;
  const std::atomic<bool>* const cancel_;
  ConnectionPool pool_;
  std::unique_ptr<Connection> control_;
  std::optional<CatalogFacts> catalog_;
  Plan plan_;
  std::string stage_;  // scope swap
  TableCopy copy_;     // scope swap into an existing table
  WriterTotals totals_;
  std::string wal_start_;
  State state_ = State::kOpen;
};

int lock_timeout_ms(const Plan& plan) {
  return plan.lock_timeout_ms > 0 ? plan.lock_timeout_ms : kDefaultLockTimeoutMs;
}

// Readers see the old rows until the COMMIT; other writers wait, so that "all rows" is exact.
std::vector<std::string> delete_statements(const Plan& plan) {
  const std::string target = qualified(plan.schema, plan.table);
  return {fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", target),
          fmt::format("DELETE FROM {}", target)};
}

// What the writers run.
std::string PostgresSink::write_sql(const std::string& table, const Plan& plan,
                                    bool freeze) const {
  if (plan.method == "copy") return copy_sql(table, plan.columns, plan.row_format, freeze);
  bool overriding = false;
  for (size_t i = 0; catalog_ && i < catalog_->facts.columns.size(); ++i) {
    const TargetColumn& column = catalog_->facts.columns[i];
    if (!column.identity_always) continue;
    for (const ColumnPlan& written : plan.columns) overriding |= written.target == column.name;
  }
  return planned_insert_sql(table, plan, overriding);
}

std::vector<std::string> PostgresSink::ddl(const Plan& plan) const {
  const std::string target = qualified(plan.schema, plan.table);
  std::vector<std::string> sql;
  const auto append = [&sql](const std::vector<std::string>& more) {
    sql.insert(sql.end(), more.begin(), more.end());
  };
  if (plan.commit_scope != CommitScope::kSwap) {
    if (plan.creates_table) sql.push_back(create_table_sql(target, plan.columns));
    if (!plan.creates_table && plan.mode == Mode::kReplace) append(delete_statements(plan));
    sql.push_back(write_sql(target, plan, plan.creates_table));
    return sql;
  }
  const std::string stage = truncated_name(fmt::format("{}_{}", kStagePlaceholder, plan.table));
  const std::string staging = qualified(plan.schema, stage);
  const TableCopy copy = plan.creates_table || !catalog_ ? TableCopy() : catalog_->copy;
  if (plan.creates_table) {
    sql.push_back(create_table_sql(staging, plan.columns));
  } else {
    sql.push_back(copy.create);
    append(copy.settings);
  }
  sql.push_back(write_sql(staging, plan, false));
  for (const IndexCopy& index : copy.indexes) sql.push_back(index.build);
  append(copy.rights);
  append(copy.finish);
  if (!plan.creates_table)
    sql.push_back(fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", target));
  std::vector<std::string> sequences;
  for (const IdentityCopy& identity : copy.identities) {
    sequences.push_back(qualified(plan.schema, fmt::format("{}_{}_seq", stage, identity.column)));
  }
  append(swap_statements(plan, stage, copy, sequences));
  return sql;
}

Status PostgresSink::delete_old_rows() {
  if (!catalog_->cascading_keys.empty()) {
    const CascadingKey& key = catalog_->cascading_keys.front();
    return Error(
        ErrorCode::kUnsupported,
        fmt::format("replacing the rows of {}.{} would change rows of {}: its foreign key says ON "
                    "DELETE {}",
                    plan_.schema, plan_.table, key.table, key.action),
        "use --mode append, or drop the foreign key for the time of the load");
  }
  HEADRACE_TRY(control_->run(fmt::format("SET LOCAL lock_timeout = {}", lock_timeout_ms(plan_))));
  const auto statements = delete_statements(plan_);
  HEADRACE_TRY(control_->run(statements[0], "locking the table"));
  HEADRACE_TRY(control_->run("SET LOCAL lock_timeout = 0"));
  return control_->run(statements[1], "deleting the old rows");
}

Status PostgresSink::prepare_single() {
  HEADRACE_TRY(control_->run(begin_load_transaction(), "BEGIN"));
  if (!plan_.creates_table) return plan_.mode == Mode::kReplace ? delete_old_rows() : Status();
  Status created = control_->run(
      create_table_sql(qualified(plan_.schema, plan_.table), plan_.columns), "creating the table");
  if (created.ok() || created.error().sqlstate != kDuplicateTable) return created;
  return Error(ErrorCode::kTargetExists,
               fmt::format("table {}.{} already exists", plan_.schema, plan_.table),
               "use --mode append to add rows, or --mode replace to replace all of them");
}

Status PostgresSink::prepare_swap(const std::string& load_id) {
  HEADRACE_TRY(claim_load_id(*control_, load_id));
  stage_ = staging_name(load_id, plan_.table);
  return create_staging(pool_, plan_, *catalog_, load_id, stage_, &copy_);
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
  if (plan_.mode == Mode::kReplace || catalog_->facts.table_is_empty) return true;
  return static_cast<double>(totals_.rows_stored) >= kAnalyzeShare * catalog_->row_estimate;
}

Result<PublishStats> PostgresSink::publish() {
  if (state_ != State::kPrepared || totals_.opened != totals_.finished) {
    return Error(ErrorCode::kInternal, "publish was called before all writers had finished");
  }
  const Publication publication{*control_, pool_, plan_, *catalog_, stage_, copy_, cancel_};
  const bool single = plan_.commit_scope == CommitScope::kSingle;
  PublishStats stats;
  HEADRACE_ASSIGN(const Published published,
                  single ? publish_single(publication, &stats) : publish_swap(publication, &stats));
  state_ = State::kPublished;
  pool_.clear();
  stats.wal_bytes = wal_bytes();
  stats.bytes_sent = totals_.bytes_sent;
  if (totals_.rows_stored != totals_.rows_sent) {
    stats.warnings.push_back(fmt::format("{} rows were sent and {} stored: a trigger left rows out",
                                         totals_.rows_sent.load(), totals_.rows_stored.load()));
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
  pool_.clear();
  if (!stage_.empty()) {
    try {
      drop_staging(control_.get(), pool_, qualified(plan_.schema, stage_));
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

const SinkKind kPostgresSink = {"postgres", is_postgres_target, open_postgres};

}  // namespace headrace
