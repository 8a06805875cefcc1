#include "sink/postgres/copy_stream.h"

#include <poll.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

namespace headrace {
namespace {

// One CopyData message. The server assembles a message before it parses it, so larger ones add
// delay and memory there; smaller ones cost headers and system calls.
constexpr size_t kFrameBytes = 128 << 10;
constexpr int kPollMs = 100;
// How long an ended COPY may take to say why, and an aborted one to take note.
constexpr int kErrorWaitMs = 10000;
constexpr int kAbortWaitMs = 2000;

constexpr char kDoing[] = "COPY";

// Limits for the time of a clean-up, which a cancelled load must not cut short.
class CleanupLimits {
 public:
  CleanupLimits(Connection& connection, int timeout_ms)
      : connection_(connection), saved_(connection.limits()) {
    connection_.set_limits({nullptr, nullptr, timeout_ms});
  }
  ~CleanupLimits() { connection_.set_limits(saved_); }
  CleanupLimits(const CleanupLimits&) = delete;
  CleanupLimits& operator=(const CleanupLimits&) = delete;

 private:
  Connection& connection_;
  WaitLimits saved_;
};

// Sends CopyDone, or CopyFail with a reason; waits while the socket takes nothing.
bool put_end(Connection& connection, const char* reason) {
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    const int put = PQputCopyEnd(connection.raw(), reason);
    if (put != 0) return put == 1;
    const auto limit = std::chrono::milliseconds(connection.limits().timeout_ms);
    if (connection.limits().stopped()) return false;
    if (limit.count() > 0 && std::chrono::steady_clock::now() - start > limit) return false;
    connection.wait_socket(true, kPollMs);
  }
}

// Whether the server, or a pooler before it, has no COPY: feature_not_supported.
bool is_refusal(const Error& error) { return error.sqlstate == "0A000"; }

}  // namespace

Error CopyStream::fail(Error error) {
  state_ = State::kFailed;
  return error;
}

Status CopyStream::begin(const std::string& copy_sql) {
  assert(state_ == State::kIdle);
  auto result = connection_.exec(copy_sql, kDoing);
  if (!result.ok()) {
    Error error = fail(std::move(result).error());
    error.copy_refused = is_refusal(error);
    return error;
  }
  if (PQresultStatus(result->get()) != PGRES_COPY_IN) {
    return fail(Error(ErrorCode::kServer, "COPY: the server did not start it"));
  }
  state_ = State::kCopying;
  return {};
}

// True when there is input that ends the COPY. Notices are off in this transaction, so input is an
// error, or INFO that a trigger raised, which libpq counts as a notice while it looks at it.
bool CopyStream::server_spoke() {
  if (PQsocket(connection_.raw()) < 0) return true;
  if ((connection_.wait_socket(false, 0)) == 0) return false;
  const int64_t notices = connection_.notices();
  if (PQconsumeInput(connection_.raw()) == 0) return true;
  PQputCopyData(connection_.raw(), "", 0);  // sends nothing; makes libpq parse notices
  return connection_.notices() == notices;
}

// The server's own error, whatever libpq holds of it. The COPY must be ended first: libpq does not
// parse an error while it is copying.
Error CopyStream::fail_from_server() {
  const CleanupLimits limits(connection_, kErrorWaitMs);
  put_end(connection_, "headrace stopped sending");
  auto result = connection_.wait_results(kDoing);
  if (!result.ok()) return fail(std::move(result).error());
  return fail(connection_.lost(kDoing));
}

// Waits until libpq holds nothing unsent.
Status CopyStream::make_room() {
  for (;;) {
    if (connection_.limits().stopped()) {
      abort("the load was cancelled");
      return cancelled_error();
    }
    if (server_spoke()) return fail_from_server();
    const int unsent = PQflush(connection_.raw());
    if (unsent == 0) return {};
    if (unsent < 0) return fail_from_server();
    connection_.wait_socket(true, kPollMs);
  }
}

Status CopyStream::send(std::string_view bytes) {
  assert(state_ == State::kCopying);
  while (!bytes.empty()) {
    HEADRACE_TRY(make_room());
    const size_t count = std::min(kFrameBytes, bytes.size());
    const int put = PQputCopyData(connection_.raw(), bytes.data(), static_cast<int>(count));
    if (put < 0) return fail_from_server();
    if (put == 0) {  // no memory for its buffer just now
      connection_.wait_socket(true, kPollMs);
      continue;
    }
    bytes.remove_prefix(count);
    bytes_sent_ += static_cast<int64_t>(count);
  }
  return {};
}

Result<int64_t> CopyStream::end() {
  assert(state_ == State::kCopying);
  HEADRACE_TRY(make_room());
  if (!put_end(connection_, nullptr)) return fail_from_server();
  auto result = connection_.wait_results(kDoing);
  if (!result.ok()) return fail(std::move(result).error());
  state_ = State::kEnded;
  return std::strtoll(PQcmdTuples(result->get()), nullptr, 10);
}

void CopyStream::abort(const std::string& reason) noexcept {
  if (state_ != State::kCopying) return;
  state_ = State::kFailed;
  try {
    const CleanupLimits limits(connection_, kAbortWaitMs);
    // A server that waits for a lock does not read: CopyFail alone would not reach it.
    if (PQflush(connection_.raw()) == 1) connection_.request_cancel();
    if (!put_end(connection_, reason.c_str())) return;
    auto ignored = connection_.wait_results(kDoing);
    (void)ignored.ok();
  } catch (...) {
    // Out of memory: the connection's end tells the server.
  }
}

}  // namespace headrace
