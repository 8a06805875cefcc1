// gc: what crashed loads left in a target, by the kind of the target.
#include "headrace/gc.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/json_archive.h"
#include "plan/text_layout.h"
#include "sink/sink.h"

namespace headrace {

const char* leftover_state_name(LeftoverState state) {
  switch (state) {
    case LeftoverState::kRemoved:
      return "removed";
    case LeftoverState::kLive:
      return "live";
    case LeftoverState::kNotOurs:
      return "not ours";
    case LeftoverState::kNotPermitted:
      return "not permitted";
    case LeftoverState::kFailed:
      return "failed";
  }
  return "";
}

int64_t GcReport::count(LeftoverState state) const {
  return std::count_if(leftovers.begin(), leftovers.end(),
                       [&](const Leftover& leftover) { return leftover.state == state; });
}

std::string GcReport::to_json() const {
  Json list = Json::array();
  for (const Leftover& leftover : leftovers) {
    list.push_back(Json{{"name", leftover.name},
                        {"state", leftover_state_name(leftover.state)},
                        {"load_id", known(leftover.load_id)},
                        {"bytes", known(leftover.bytes)},
                        {"detail", leftover.detail}});
  }
  return dump(Json{{"schema_version", schema_version},
                   {"target", target},
                   {"dry_run", dry_run},
                   {"removed", count(LeftoverState::kRemoved)},
                   {"leftovers", list}},
              2);
}

std::string GcReport::to_text() const {
  const int64_t removed = count(LeftoverState::kRemoved);
  const int64_t left = static_cast<int64_t>(leftovers.size()) - removed;
  std::string out;
  append_field(&out, "target", printable(target));
  append_field(&out, dry_run ? "to remove" : "removed", grouped(removed));
  append_field(&out, "left", grouped(left));
  if (leftovers.empty()) return out;
  TextTable table({{"state"}, {"name"}, {"size", true}, {"load id"}, {"detail"}});
  for (const Leftover& leftover : leftovers) {
    const bool kept = dry_run && leftover.state == LeftoverState::kRemoved;
    table.add_row({kept ? "to remove" : leftover_state_name(leftover.state),
                   printable(leftover.name), leftover.bytes < 0 ? "" : size_text(leftover.bytes),
                   printable(leftover.load_id), printable(leftover.detail)});
  }
  return out + "\n" + table.render();
}

Result<GcReport> gc(const GcRequest& request) {
  HEADRACE_ASSIGN(const SinkKind* kind, find_sink_kind(request.target));
  if (kind->gc == nullptr) {
    return Error(ErrorCode::kUsage, fmt::format("gc does not know targets of kind {}", kind->name),
                 "give a PostgreSQL or SQLite target");
  }
  GcReport report;
  report.dry_run = request.dry_run;
  HEADRACE_TRY(kind->gc(request, &report));
  return report;
}

}  // namespace headrace
