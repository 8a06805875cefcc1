#include "sink/postgres/carried_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "sink/postgres/carried_objects_sql.h"

namespace headrace {
namespace {

void add_once(std::vector<std::string>* words, std::string word) {
  if (std::ranges::find(*words, word) == words->end()) words->push_back(std::move(word));
}

Status read_kind(Connection& connection, const char* sql, const std::string& oid,
                 const std::string& stage, SwapOf swap_of, TableCopy* copy) {
  const std::map<std::string, std::vector<std::string>*> places = {
      {"setting", &copy->settings},    {"object", &copy->objects}, {"right", &copy->rights},
      {"key", &copy->keys},            {"lock", &copy->locks},
      {"trial", &copy->trials},        {"referring", &copy->referring},
      {"repoint", &copy->repointings}, {"name", &copy->names}};
  HEADRACE_ASSIGN(const PgResult rows,
                  connection.query(sql, {oid, stage, temporary_prefix(stage)}, "reading the catalog"));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    const std::string words = cell(rows, i, 0);
    if (const std::string reason = cell(rows, i, 1); !reason.empty()) {
      add_once(&copy->dependents, fmt::format("{} ({})", words, reason));
    } else if (swap_of == SwapOf::kPartition) {
      add_once(&copy->dependents, words);
    } else {
      add_once(&copy->carried, words);
      places.at(cell(rows, i, 2))->push_back(cell(rows, i, 3));
    }
  }
  return {};
}

}  // namespace

Status read_carried_objects(Connection& connection, const std::string& oid,
                            const std::string& stage, SwapOf swap_of, TableCopy* copy) {
  if (swap_of == SwapOf::kTable) {
    HEADRACE_TRY(read_kind(connection, kCarriedMembership, oid, stage, swap_of, copy));
  }
  for (const char* sql : {kCarriedTriggers, kCarriedPolicies, kCarriedRules, kCarriedForeignKeys,
                          kCarriedStatistics}) {
    HEADRACE_TRY(read_kind(connection, sql, oid, stage, swap_of, copy));
  }
  return {};
}

}  // namespace headrace
