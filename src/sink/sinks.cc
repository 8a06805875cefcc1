// Every kind of target. A new one is one folder or file and one line here.
#include <fmt/format.h>

#include "sink/null_sink.h"
#include "sink/pgcopy_file.h"
#include "sink/postgres/postgres_sink.h"
#include "sink/sink.h"
#include "sink/sqlite/sqlite_sink.h"

namespace headrace {

Result<const SinkKind*> find_sink_kind(const std::string& target) {
  // PostgreSQL comes last: any keyword string may be one.
  for (const SinkKind* kind : {&kNullSink, &kPgcopyFileSink, &kSqliteSink, &kPostgresSink}) {
    if (kind->recognises(target)) return kind;
  }
  return Error(ErrorCode::kUsage, "the target is of no known kind",
               "give postgresql://..., 'host=... dbname=...', sqlite:PATH, a path ending in .sqlite, "
               ".sqlite3 or .db, pgcopy:FILE, or null:");
}

Status Sink::verify(VerifyLevel, const TableSums&) {
  return Error(ErrorCode::kUnsupported, "this target cannot be verified while it is loaded",
               "leave --verify out, and compare afterwards with headrace verify");
}

Status Sink::scan(const Plan&, const std::atomic<bool>*, TableSums*) {
  return Error(ErrorCode::kUnsupported, "this target cannot be read back",
               "give a PostgreSQL or SQLite target");
}

Result<std::unique_ptr<Sink>> open_sink(const LoadRequest& request) {
  HEADRACE_ASSIGN(const SinkKind* kind, find_sink_kind(request.target));
  return kind->open(request);
}

}  // namespace headrace
