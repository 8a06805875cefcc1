#include "sink/postgres/publish_together.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

#include "base/phase_timer.h"
#include "sink/postgres/curtain.h"
#include "sink/postgres/load_parts.h"

namespace headrace {
namespace {

constexpr int kCurtainTimeoutMs = 10000;
constexpr char kAdminShutdown[] = "57P01";

// Sends all, then waits for all: what is in flight is done in parallel. The first error.
std::optional<Error> commit_all(std::vector<HeldTransaction>* held) {
  std::optional<Error> first;
  for (HeldTransaction& part : *held) {
    if (part.connection == nullptr) continue;
    if (PQsendQuery(part.connection->raw(), "COMMIT") == 1) continue;
    if (!first) first = part.connection->lost("COMMIT");
    part.connection.reset();
  }
  for (HeldTransaction& part : *held) {
    if (part.connection == nullptr) continue;
    // From here on the load is not cancelled: half of it would be there.
    part.connection->set_limits({nullptr, nullptr, 0});
    auto result = part.connection->wait_results("COMMIT");
    if (!result.ok() && !first) first = std::move(result).error();
    if (result.ok() && std::string_view(PQcmdStatus(result->get())) != "COMMIT" && !first) {
      first = Error(ErrorCode::kServer, "COMMIT: the server rolled the transaction back");
    }
  }
  return first;
}

Error interrupted(Error error, const std::string& load_id) {
  error.message = fmt::format("the load was interrupted between its commits: {}", error.message);
  error.hint = fmt::format("run it again with --load-id {}: it leaves out the rows that are there", load_id);
  if (error.sqlstate.empty()) error.sqlstate = kAdminShutdown;
  error.code = ErrorCode::kConnection;  // which is tried again, by the same id
  return error;
}

}  // namespace

Result<Published> publish_together(const Publication& p, const std::string& load_id,
                                   std::vector<HeldTransaction>* held, int64_t rows,
                                   PublishStats* stats) {
  const auto start = std::chrono::steady_clock::now();
  HEADRACE_ASSIGN(auto connection, p.pool.take());
  HEADRACE_ASSIGN(auto curtain, Curtain::close(std::move(connection), p.control,
                                               qualified(p.plan.schema, p.plan.table), kCurtainTimeoutMs));
  const auto closed = std::chrono::steady_clock::now();
  std::optional<Error> failed = commit_all(held);
  curtain.reset();
  stats->lock_seconds = seconds_since(closed);
  held->clear();
  if (failed) return interrupted(std::move(*failed), load_id);
  HEADRACE_TRY(p.record(rows));
  HEADRACE_TRY(forget_parts(p.control, p.plan, load_id));
  HEADRACE_TRY(commit(p.control, p.pool));
  stats->commit_seconds += seconds_since(start);
  return Published::kRows;
}

}  // namespace headrace
