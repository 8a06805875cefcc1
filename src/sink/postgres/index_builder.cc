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

Status build_one(Connection& connection, const IndexCopy& index) {
  // Definitions do not name a tablespace: no default may add one.
  Status built = connection.run(fmt::format("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                                            "SET LOCAL default_tablespace = ''; {}; COMMIT",
                                            index.build),
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
               const std::atomic<bool>* cancel)
      : pool_(pool), indexes_(indexes), cancel_(cancel) {}

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
      HEADRACE_TRY(build_one(*connection, indexes_[i]));
    }
    pool_.give(std::move(connection));
    return {};
  }

  ConnectionPool& pool_;
  const std::vector<IndexCopy>& indexes_;
  const std::atomic<bool>* cancel_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::optional<Error> first_error_;
};

}  // namespace

Status build_indexes(ConnectionPool& pool, const std::vector<IndexCopy>& indexes,
                     const std::atomic<bool>* cancel) {
  if (indexes.empty()) return {};
  return IndexBuilder(pool, indexes, cancel).run();
}

}  // namespace headrace
