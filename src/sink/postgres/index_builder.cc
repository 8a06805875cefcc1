#include "sink/postgres/index_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace headrace {
namespace {

// Each build may take maintenance_work_mem and parallel workers of the server.
constexpr size_t kMaxBuilders = 4;
// What the server takes at least.
constexpr int64_t kLeastMaintenanceKb = 1024;

// How long adding a foreign key waits for the writers of the other table.
constexpr int kKeyLockTimeoutMs = 10000;

std::string begin_build(int64_t memory_bytes) {
  // Definitions do not name a tablespace: no default may add one. They were read with this
  // search_path.
  std::string sql =
      "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL default_tablespace = '';"
      "SET LOCAL search_path = ''";
  if (memory_bytes > 0) {
    sql += fmt::format("; SET LOCAL maintenance_work_mem = '{}kB'",
                       std::max<int64_t>(memory_bytes / 1024, kLeastMaintenanceKb));
  }
  return sql;
}

Status build_one(Connection& connection, const IndexCopy& index, int64_t memory_bytes) {
  Status built =
      connection.run(fmt::format("{}; {}; COMMIT", begin_build(memory_bytes), index.build),
                     fmt::format("building index {}", index.name));
  if (built.ok()) return built;
  Error error = std::move(built).error();
  if (const size_t at = error.message.find(index.temporary); at != std::string::npos) {
    error.message.replace(at, index.temporary.size(), index.name);
  }
  return error;
}

class IndexBuilder {
 public:
  IndexBuilder(ConnectionPool& pool, const std::vector<IndexCopy>& indexes,
               int64_t memory_bytes, const std::atomic<bool>* cancel)
      : pool_(pool), indexes_(indexes), memory_bytes_(memory_bytes), cancel_(cancel) {}

  Status run() {
    const size_t builders =
        std::min({indexes_.size(), kMaxBuilders, std::max<size_t>(1, pool_.idle())});
    std::vector<std::thread> threads;
    for (size_t i = 1; i < builders; ++i) threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    if (first_error_) return std::move(*first_error_);
    return {};
  }

 private:
  void work() {
    Status status;
    try {
      status = build_next();
    } catch (const std::exception& e) {
      status = Error(ErrorCode::kInternal, fmt::format("unexpected failure: {}", e.what()));
    }
    if (status.ok()) return;
    const std::lock_guard lock(mutex_);
    if (!first_error_) first_error_ = std::move(status).error();
    stop_ = true;
  }

  Status build_next() {
    HEADRACE_ASSIGN(auto connection, pool_.take());
    connection->set_limits({cancel_, &stop_, 0});
    for (size_t i = next_++; i < indexes_.size() && !stop_; i = next_++) {
      HEADRACE_TRY(build_one(*connection, indexes_[i], memory_bytes_));
    }
    pool_.give(std::move(connection));
    return {};
  }

  ConnectionPool& pool_;
  const std::vector<IndexCopy>& indexes_;
  const int64_t memory_bytes_;
  const std::atomic<bool>* cancel_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::optional<Error> first_error_;
};

}  // namespace

Status build_indexes(ConnectionPool& pool, const std::vector<IndexCopy>& indexes,
                     int64_t memory_bytes, const std::atomic<bool>* cancel) {
  if (indexes.empty()) return {};
  HEADRACE_TRY(IndexBuilder(pool, indexes, memory_bytes, cancel).run());
  std::vector<std::string> statements;
  for (const IndexCopy& index : indexes) {
    statements.insert(statements.end(), index.finish.begin(), index.finish.end());
  }
  if (statements.empty()) return {};
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_TRY(connection->run(fmt::format("{}; {}; COMMIT", begin_build(memory_bytes),
                                           fmt::join(statements, ";\n")),
                               "making the constraints of the new table"));
  pool.give(std::move(connection));
  return {};
}

Status check_keys(Connection& connection, const std::vector<std::string>& statements,
                  int64_t memory_bytes) {
  for (const std::string& sql : statements) {
    HEADRACE_TRY(connection.run(fmt::format("{}; SET LOCAL lock_timeout = {}; {}; COMMIT",
                                            begin_build(memory_bytes), kKeyLockTimeoutMs, sql),
                                "checking a foreign key of the new rows"));
  }
  return {};
}

}  // namespace headrace
