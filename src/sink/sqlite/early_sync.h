// EarlySync: begins to make a growing file durable while it is still written.
//
// One sync at the end waits until the disk has all of it, with nobody writing meanwhile; and what
// the page cache has handed over may still lie in the cache of a device or of a virtual machine's
// host, which only a sync empties. So a thread syncs whenever 32 MiB more have come. It takes next
// to no CPU. Small files never have that thread.
//
// Thread-safe. The owner keeps the file open until this is gone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "headrace/result.h"

namespace headrace {

class EarlySync {
 public:
  EarlySync(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~EarlySync();
  EarlySync(const EarlySync&) = delete;
  EarlySync& operator=(const EarlySync&) = delete;

  // So many bytes more are in the file.
  void written(int64_t bytes);

  // Syncs what is left. Fails when any sync failed: the kernel tells a lost page only once.
  Status finish();

 private:
  void run();
  void stop();

  const int fd_;
  const std::string path_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int64_t pending_bytes_ = 0;
  bool stopped_ = false;
  Status status_;  // of the thread
  std::thread thread_;
};

}  // namespace headrace
