#include "sink/sqlite/early_sync.h"

#include <unistd.h>

#include <cerrno>

#include "sink/sqlite/file_io.h"

namespace headrace {
namespace {

constexpr int64_t kSyncBytes = 32 << 20;

}  // namespace

EarlySync::~EarlySync() { stop(); }

void EarlySync::written(int64_t bytes) {
  std::lock_guard lock(mutex_);
  pending_bytes_ += bytes;
  if (pending_bytes_ < kSyncBytes || stopped_) return;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_one();
}

void EarlySync::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopped_ || pending_bytes_ >= kSyncBytes; });
    if (stopped_) return;
    pending_bytes_ = 0;
    lock.unlock();
    const int failed = ::fdatasync(fd_) == 0 ? 0 : errno;
    lock.lock();
    if (failed == 0) continue;
    status_ = io_error(failed, "sync", path_);
    return;
  }
}

void EarlySync::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

Status EarlySync::finish() {
  stop();
  HEADRACE_TRY(status_);
  return sync_file(fd_, path_);
}

}  // namespace headrace
