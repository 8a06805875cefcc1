// Which commit scope a PostgreSQL load has (SPEC 2.2): how its rows become visible at once.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/steps.h"

namespace headrace {
namespace {

// Below this, opening further connections and a staging table costs more than it saves. An entry of
// an index costs about as much as a row: indexes that are built afterwards are worth more than that.
constexpr int64_t kRowsForMore = 200000;
constexpr int64_t kBytesForMore = 16 << 20;  // of the source

// Append to a table with rows: up to so many old rows for a new one, a table of both is built beside
// the old one and swapped in, its indexes built whole; above it, indexes are kept and grow row by
// row. To measure: append N rows to a table of N/20, N/10, N/5 and N/2 rows with 1, 4 and 12 indexes,
// once with --connections 1 (which keeps) and once without, and compare the report's time; the
// writers' wait is the copying of the old rows.
constexpr double kOldRowsPerNewRow = 0.1;

// delete_insert: up to this share of the old rows stays for a swap. Copying them and building whole
// indexes must be cheaper than deleting the others; the result has no dead rows. To measure as above.
constexpr double kKeptShare = 0.2;

constexpr const char* kNoSlot = "the server has no slot for a further connection";

// Empty: a swap is possible. Otherwise why not.
std::string no_swap_reason(const PlanInput& in, const Plan& plan) {
  const SinkFacts& sink = in.sink;
  if (plan.method == "standard") return "method standard is one connection";
  if (sink.max_writers < 1) return kNoSlot;
  if (!sink.can_create) return fmt::format("the user may not create tables in schema {}", sink.schema);
  if (!sink.table_exists) return "";
  if (sink.relation_kind == "partitioned table") {
    const std::string reason = no_partition_routing_reason(in, plan);
    return reason.empty() ? "" : fmt::format("the target is partitioned, and {}", reason);
  }
  if (sink.relation_kind != "table") return fmt::format("the target is a {}", sink.relation_kind);
  if (!sink.is_owner) return "the user does not own the table";
  if (!sink.dependents.empty()) {
    return fmt::format("it would lose {}", fmt::join(sink.dependents, ", "));
  }
  return "";
}

// For a table whose rows stay, in part or all: empty, or why they are not copied into a new one.
std::string no_keeping_reason(const PlanInput& in, const Plan& plan) {
  const SinkFacts& sink = in.sink;
  if (sink.relation_kind == "partitioned table") return "the target is partitioned";
  if (std::string reason = no_swap_reason(in, plan); !reason.empty()) return reason;
  if (sink.has_identity) return "a column takes its values from a sequence of the table's own";
  if (in.request.tuning.connections == 1) return "one connection requested";
  if (sink.row_estimate < 0) return "the number of its rows is not known";
  if (in.request.mode == Mode::kDeleteInsert) {
    const int64_t kept = std::max<int64_t>(sink.row_estimate - sink.matching_estimate, 0);
    if (sink.matching_estimate < 0) return "the number of rows that meet the condition is not known";
    if (sink.row_estimate < kRowsForMore) return fmt::format("it has about {} rows only", sink.row_estimate);
    if (static_cast<double>(kept) <= kKeptShare * static_cast<double>(sink.row_estimate)) return "";
    return fmt::format("about {} of its {} rows stay, more than {}%", kept, sink.row_estimate,
                       std::lround(100 * kKeptShare));
  }
  if (in.source.row_count < 0) return "the number of new rows is not known";
  if (in.source.row_count < kRowsForMore) return fmt::format("{} new rows are few", in.source.row_count);
  if (static_cast<double>(sink.row_estimate) <= kOldRowsPerNewRow * static_cast<double>(in.source.row_count)) {
    return "";
  }
  return fmt::format("it has about {} rows for {} new ones, more than {} for one", sink.row_estimate,
                     in.source.row_count, kOldRowsPerNewRow);
}

bool is_small(const PlanInput& in) {
  const auto entries = in.sink.table_is_empty ? static_cast<int64_t>(in.sink.indexes.size()) + 1 : 1;
  return in.source.row_count >= 0 && in.source.row_count * entries < kRowsForMore &&
         in.source.byte_count < kBytesForMore;
}

void choose(Plan* plan, CommitScope scope, std::string reason) {
  plan->commit_scope = scope;
  decide(plan, "commit_scope", commit_scope_name(scope), std::move(reason));
}

// What becomes of the indexes, and of all that hangs on the table.
void plan_table(const PlanInput& in, Plan* plan, std::string reason) {
  if (!in.sink.table_exists) return;
  const bool swaps = plan->commit_scope == CommitScope::kSwap;
  if (!in.sink.indexes.empty()) {
    plan->index_action = swaps ? "build after" : "keep";
    decide(plan, "indexes", swaps ? "rebuilt" : "kept", std::move(reason));
  }
  if (swaps && !in.sink.carried.empty()) {
    const size_t count = in.sink.carried.size();
    decide(plan, "carried over", fmt::format("{} object{}", count, count == 1 ? "" : "s"),
           fmt::format("{}", fmt::join(in.sink.carried, ", ")));
  }
}

// Empty: N transactions can write into the target and be committed together.
std::string no_together_reason(const PlanInput& in, const Plan& plan) {
  if (in.request.mode != Mode::kAppend || !in.sink.table_exists) return "it is for appends to a table with rows";
  if (plan.method == "standard") return "method standard is one connection";
  if (in.sink.max_writers < 1) return kNoSlot;
  if (!in.sink.can_create) return "its ledger needs CREATE on the schema";
  if (in.request.tuning.connections == 1) return "one connection requested";
  if (is_small(in) && in.request.tuning.connections == 0) return "few rows";
  return "";
}

// Appends that no swap can publish. False: one transaction it is.
bool plan_together(const PlanInput& in, const std::string& no_swap, Plan* plan) {
  const std::string reason = no_together_reason(in, *plan);
  const bool fast = in.request.atomic == Atomic::kFast;
  if (reason.empty() && fast) {
    choose(plan, CommitScope::kTogether,
           fmt::format("several connections write into the table and are committed together; a swap is not "
                       "possible: {}", no_swap));
    plan->warnings.push_back(
        "--atomic fast: new READ COMMITTED statements see all rows or none; transactions that hold a lock on "
        "the table already, and REPEATABLE READ snapshots taken while it commits, may see a part");
    return true;
  }
  if (reason.empty()) {
    decide(plan, "atomic", "strict",
           "--atomic fast would write over several connections at once; new READ COMMITTED statements would still "
           "see all or nothing");
  } else if (fast) {
    decide(plan, "atomic", "strict", fmt::format("fast was asked for; {}", reason));
  }
  return false;
}

// Append to a table with rows.
void plan_growth(const PlanInput& in, Plan* plan) {
  const std::string no_keeping = no_keeping_reason(in, *plan);
  if (!no_keeping.empty()) {
    if (plan_together(in, no_keeping, plan)) return;
    choose(plan, CommitScope::kSingle, "one transaction on one connection; the table has rows already");
    plan_table(in, plan, fmt::format("no new table with the old rows is built: {}", no_keeping));
    return;
  }
  plan->keeps_rows = true;
  choose(plan, CommitScope::kSwap,
         fmt::format("{} new rows and about {} old ones: a table of both is built and swapped in; writers "
                     "wait while the old rows are copied, readers do not",
                     in.source.row_count, in.sink.row_estimate));
  plan_table(in, plan, fmt::format("{} rows are new, about {} old", in.source.row_count, in.sink.row_estimate));
}

// Modes that add rows to what is there, or replace all of it.
void plan_whole(const PlanInput& in, Plan* plan) {
  const bool replaces = in.request.mode == Mode::kReplace && in.sink.table_exists;
  const bool partitioned = in.sink.relation_kind == "partitioned table";
  if (in.sink.table_exists && !replaces && !in.sink.table_is_empty && !partitioned) return plan_growth(in, plan);
  const std::string no_swap = no_swap_reason(in, *plan);
  const int asked = in.request.tuning.connections;
  const bool makes = !in.request.create_partitions.empty();
  if (!no_swap.empty() && plan_together(in, no_swap, plan)) return;
  if (!no_swap.empty()) {
    choose(plan, CommitScope::kSingle,
           fmt::format("one transaction on one connection; a swap is not possible: {}", no_swap));
    plan_table(in, plan, "the rows go into the table itself");
    if (!replaces) return;
    plan->warnings.push_back(fmt::format(
        "rows are replaced by DELETE and {} in one transaction, slower than a swap, because {}",
        plan->method == "copy" ? "COPY" : "INSERT", no_swap));
  } else if (replaces) {
    choose(plan, CommitScope::kSwap, "readers see the old rows until the renames");
  } else if (!makes && (asked == 1 || (is_small(in) && asked == 0))) {
    choose(plan, CommitScope::kSingle,
           asked == 1 ? "one connection requested" : "few rows: one transaction on one connection");
  } else {
    choose(plan, CommitScope::kSwap,
           "several connections fill a table nobody sees; one short transaction publishes it");
  }
  if (no_swap.empty()) {
    plan_table(in, plan, plan->commit_scope == CommitScope::kSwap ? "all rows are new: built at once, before they are seen"
                                                                  : "few rows go into the table itself");
  }
  if (partitioned && plan->commit_scope == CommitScope::kSwap) plan_partition_routing(in, plan);
}

void plan_truncate(Plan* plan) {
  choose(plan, CommitScope::kSingle, "TRUNCATE and the load are one transaction on one connection");
  plan->warnings.push_back(
      "readers of the table wait from TRUNCATE to the commit; --mode replace does not block them");
}

// The staging table numbers its rows where the first or last of several has to be known.
void number_rows(Plan* plan) {
  ColumnPlan number;
  number.source_index = kRowNumberSource;
  number.field = {kRowNumberColumn, {}, false};
  number.field.type.id = TypeId::kInt64;
  number.target = kRowNumberColumn;
  number.target_type = {"bigint", "int8", -1};
  number.codec = "integer";
  plan->columns.push_back(std::move(number));
}

Status plan_staged(const PlanInput& in, Plan* plan) {
  const SinkFacts& sink = in.sink;
  const int asked = in.request.tuning.connections;
  if (!sink.can_create && !sink.can_create_temporary) {
    return Error(ErrorCode::kServer,
                 fmt::format("mode {} needs a staging table, and the user may create neither tables "
                             "in schema {} nor temporary ones",
                             mode_name(plan->mode), sink.schema),
                 "GRANT TEMPORARY ON DATABASE, or CREATE on the schema");
  }
  if (plan->mode == Mode::kDeleteInsert) {
    const std::string no_keeping = no_keeping_reason(in, *plan);
    if (no_keeping.empty()) {
      plan->keeps_rows = true;
      choose(plan, CommitScope::kSwap,
             fmt::format("about {} of {} rows are replaced: a new table is built and swapped in, without dead "
                         "rows; writers wait while the others are copied, readers do not",
                         sink.matching_estimate, sink.row_estimate));
      plan_table(in, plan, fmt::format("about {} of {} rows are new", sink.matching_estimate, sink.row_estimate));
      return {};
    }
    decide(plan, "swap", "no", no_keeping);
  }
  const bool one = asked == 1 || plan->method == "standard" || (asked == 0 && is_small(in)) ||
                   !sink.can_create || sink.max_writers < 1;
  plan->stage_is_temporary = one && sink.can_create_temporary;
  std::string reason = "several connections fill an unlogged table; one transaction merges it";
  if (plan->stage_is_temporary) {
    reason = !sink.can_create ? "the user may not create tables in the schema: a temporary one is filled, then merged"
                              : "a temporary table is filled, then merged, in one transaction";
  }
  choose(plan, CommitScope::kStaged, std::move(reason));
  if (plan->mode == Mode::kUpsert && plan->on_duplicate != OnDuplicate::kError) number_rows(plan);
  return {};
}

}  // namespace

Status plan_commit_scope(const PlanInput& in, Plan* plan) {
  if (in.sink.server_kind == "file") {
    plan->commit_scope = CommitScope::kFile;
    return {};
  }
  if (in.sink.server_kind == "null") {
    plan->commit_scope = CommitScope::kNone;
    return {};
  }
  const bool makes_partitions = !in.request.create_partitions.empty();
  const std::string no_partitions = makes_partitions ? no_partition_routing_reason(in, *plan) : "";
  if (!no_partitions.empty()) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("partitions cannot be made by this load: {}", no_partitions),
                 "create the partitions first, and leave --create-partitions out");
  }
  const bool truncates = plan->mode == Mode::kTruncate && in.sink.table_exists;
  const bool deletes = plan->mode == Mode::kDeleteInsert && in.sink.table_exists;
  if (plan->mode == Mode::kUpsert || deletes) return plan_staged(in, plan);
  if (truncates) {
    plan_truncate(plan);
  } else {
    plan_whole(in, plan);
  }
  return {};
}

}  // namespace headrace
