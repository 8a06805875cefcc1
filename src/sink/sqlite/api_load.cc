#include "sink/sqlite/api_load.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/phase_timer.h"
#include "sink/plan_sums.h"
#include "sink/sqlite/ddl.h"
#include "sink/sqlite/merge.h"
#include "sink/sqlite/table_scan.h"

namespace headrace {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::set<std::string> lower_set(const std::vector<std::string>& names) {
  std::set<std::string> set;
  for (const std::string& name : names) set.insert(lower(name));
  return set;
}

// On lines of its own: a comment at its end must not swallow the parenthesis.
std::string condition(const Plan& plan) { return fmt::format("({}\n)", plan.replace_where); }

std::string delete_matching_sql(const Plan& plan) {
  return fmt::format("DELETE FROM {} WHERE {}", sqlite_identifier(plan.table), condition(plan));
}

std::string count_matching_sql(const Plan& plan) {
  return fmt::format("SELECT count(*) FROM {} WHERE {}", sqlite_identifier(plan.table),
                     condition(plan));
}

std::string count_sql(const Plan& plan) {
  return fmt::format("SELECT count(*) FROM {}", sqlite_identifier(plan.table));
}

bool deletes_all(const Plan& plan) {
  return plan.mode == Mode::kReplace || plan.mode == Mode::kTruncate;
}

}  // namespace

std::vector<std::string> ApiLoad::statements(const Plan& plan) {
  std::vector<std::string> sql;
  if (plan.creates_table) {
    sql.push_back(sqlite_create_table(plan));
  } else if (deletes_all(plan)) {
    sql.push_back(sqlite_delete_all(plan));
  } else if (plan.mode == Mode::kDeleteInsert) {
    sql.push_back(delete_matching_sql(plan));
  }
  if (plan.mode == Mode::kDeleteInsert) sql.push_back(count_matching_sql(plan));
  if (plan.mode == Mode::kUpsert) {
    sql.push_back(sqlite_create_stage(plan));
    sql.push_back(sqlite_merge_statement(plan));
  }
  for (const IndexPlan& index : plan.indexes) sql.push_back(sqlite_create_index(plan, index));
  return sql;
}

Status ApiLoad::start(const SqliteCatalog& catalog) {
  HEADRACE_TRY(make_room(catalog));
  if (plan_.index_action == "build after") HEADRACE_TRY(drop_indexes(catalog));
  if (plan_.mode == Mode::kUpsert) {
    key_.columns = plan_.keys;
    key_.collations.assign(plan_.keys.size(), "BINARY");
    for (const SqliteUniqueKey& key : catalog.unique_keys) {
      if (lower_set(key.columns) == lower_set(plan_.keys)) {
        key_ = key;
        break;
      }
    }
    HEADRACE_TRY(db_->run_one(sqlite_create_stage(plan_)));
  }
  return note_rows_before();
}

Status ApiLoad::make_room(const SqliteCatalog& catalog) {
  if (!catalog.table_exists) return db_->run_one(sqlite_create_table(plan_));
  if (plan_.mode == Mode::kCreate) {
    return Error(ErrorCode::kTargetExists,
                 fmt::format("table {} exists in {}", catalog.table, db_->path()),
                 "load with mode append or replace, or give another table name");
  }
  if (plan_.creates_table && !deletes_all(plan_)) {
    return Error(ErrorCode::kTargetExists,
                 fmt::format("table {} appeared in {} meanwhile", catalog.table, db_->path()),
                 "load again");
  }
  if (catalog.relation_kind != "table") {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("{} is a {}, not a table", catalog.table, catalog.relation_kind));
  }
  if (catalog.has_foreign_keys) {
    HEADRACE_ASSIGN(const int64_t enforced, db_->integer("PRAGMA foreign_keys"));
    if (enforced == 0) {
      warnings_.push_back(fmt::format(
          "foreign keys of table {} were not checked; PRAGMA foreign_key_check does that",
          catalog.table));
    }
  }
  if (deletes_all(plan_)) return db_->run_one(sqlite_delete_all(plan_));
  if (plan_.mode == Mode::kDeleteInsert) return db_->run_one(delete_matching_sql(plan_));
  return {};
}

Status ApiLoad::drop_indexes(const SqliteCatalog& catalog) {
  if (!catalog.dependents.empty()) return {};
  for (const SqliteIndex& index : catalog.indexes) {
    if (!index.unique && !index.create.empty()) dropped_.push_back(index);
  }
  if (dropped_.empty()) return {};
  // Dropping an index drops what ANALYZE said of it.
  HEADRACE_ASSIGN(const int64_t analyzed,
                  db_->integer("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'"));
  if (analyzed != 0) {
    HEADRACE_ASSIGN(Statement find, db_->prepare("SELECT EXISTS (SELECT 1 FROM sqlite_stat1 WHERE "
                                                 "tbl = ? COLLATE NOCASE)"));
    find.bind_text(1, plan_.table);
    HEADRACE_ASSIGN(const bool row, find.step());
    has_statistics_ = row && find.integer(0) != 0;
  }
  for (const SqliteIndex& index : dropped_) {
    HEADRACE_TRY(db_->run_one("DROP INDEX " + sqlite_identifier(index.name)));
  }
  return {};
}

Status ApiLoad::build_indexes() {
  const auto start = std::chrono::steady_clock::now();
  for (const SqliteIndex& index : dropped_) HEADRACE_TRY(db_->run_one(index.create));
  for (const IndexPlan& index : plan_.indexes) {
    HEADRACE_TRY(db_->run_one(sqlite_create_index(plan_, index)));
  }
  if (has_statistics_) HEADRACE_TRY(db_->run_one("ANALYZE " + sqlite_identifier(plan_.table)));
  if (!dropped_.empty() || !plan_.indexes.empty()) index_seconds_ = seconds_since(start);
  return {};
}

Result<std::unique_ptr<SinkWriter>> ApiLoad::open_writer() {
  return ApiWriter::open(db_, plan_, plan_.mode == Mode::kUpsert ? kSqliteStage : "", &totals_);
}

Status ApiLoad::merge(const TableSums* loaded) {
  if (loaded != nullptr) HEADRACE_TRY(verify_stage(*loaded));
  HEADRACE_ASSIGN(const SqliteMergeCounts counts, merge_sqlite_stage(*db_, plan_, key_));
  rows_ = counts.rows_merged;
  rows_duplicated_ = counts.rows_duplicated;
  const int64_t staged = totals_.rows - rows_duplicated_;
  if (!plan_.update_columns.empty() && rows_ != staged) {
    return Error(ErrorCode::kRejectedValue,
                 fmt::format("table {} took {} of {} rows without an error", plan_.table, rows_,
                             staged),
                 "a trigger on the table drops rows");
  }
  if (rows_duplicated_ > 0) {
    warnings_.push_back(fmt::format(
        "{} rows were left out: another row of the source has their key (--on-duplicate {})",
        rows_duplicated_, on_duplicate_name(plan_.on_duplicate)));
  }
  if (loaded != nullptr) HEADRACE_TRY(verify_merged());
  return db_->run_one(fmt::format("DROP TABLE {}", kSqliteStage));
}

// The rows that met the condition are gone, so those that meet it now are those of the load.
Status ApiLoad::check_condition() {
  HEADRACE_ASSIGN(const int64_t inside, db_->integer(count_matching_sql(plan_)));
  if (inside == totals_.rows) return {};
  return Error(
      ErrorCode::kRejectedValue,
      fmt::format("{} rows of the source do not meet the condition of the rows to replace: {}",
                  totals_.rows - inside, plan_.replace_where),
      "the condition and the source must be of the same rows: correct one of them");
}

Status ApiLoad::finish(const TableSums* loaded) {
  rows_ = totals_.rows;
  if (plan_.mode == Mode::kUpsert) HEADRACE_TRY(merge(loaded));
  if (plan_.mode == Mode::kDeleteInsert) HEADRACE_TRY(check_condition());
  HEADRACE_TRY(build_indexes());
  finished_ = true;
  if (loaded == nullptr || plan_.mode == Mode::kUpsert) return {};
  return verify_rows(*loaded);
}

Status ApiLoad::note_rows_before() {
  if (plan_.verify == VerifyLevel::kNone || plan_.mode == Mode::kUpsert) return {};
  if (plan_.verify == VerifyLevel::kQuick) {
    HEADRACE_ASSIGN(rows_before_, db_->integer(count_sql(plan_)));
    return {};
  }
  before_.emplace(plan_sums(plan_));
  return scan_sqlite(*db_, sqlite_select(plan_, sqlite_identifier(plan_.table)), nullptr, &*before_);
}

// Rows that were there before are in both sums.
Status ApiLoad::verify_rows(const TableSums& loaded) {
  if (plan_.verify == VerifyLevel::kQuick) {
    HEADRACE_ASSIGN(const int64_t rows, db_->integer(count_sql(plan_)));
    if (rows - rows_before_ == loaded.rows()) return {};
    return Error(ErrorCode::kVerification,
                 fmt::format("{} rows were written instead of {}", rows - rows_before_,
                             loaded.rows()),
                 "nothing was published; do triggers of the table insert or delete rows?");
  }
  TableSums found = plan_sums(plan_);
  HEADRACE_TRY(scan_sqlite(*db_, sqlite_select(plan_, sqlite_identifier(plan_.table)), nullptr,
                           &found));
  found.subtract(*before_);
  return compare_sums(plan_, found, loaded);
}

Status ApiLoad::verify_stage(const TableSums& loaded) {
  if (plan_.verify == VerifyLevel::kQuick) {
    HEADRACE_ASSIGN(const int64_t rows,
                    db_->integer(fmt::format("SELECT count(*) FROM {}", kSqliteStage)));
    if (rows == loaded.rows()) return {};
    return Error(ErrorCode::kVerification,
                 fmt::format("{} rows were staged instead of {}", rows, loaded.rows()),
                 "nothing was published");
  }
  TableSums found = plan_sums(plan_);
  HEADRACE_TRY(scan_sqlite(*db_, sqlite_select(plan_, kSqliteStage), nullptr, &found));
  return compare_sums(plan_, found, loaded);
}

// Each row of the staging table is in the target: with its key, and with what it was to change.
Status ApiLoad::verify_merged() {
  std::string same, keyed;
  for (const std::string& key : plan_.keys) {
    const std::string name = sqlite_identifier(key);
    same += fmt::format("{}t.{} = s.{}", same.empty() ? "" : " AND ", name, name);
    keyed += fmt::format("{}s.{} IS NOT NULL", keyed.empty() ? "" : " AND ", name);
  }
  for (const std::string& column : plan_.update_columns) {
    same += fmt::format(" AND t.{0} IS s.{0}", sqlite_identifier(column));
  }
  HEADRACE_ASSIGN(const int64_t missing,
                  db_->integer(fmt::format("SELECT count(*) FROM {} s WHERE {} AND NOT EXISTS "
                                           "(SELECT 1 FROM {} t WHERE {})",
                                           kSqliteStage, keyed, sqlite_identifier(plan_.table),
                                           same)));
  if (missing == 0) return {};
  return Error(ErrorCode::kVerification,
               fmt::format("{} rows are not in {} as they were loaded", missing, plan_.table),
               "nothing was published; does a trigger of the table change rows?");
}

}  // namespace headrace
