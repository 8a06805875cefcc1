// What a mode needs beside the columns: keys of upsert, the condition of delete_insert.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "plan/steps.h"

namespace headrace {
namespace {

Error usage(std::string message, std::string hint) {
  return Error(ErrorCode::kUsage, std::move(message), std::move(hint));
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

// Options of one mode given with another would be ignored; that is never what was meant.
Status check_request(const PlanInput& in) {
  const LoadRequest& request = in.request;
  const bool upsert = request.mode == Mode::kUpsert;
  if (!upsert && (!request.keys.empty() || !request.update_columns.empty() ||
                  request.on_duplicate != OnDuplicate::kError)) {
    return usage(fmt::format("keys, update columns and on-duplicate are for mode upsert; the mode is {}",
                             mode_name(request.mode)),
                 "add --mode upsert, or leave them out");
  }
  if (request.mode != Mode::kDeleteInsert && !request.replace_where.empty()) {
    return usage(fmt::format("a condition of rows to replace is for mode delete_insert; the mode is {}",
                             mode_name(request.mode)),
                 "add --mode delete_insert, or leave --replace-where out");
  }
  if (request.mode == Mode::kDeleteInsert && is_blank(request.replace_where)) {
    return usage("mode delete_insert needs the condition of the rows to replace",
                 "give --replace-where, for example --replace-where \"dataset = 'x'\"");
  }
  return {};
}

Status check_target_kind(const PlanInput& in) {
  const Mode mode = in.request.mode;
  if (mode == Mode::kCreate || mode == Mode::kAppend || mode == Mode::kReplace) return {};
  if (in.sink.dialect != Dialect::kSqlite && in.sink.server_kind != "plain") {
    return usage(fmt::format("mode {} needs a table in a database", mode_name(mode)),
                 "use create or replace");
  }
  return {};
}

Status check_verify(const PlanInput& in) {
  if (in.request.verify == VerifyLevel::kNone || in.sink.dialect == Dialect::kSqlite) return {};
  return Error(ErrorCode::kUnsupported, "--verify on a load is for SQLite targets",
               "compare a PostgreSQL table with its source after the load: headrace verify");
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// SQLite's names do not differ by case: `names` become those of the plan's columns.
void spell_as_target(const Plan& plan, std::vector<std::string>* names) {
  if (plan.dialect != Dialect::kSqlite) return;
  for (std::string& name : *names) {
    for (const ColumnPlan& column : plan.columns) {
      if (lower(column.target) == lower(name)) name = column.target;
    }
  }
}

const ColumnPlan* find_column(const Plan& plan, const std::string& target) {
  for (const ColumnPlan& column : plan.columns) {
    if (column.target == target) return &column;
  }
  return nullptr;
}

Status check_columns(const Plan& plan, const std::vector<std::string>& names, const char* what) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (find_column(plan, name) == nullptr) {
      return Error(ErrorCode::kTypeMismatch,
                   fmt::format("{} {} is not a column that the source fills", what, name),
                   "name columns of the target, as headrace plan shows them");
    }
    if (!seen.insert(name).second) {
      return usage(fmt::format("{} {} is given twice", what, name), "give it once");
    }
  }
  return {};
}

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

Status find_keys(const PlanInput& in, Plan* plan) {
  plan->keys = in.request.keys;
  if (plan->keys.empty() && in.sink.has_primary_key) {
    plan->keys = in.sink.unique_keys[0];
    decide(plan, "key", listed(plan->keys), "the primary key of the target");
  }
  if (plan->keys.empty()) {
    return usage("mode upsert needs a key, and the target has no primary key",
                 "give --key COLUMN, once for each column of a unique key");
  }
  spell_as_target(*plan, &plan->keys);
  HEADRACE_TRY(check_columns(*plan, plan->keys, "key"));
  if (plan->creates_table) {
    decide(plan, "key", listed(plan->keys), "primary key of the new table");
    for (ColumnPlan& column : plan->columns) {
      if (std::ranges::find(plan->keys, column.target) != plan->keys.end()) column.not_null = true;
    }
    return {};
  }
  const std::set<std::string> wanted(plan->keys.begin(), plan->keys.end());
  for (std::vector<std::string> key : in.sink.unique_keys) {
    spell_as_target(*plan, &key);
    if (std::set<std::string>(key.begin(), key.end()) == wanted) return {};
  }
  std::vector<std::string> quoted;
  for (const std::string& key : plan->keys) quoted.push_back('"' + key + '"');
  return Error(ErrorCode::kTypeMismatch,
               fmt::format("table {} has no unique index on ({})", in.sink.table, listed(plan->keys)),
               fmt::format("CREATE UNIQUE INDEX {}ON {} ({}), or use --mode delete_insert",
                           plan->dialect == Dialect::kSqlite ? "name " : "", in.sink.table,
                           listed(quoted)));
}

Status plan_upsert(const PlanInput& in, Plan* plan) {
  HEADRACE_TRY(find_keys(in, plan));
  plan->on_duplicate = in.request.on_duplicate;
  plan->update_columns = in.request.update_columns;
  spell_as_target(*plan, &plan->update_columns);
  HEADRACE_TRY(check_columns(*plan, plan->update_columns, "update column"));
  const auto is_key = [&](const std::string& name) {
    return std::ranges::find(plan->keys, name) != plan->keys.end();
  };
  if (const auto key = std::ranges::find_if(plan->update_columns, is_key);
      key != plan->update_columns.end()) {
    return usage(fmt::format("update column {} is a key: a key tells which row it is", *key),
                 "leave it out of the update columns");
  }
  if (!plan->update_columns.empty()) return {};
  for (const ColumnPlan& column : plan->columns) {
    if (!is_key(column.target)) plan->update_columns.push_back(column.target);
  }
  return {};
}

}  // namespace

Status plan_mode(const PlanInput& in, Plan* plan) {
  HEADRACE_TRY(check_new_partitions(in));
  HEADRACE_TRY(check_request(in));
  HEADRACE_TRY(check_target_kind(in));
  HEADRACE_TRY(check_verify(in));
  plan->replace_where = in.request.replace_where;
  return in.request.mode == Mode::kUpsert ? plan_upsert(in, plan) : Status();
}

}  // namespace headrace
