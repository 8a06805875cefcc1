#include "source/standard_input.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace headrace {

namespace {
constexpr int kCancelCheckMillis = 100;
}

StandardInput& StandardInput::get() {
  static StandardInput input;
  return input;
}

Result<int64_t> StandardInput::read_some(void* out, int64_t count) {
  for (;;) {
    if (cancel_ != nullptr && cancel_->load())
      return Error(ErrorCode::kCancelled, "the load was cancelled");
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&waiting, 1, cancel_ != nullptr ? kCancelCheckMillis : -1);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ::read(STDIN_FILENO, out, static_cast<size_t>(count));
    if (got >= 0) return static_cast<int64_t>(got);
    if (errno == EINTR || errno == EAGAIN) continue;
    Error error(ErrorCode::kIo,
                fmt::format("cannot read standard input: {}", std::strerror(errno)));
    error.where.file = "-";
    return error;
  }
}

Result<int64_t> StandardInput::read(void* out, int64_t count) {
  auto* bytes = static_cast<char*>(out);
  const auto pending =
      std::min<int64_t>(count, static_cast<int64_t>(pending_.size() - pending_taken_));
  std::memcpy(bytes, pending_.data() + pending_taken_, static_cast<size_t>(pending));
  pending_taken_ += static_cast<size_t>(pending);
  int64_t done = pending;
  while (done < count) {
    HEADRACE_ASSIGN(const int64_t got, read_some(bytes + done, count - done));
    if (got == 0) break;
    done += got;
  }
  position_ += done;
  return done;
}

Result<std::string> StandardInput::peek(int64_t count) {
  std::string bytes(static_cast<size_t>(count), '\0');
  HEADRACE_ASSIGN(const int64_t got, read(bytes.data(), count));
  bytes.resize(static_cast<size_t>(got));
  put_back(bytes);
  return bytes;
}

void StandardInput::put_back(std::string bytes) {
  position_ -= static_cast<int64_t>(bytes.size());
  pending_.replace(0, pending_taken_, bytes);
  pending_taken_ = 0;
}

}  // namespace headrace
