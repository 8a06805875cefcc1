// ConnectionPool: idle connections of one sink, so that one opened for DDL or COPY serves again, and
// those that will be needed are opened side by side while something else is waited for.
// Any thread, except open_ahead. It must outlive what was taken from it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

class ConnectionPool {
 public:
  ConnectionPool(std::string target, const std::atomic<bool>* cancel)
      : target_(std::move(target)), cancel_(cancel) {}

  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  ~ConnectionPool() {
    for (std::thread& thread : opening_threads_) thread.join();
  }

  // Begins to open `count` connections. One that cannot be opened is missing, no more: who takes
  // one then opens it, and is told why not.
  void open_ahead(int count) {
    opening_ += count;
    for (int i = 0; i < count; ++i) {
      opening_threads_.emplace_back([this] {
        auto opened = open();
        std::lock_guard lock(mutex_);
        --opening_;
        if (opened.ok()) idle_.push_back(std::move(opened).value());
        arrived_.notify_all();
      });
    }
  }

  Result<std::unique_ptr<Connection>> take() {
    std::unique_lock lock(mutex_);
    for (;;) {
      while (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->still_open()) return connection;
      }
      if (opening_ == 0) break;
      arrived_.wait(lock);
    }
    lock.unlock();
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

  // Ends what is idle, also what is still on its way.
  void clear() {
    for (std::thread& thread : opening_threads_) thread.join();
    opening_threads_.clear();
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
  std::condition_variable arrived_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::atomic<int> opening_{0};
  std::vector<std::thread> opening_threads_;
};

}  // namespace headrace
