#include "sink/sqlite/pages_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/phase_timer.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/layer_schema.h"
#include "sink/sqlite/page_writer.h"

namespace headrace {
namespace {

constexpr size_t kMinRunBytes = 1 << 20;
constexpr int64_t kDefaultSortBytes = 256 << 20;

const ColumnPlan* rowid_column(const Plan& plan) {
  for (const ColumnPlan& column : plan.columns) {
    if (column.is_rowid) return &column;
  }
  return nullptr;
}

const ColumnPlan* column_of(const Plan& plan, const std::string& name) {
  for (const ColumnPlan& column : plan.columns) {
    if (column.target == name) return &column;
  }
  return nullptr;
}

// SQLite makes an index of its own for a primary key that is not the rowid.
bool has_key_index(const Plan& plan) {
  return !plan.primary_key.empty() && rowid_column(plan) == nullptr;
}

// Bytes that a value takes in an index key (index_key.h), as far as the type tells.
struct KeyBytes {
  size_t bytes = 0;
  bool is_certain = true;  // no value takes more
};

KeyBytes key_bytes(const ColumnPlan& column) {
  constexpr size_t kInteger = 9, kReal = 18, kDate = 13, kTimestamp = 22, kCode = 15;
  const TypeId id = column.field.type.id;
  if (column.is_rowid || id <= TypeId::kUint64) return {kInteger};
  if (id <= TypeId::kDecimal) return {kReal, column.target_type.base != "TEXT"};
  if (id == TypeId::kDate32 || id == TypeId::kDate64) {
    return {column.target_type.base == "TEXT" ? kDate : kReal, false};
  }
  if (id == TypeId::kTimestamp) return {kTimestamp, false};
  return {kCode, false};
}

bool has_statistics(const Plan& plan) {
  return plan.analyze && (has_key_index(plan) || !plan.indexes.empty());
}

}  // namespace

std::vector<std::string> PagesLoad::statements(const Plan& plan, const std::string& create_table) {
  std::vector<std::string> sql = layer_tables(plan);
  sql.push_back(create_table.empty() ? sqlite_create_table(plan) : create_table);
  for (std::string& statement : layer_rtrees(plan)) sql.push_back(std::move(statement));
  for (const IndexPlan& index : plan.indexes) sql.push_back(sqlite_create_index(plan, index));
  if (has_statistics(plan)) sql.push_back("ANALYZE");  // an empty sqlite_stat1, to be filled
  return sql;
}

Result<std::unique_ptr<PagesLoad>> PagesLoad::create(int fd, const std::string& path,
                                                     const std::string& target, const Plan& plan,
                                                     const Old& old) {
  std::unique_ptr<PagesLoad> load(new PagesLoad(plan, target));
  PageFileOptions options;
  options.schema = statements(plan, old.create_table);
  options.page_bytes = static_cast<uint32_t>(plan.page_bytes);
  options.user_version = old.user_version;
  options.application_id = old.application_id;
  mark_layer_file(plan, &options);
  HEADRACE_ASSIGN(load->file_, PageFile::create(fd, path, options));
  HEADRACE_TRY(load->add_table());
  if (has_key_index(plan)) {
    const std::string name = fmt::format("sqlite_autoindex_{}_1", plan.table);
    HEADRACE_TRY(load->add_index(name, plan.primary_key, true));
  }
  for (const IndexPlan& index : plan.indexes) {
    HEADRACE_TRY(load->add_index(index.name, index.columns, index.unique));
  }
  load->add_rtrees();
  return load;
}

void PagesLoad::add_rtrees() {
  for (const ColumnPlan* geometry : layer_geometries(plan_)) {
    rtrees_.push_back(std::make_unique<RTreeBuilder>(
        file_.get(), &spill_, layer_rtree_name(plan_, *geometry),
        static_cast<int>(geometry - plan_.columns.data()), layer_blob_reader(plan_), run_bytes()));
  }
}

// Memory of a run of keys: each writer has one for each index, and one for the rows of a keyed
// table.
size_t PagesLoad::run_bytes() const {
  const int64_t bytes = plan_.sort_bytes > 0 ? plan_.sort_bytes : kDefaultSortBytes;
  const size_t runs = plan_.indexes.size() + 1;
  return std::max(static_cast<size_t>(bytes) / runs / static_cast<size_t>(plan_.workers),
                  kMinRunBytes);
}

Status PagesLoad::add_table() {
  PageTable::Options options;
  HEADRACE_ASSIGN(options.root, file_->root_of(plan_.table));
  options.writers = plan_.workers;
  if (const ColumnPlan* column = rowid_column(plan_)) options.key = column->target;
  options.run_bytes = run_bytes();
  options.spill = &spill_;
  options.origins = &origins_;
  table_ = std::make_unique<PageTable>(file_.get(), options);
  return {};
}

Status PagesLoad::add_index(const std::string& name, const std::vector<std::string>& columns,
                            bool unique) {
  IndexBuilder::Options options;
  options.name = name;
  HEADRACE_ASSIGN(options.root, file_->root_of(name));
  options.columns = columns;
  for (const std::string& column : columns) {
    const ColumnPlan* found = column_of(plan_, column);
    if (found == nullptr) {
      return Error(ErrorCode::kInternal, fmt::format("index {} is on no column {}", name, column));
    }
    options.record_columns.push_back(found->is_rowid
                                         ? IndexKeyMaker::kRowid
                                         : static_cast<int>(found - plan_.columns.data()));
  }
  size_t key_bytes_in_all = 0;
  bool is_certain = true;
  for (const std::string& name : columns) {
    const KeyBytes bytes = key_bytes(*column_of(plan_, name));
    key_bytes_in_all += bytes.bytes;
    is_certain &= bytes.is_certain;
  }
  // A short key has no row's number.
  const bool needs_number = table_->is_keyed() && (unique || !is_certain);
  options.short_words = needs_number ? 0 : short_words(key_bytes_in_all);
  options.unique = unique;
  options.table_is_keyed = table_->is_keyed();
  options.counts_distinct = has_statistics(plan_);
  options.run_bytes = run_bytes();
  options.threads = plan_.workers;
  indexes_.push_back(
      std::make_unique<IndexBuilder>(file_.get(), &spill_, &origins_, std::move(options)));
  return {};
}

std::unique_ptr<SinkWriter> PagesLoad::open_writer() {
  const bool names_rows = table_->is_keyed() || !indexes_.empty();
  return std::make_unique<PageWriter>(table_.get(), &indexes_, names_rows ? &origins_ : nullptr,
                                      &rtrees_);
}

Status PagesLoad::complete() {
  HEADRACE_TRY(table_->complete());
  const auto start = std::chrono::steady_clock::now();
  for (const auto& index : indexes_) HEADRACE_TRY(index->build());
  for (const auto& rtree : rtrees_) HEADRACE_TRY(rtree->build());
  if (!indexes_.empty() || !rtrees_.empty()) index_seconds_ = seconds_since(start);
  HEADRACE_TRY(file_->close_pages());
  if (has_statistics(plan_) || !rtrees_.empty()) HEADRACE_TRY(fill_small_tables());
  return file_->sync();
}

// A few rows, whose values are known only now, through SQLite.
Status PagesLoad::fill_small_tables() {
  HEADRACE_ASSIGN(Connection db, Connection::open(file_->path(), Connection::kReadWrite, 0));
  HEADRACE_TRY(db.run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN"));
  if (has_statistics(plan_)) HEADRACE_TRY(write_statistics(db));
  std::vector<LayerFacts> facts;
  for (const auto& rtree : rtrees_) facts.push_back(rtree->facts());
  if (!facts.empty()) HEADRACE_TRY(register_layer(db, plan_, facts));
  return db.run("COMMIT");
}

// The same rows that ANALYZE would write, of counts that were taken while merging.
Status PagesLoad::write_statistics(Connection& db) {
  HEADRACE_ASSIGN(Statement insert, db.prepare("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)"));
  // In the order of ANALYZE, which takes the index that was made last first.
  for (auto index = indexes_.rbegin(); index != indexes_.rend(); ++index) {
    const std::string stat = (*index)->stat();
    if (stat.empty()) continue;
    sqlite3_reset(insert.get());
    insert.bind_text(1, plan_.table);
    insert.bind_text(2, (*index)->options().name);
    insert.bind_text(3, stat);
    HEADRACE_TRY(insert.step());
  }
  return {};
}

}  // namespace headrace
