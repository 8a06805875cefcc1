// ConnectionPool: idle connections of one sink, so that one opened for DDL or COPY serves again.
// Any thread. It must outlive what was taken from it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

class ConnectionPool {
 public:
  ConnectionPool(std::string target, const std::atomic<bool>* cancel)
      : target_(std::move(target)), cancel_(cancel) {}

  Result<std::unique_ptr<Connection>> take() {
    {
      std::lock_guard lock(mutex_);
      while (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->still_open()) return connection;
      }
    }
    return open();
  }

  // A new one, whatever is idle.
  Result<std::unique_ptr<Connection>> open() const { return Connection::open(target_, cancel_); }

  // Keeps `connection` unless it is dead or inside a transaction.
  void give(std::unique_ptr<Connection> connection) {
    if (connection == nullptr || !connection->alive() || connection->in_transaction()) return;
    connection->set_limits({cancel_, nullptr, 0});
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

  void clear() {
    std::lock_guard lock(mutex_);
    idle_.clear();
  }

  const std::string& target() const { return target_; }

  size_t idle() const {
    std::lock_guard lock(mutex_);
    return idle_.size();
  }

 private:
  const std::string target_;
  const std::atomic<bool>* const cancel_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace headrace
