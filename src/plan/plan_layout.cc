// One SQLite file or several (SPEC 2.3), and which rows go to which.
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "encode/codec.h"
#include "plan/steps.h"

namespace headrace {
namespace {

// What a usual SQLite attaches: a set of so many files has a view that everyone can use.
constexpr int64_t kMaxAttached = 10;
constexpr int64_t kMaxFiles = 1000;

Error usage(std::string message, std::string hint) {
  return Error(ErrorCode::kUsage, std::move(message), std::move(hint));
}

int64_t divided_up(int64_t rows, int64_t by) { return (rows + by - 1) / by; }

// The table is in several files with a manifest.
bool is_set(const SinkFacts& sink) { return sink.server_kind == "set"; }

bool asks_for_parts(const SqliteOptions& options) {
  return options.num_partitions > 0 || options.max_records > 0 || !options.partition_by.empty();
}

Status check_options(const PlanInput& in, bool partitioned) {
  const SqliteOptions& options = in.request.sqlite;
  if (in.sink.dialect != Dialect::kSqlite) {
    if (options.layout.empty() && !asks_for_parts(options)) return {};
    return usage("layouts are of SQLite files", "leave --layout and its options out");
  }
  if (!partitioned) {
    if (options.layout == "optimized" || !asks_for_parts(options)) return {};
    return usage("files by number, size or value are of layout partitioned",
                 "add --layout partitioned");
  }
  const int ways = (options.num_partitions > 0 ? 1 : 0) + (options.max_records > 0 ? 1 : 0) +
                   (options.partition_by.empty() ? 0 : 1);
  if (ways > 1) {
    return usage("--num-partitions, --max-records and --partition-by exclude each other",
                 "give one of them");
  }
  const Mode mode = in.request.mode;
  if (mode == Mode::kUpsert || mode == Mode::kDeleteInsert) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("mode {} is not for a table in several files", mode_name(mode)),
                 "use --layout single_file, or create, append or replace");
  }
  return {};
}

// Layout optimized; the reason is the decision's.
bool is_partitioned(const PlanInput& in, std::string* reason) {
  const SqliteOptions& options = in.request.sqlite;
  const int64_t rows = in.source.row_count;
  const bool appends = in.request.mode == Mode::kAppend;
  if (options.layout == "single_file") return false;
  if (options.layout == "partitioned") return *reason = "requested", true;
  if (is_set(in.sink) && (appends || options.layout.empty())) {
    return *reason = "the table is a set of files", true;
  }
  if (options.layout.empty()) return false;
  if (appends && in.sink.table_exists) return *reason = "the table is in one file", false;
  *reason = rows < 0 ? "the number of rows is not known"
                     : fmt::format("{} rows; one file takes up to {}", rows, options.optimized_rows);
  return rows < 0 || rows > options.optimized_rows;
}

Status plan_parts(const PlanInput& in, Plan* plan) {
  const SqliteOptions& options = in.request.sqlite;
  const int64_t rows = in.source.row_count;
  if (!options.partition_by.empty()) {
    for (const ColumnPlan& column : plan->columns) {
      if (strcasecmp(column.target.c_str(), options.partition_by.c_str()) == 0) {
        plan->layout.partition_by = column.target;
        decide(plan, "files", "by value", fmt::format("one for each {}", column.target));
        return {};
      }
    }
    return Error(ErrorCode::kTypeMismatch,
                 fmt::format("there is no column {} to partition by", options.partition_by),
                 "name a column of the source");
  }
  int64_t files = options.num_partitions;
  if (options.max_records > 0) {
    plan->layout.part_rows = options.max_records;
  } else if (rows < 0) {
    if (files > 1) {
      return usage("rows cannot be dealt to files: their number is not known",
                   "use --max-records");
    }
    plan->layout.part_rows = files == 1 ? 0 : options.optimized_rows;
  } else {
    if (files == 0) {
      files = std::clamp<int64_t>(divided_up(rows, options.optimized_rows), 1, kMaxAttached);
    }
    plan->layout.part_rows = std::max<int64_t>(1, divided_up(rows, files));
  }
  const int64_t part_rows = plan->layout.part_rows;
  const int64_t expected = part_rows == 0 ? 1 : rows < 0 ? -1 : divided_up(rows, part_rows);
  if (expected > kMaxFiles) {
    return usage(fmt::format("{} rows in files of {} are {} files; a set has at most {}", rows,
                             part_rows, expected, kMaxFiles),
                 "give --max-records a larger number");
  }
  decide(plan, "files", expected < 0 ? "as many as it takes" : std::to_string(expected),
         part_rows == 0 ? "requested" : fmt::format("{} rows each", part_rows));
  return {};
}

// The page writer stores values as the codec's own declared type would.
Status check_affinities(const PlanInput& in, const Plan& plan) {
  if (!is_set(in.sink)) return {};
  for (const ColumnPlan& column : plan.columns) {
    const TypeFamily* family = find_type_family(column.field.type);
    const auto own = family->default_target(column.field.type, Dialect::kSqlite);
    if (own.base == column.target_type.base) continue;
    return Error(ErrorCode::kTypeMismatch,
                 fmt::format("column {}: {} has another affinity than {}, as which the files of the "
                             "set have it",
                             column.target, type_name(column.field.type), column.target_type.sql),
                 "convert the column in the source, or load with mode replace");
  }
  return {};
}

// Layout optimized, and the table outgrows its one file, which goes when the set is there.
Status check_single_file(const PlanInput& in) {
  const SinkFacts& sink = in.sink;
  if (is_set(sink) || !sink.table_exists) return {};
  if (!sink.file_has_other_objects && sink.dependents.empty() && !sink.file_is_busy) return {};
  return Error(ErrorCode::kTargetExists,
               fmt::format("table {} is in one file, which holds other things too or is in use, and "
                           "has become too large for it",
                           sink.table),
               "use --layout single_file, a larger --optimized-rows, or another path");
}

}  // namespace

Status plan_layout(const PlanInput& in, Plan* plan) {
  std::string reason;
  const bool partitioned =
      in.sink.dialect == Dialect::kSqlite && is_partitioned(in, &reason);
  HEADRACE_TRY(check_options(in, partitioned));
  plan->layout.partitioned = partitioned;
  if (!reason.empty()) {
    decide(plan, "layout", partitioned ? "partitioned" : "single_file", reason);
  }
  if (!partitioned) return {};
  HEADRACE_TRY(check_single_file(in));
  HEADRACE_TRY(check_affinities(in, *plan));
  return plan_parts(in, plan);
}

}  // namespace headrace
