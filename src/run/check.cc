// check: the findings on a target, by the kind of the target, and what they come to.
#include "headrace/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/json_archive.h"
#include "plan/text_layout.h"
#include "sink/sink.h"

namespace headrace {
namespace {

void conclude(Readiness* readiness) {
  std::string why;
  for (const Finding& finding : readiness->findings) {
    if (finding.state != FindingState::kError) continue;
    if (!why.empty()) why += "; ";
    why += fmt::format("{}: {}", finding.subject, finding.detail);
  }
  readiness->ready = why.empty();
  if (readiness->ready) return;
  readiness->best_method.clear();
  readiness->reason = std::move(why);
}

}  // namespace

const char* finding_state_name(FindingState state) {
  switch (state) {
    case FindingState::kOk:
      return "ok";
    case FindingState::kWarning:
      return "warning";
    case FindingState::kMissing:
      return "missing";
    case FindingState::kError:
      return "error";
  }
  return "";
}

std::string Readiness::to_json() const {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back(Json{{"subject", finding.subject},
                        {"state", finding_state_name(finding.state)},
                        {"detail", finding.detail},
                        {"advice", known(finding.advice)}});
  }
  return dump(Json{{"schema_version", schema_version},
                   {"target", target},
                   {"table", known(table)},
                   {"server_kind", known(server_kind)},
                   {"ready", ready},
                   {"best_method", known(best_method)},
                   {"reason", reason},
                   {"findings", list}},
              2);
}

std::string Readiness::to_text() const {
  std::string out;
  append_field(&out, "target", printable(target));
  append_field(&out, "table", printable(table));
  append_field(&out, "ready", ready ? "yes" : "no: " + printable(reason));
  if (ready) append_field(&out, "method", fmt::format("{}: {}", best_method, reason));
  TextTable table_of_findings({{"state"}, {"subject"}, {"finding"}});
  for (const Finding& finding : findings) {
    table_of_findings.add_row(
        {finding_state_name(finding.state), finding.subject, printable(finding.detail)});
    if (!finding.advice.empty())
      table_of_findings.add_row({"", "", "-> " + printable(finding.advice)});
  }
  return out + "\n" + table_of_findings.render();
}

Result<Readiness> check(const std::string& target, const std::string& table) {
  HEADRACE_ASSIGN(const SinkKind* kind, find_sink_kind(target));
  if (kind->check == nullptr) {
    return Error(ErrorCode::kUsage,
                 fmt::format("there is nothing to check in a {} target", kind->name),
                 "give a PostgreSQL or SQLite target");
  }
  Readiness readiness;
  HEADRACE_TRY(kind->check(target, table, &readiness));
  conclude(&readiness);
  return readiness;
}

}  // namespace headrace
