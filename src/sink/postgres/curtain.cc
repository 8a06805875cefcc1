#include "sink/postgres/curtain.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

namespace headrace {

Result<std::unique_ptr<Curtain>> Curtain::close(std::unique_ptr<Connection> connection,
                                                Connection& control, const std::string& table,
                                                int timeout_ms) {
  std::unique_ptr<Curtain> curtain(new Curtain(std::move(connection)));
  Connection& waiting = *curtain->connection_;
  const std::string pid = std::to_string(PQbackendPID(waiting.raw()));
  const std::string sql = fmt::format("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table);
  HEADRACE_TRY(waiting.run("BEGIN"));
  if (PQsendQuery(waiting.raw(), sql.c_str()) != 1) return waiting.lost("closing the curtain");
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    HEADRACE_ASSIGN(const PgResult row,
                    control.query("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1::int AND NOT granted "
                                  "AND mode = 'AccessExclusiveLock')",
                                  {pid}, "looking for the curtain"));
    if (cell_is_true(row, 0, 0)) return curtain;
    // Granted at once where nothing was written; otherwise an answer is a refusal.
    if (waiting.wait_socket(false, 0) != 0) {
      HEADRACE_TRY(waiting.wait_results("closing the curtain"));
      return curtain;
    }
    if (std::chrono::steady_clock::now() - start > std::chrono::milliseconds(timeout_ms)) {
      return Error(ErrorCode::kServer, "closing the curtain: its request does not show in pg_locks",
                   "use --atomic strict");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Curtain::~Curtain() {
  // The end of the connection alone would be noticed only once the lock is granted.
  if (connection_ != nullptr && connection_->alive()) connection_->request_cancel();
}

}  // namespace headrace
