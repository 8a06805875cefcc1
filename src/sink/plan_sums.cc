#include "sink/plan_sums.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace headrace {
namespace {

// Types whose values PostgreSQL gives back in its own words: jsonb sorts keys, citext and the text
// of a type that a codec sends as text may be written otherwise.
constexpr std::array<std::string_view, 2> kRewritten = {"jsonb", "tsvector"};

SumRule rule_of(const Plan& plan, const ColumnPlan& column) {
  const std::string& type = column.target_type.base;
  if (column.is_rowid) return SumRule::kRowid;
  if (plan.dialect == Dialect::kSqlite) {
    return type == "TEXT" ? SumRule::kNumbersAsText : SumRule::kValue;
  }
  return std::ranges::find(kRewritten, type) != kRewritten.end() ? SumRule::kNullsOnly
                                                                 : SumRule::kValue;
}

}  // namespace

TableSums plan_sums(const Plan& plan) {
  std::vector<SumRule> rules;
  for (const ColumnPlan& column : plan.columns) rules.push_back(rule_of(plan, column));
  return TableSums(std::move(rules));
}

std::vector<std::string> plan_column_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const ColumnPlan& column : plan.columns) names.push_back(column.target);
  return names;
}

}  // namespace headrace
