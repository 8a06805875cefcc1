#include "interruptible_stream.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace headrace::capi {
namespace {

constexpr auto kCancelCheck = std::chrono::milliseconds(50);
constexpr auto kLastWait = std::chrono::milliseconds(250);  // for a producer, at the end

// What reader and pump share; the last of the two takes it away. The pump alone calls get_next of
// `inner`, and releases it.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  ArrowArrayStream inner{};
  ArrowArray batch{};    // the one ahead; released: none
  bool ended = false;    // the producer gave all, or failed
  bool stopped = false;  // the reader wants no more
  bool gone = false;     // the pump has left
  int error = 0;
  std::string message;
};

void release(ArrowArray* array) {
  if (array->release != nullptr) array->release(array);
}

void pump(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (!shared->stopped && !shared->ended) {
    lock.unlock();
    ArrowArray array{};
    const int error = shared->inner.get_next(&shared->inner, &array);
    std::string message;
    if (error != 0) {
      const char* text = shared->inner.get_last_error == nullptr
                             ? nullptr
                             : shared->inner.get_last_error(&shared->inner);
      message = text != nullptr ? text : "";
    }
    lock.lock();
    shared->changed.wait(lock, [&] {
      return shared->stopped || shared->batch.release == nullptr;
    });
    if (shared->stopped) {
      lock.unlock();
      release(&array);
      lock.lock();
      break;
    }
    shared->error = error;
    shared->message = std::move(message);
    shared->ended = error != 0 || array.release == nullptr;
    shared->batch = array;
    shared->changed.notify_all();
  }
  lock.unlock();
  shared->inner.release(&shared->inner);
  lock.lock();
  shared->gone = true;
  shared->changed.notify_all();
}

class Reader {
 public:
  Reader(ArrowArrayStream* inner, const std::atomic<bool>* cancel) : cancel_(cancel) {
    shared_->inner = *inner;
    inner->release = nullptr;
  }

  ~Reader() {
    if (!thread_.joinable()) {
      if (shared_->inner.release != nullptr) shared_->inner.release(&shared_->inner);
      return;
    }
    std::unique_lock lock(shared_->mutex);
    shared_->stopped = true;
    shared_->changed.notify_all();
    ArrowArray left = std::exchange(shared_->batch, ArrowArray{});
    const bool gone = shared_->changed.wait_for(lock, kLastWait, [&] { return shared_->gone; });
    lock.unlock();
    release(&left);
    gone ? thread_.join() : thread_.detach();
  }

  int get_schema(ArrowSchema* out) {
    return shared_->inner.get_schema(&shared_->inner, out);
  }

  int get_next(ArrowArray* out) {
    *out = ArrowArray{};
    if (!thread_.joinable()) thread_ = std::thread([shared = shared_] { pump(shared); });
    std::unique_lock lock(shared_->mutex);
    const auto is_there = [&] { return shared_->ended || shared_->batch.release != nullptr; };
    while (!is_there()) {
      if (cancel_ != nullptr && cancel_->load()) {
        message_ = "the load was cancelled";
        return ECANCELED;
      }
      shared_->changed.wait_for(lock, kCancelCheck, is_there);
    }
    if (shared_->batch.release != nullptr) {
      *out = std::exchange(shared_->batch, ArrowArray{});
      shared_->changed.notify_all();
      return 0;
    }
    message_ = shared_->message;
    return shared_->error;
  }

  const char* last_error() const {
    if (!message_.empty()) return message_.c_str();
    if (thread_.joinable() || shared_->inner.get_last_error == nullptr) return nullptr;
    return shared_->inner.get_last_error(&shared_->inner);  // of get_schema
  }

  void fail(const char* message) { message_ = message; }

 private:
  const std::atomic<bool>* const cancel_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::thread thread_;
  std::string message_;
};

Reader* reader(ArrowArrayStream* stream) { return static_cast<Reader*>(stream->private_data); }

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  try {
    return reader(stream)->get_next(out);
  } catch (const std::system_error&) {
    reader(stream)->fail("no thread could be started");
    return EAGAIN;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

}  // namespace

void make_interruptible(ArrowArrayStream* inner, const std::atomic<bool>* cancel,
                        ArrowArrayStream* out) {
  *out = ArrowArrayStream{};
  out->private_data = new Reader(inner, cancel);
  out->get_schema = [](ArrowArrayStream* s, ArrowSchema* schema) {
    return reader(s)->get_schema(schema);
  };
  out->get_next = get_next;
  out->get_last_error = [](ArrowArrayStream* s) { return reader(s)->last_error(); };
  out->release = [](ArrowArrayStream* s) {
    delete reader(s);
    s->release = nullptr;
  };
}

}  // namespace headrace::capi
