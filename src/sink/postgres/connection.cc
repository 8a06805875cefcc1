#include "sink/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

namespace headrace {
namespace {

using Clock = std::chrono::steady_clock;

// How long a flag may go unseen, and how long a cancelled statement may take to end.
constexpr int kPollMs = 100;
constexpr int kCancelGraceMs = 10000;

int poll_socket(int fd, short events, int ms) {
  if (fd < 0) return POLLERR;
  pollfd p{fd, events, 0};
  const int ready = poll(&p, 1, ms);
  return ready > 0 ? p.revents : 0;  // EINTR counts as nothing yet
}

bool is_error(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE ||
         status == PGRES_NONFATAL_ERROR;
}

Error timed_out(int seconds) {
  return Error(ErrorCode::kConnection,
               fmt::format("cannot connect: no answer within {} seconds", seconds),
               "check host and port, that the server runs and can be reached from here, or raise "
               "connect_timeout");
}

// Lets libpq's own loop run with its timeout for every address and its choice among hosts.
Result<PGconn*> connect_blocking(const ConnectParameters& parameters) {
  PGconn* conn = PQconnectdbParams(parameters.keywords().data(), parameters.values().data(), 1);
  if (PQstatus(conn) == CONNECTION_OK) return conn;
  Error error = connect_error(conn);
  PQfinish(conn);
  return error;
}

// One host: a connection that a cancelled load ends, and whose refusal names its SQLSTATE, which
// libpq tells in verbose messages only.
Result<PGconn*> connect_polling(const ConnectParameters& parameters,
                                const std::atomic<bool>* cancel) {
  PGconn* conn = PQconnectStartParams(parameters.keywords().data(), parameters.values().data(), 1);
  std::unique_ptr<PGconn, decltype(&PQfinish)> owner(conn, &PQfinish);
  if (conn == nullptr || PQstatus(conn) == CONNECTION_BAD) return connect_error(conn);
  PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
  const int seconds = parameters.connect_timeout_seconds();
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return connect_error(conn);
    if (cancel != nullptr && cancel->load()) return cancelled_error();
    if (seconds > 0 && Clock::now() > deadline) return timed_out(seconds);
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (poll_socket(PQsocket(conn), events, kPollMs) != 0) state = PQconnectPoll(conn);
  }
  PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
  return owner.release();
}

}  // namespace

Error cancelled_error() { return Error(ErrorCode::kCancelled, "the load was cancelled"); }

Result<std::unique_ptr<Connection>> Connection::open(const std::string& target,
                                                     const std::atomic<bool>* cancel) {
  HEADRACE_ASSIGN(const ConnectParameters parameters, ConnectParameters::make(target));
  if (cancel != nullptr && cancel->load()) return cancelled_error();
  HEADRACE_ASSIGN(PGconn * conn, parameters.has_several_hosts()
                                     ? connect_blocking(parameters)
                                     : connect_polling(parameters, cancel));
  std::unique_ptr<Connection> connection(new Connection(conn));
  connection->set_limits({cancel, nullptr, 0});
  return connection;
}

Connection::Connection(PGconn* conn) : conn_(conn) {
  PQsetNoticeReceiver(conn_, take_notice, this);
  PQsetnonblocking(conn_, 1);
}

Connection::~Connection() { PQfinish(conn_); }

void Connection::take_notice(void* connection, const PGresult* notice) {
  auto* self = static_cast<Connection*>(connection);
  ++self->notices_;
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && std::string_view(severity) == "FATAL") {
    self->last_words_ = error_from_result(notice, "");
  }
}

Error Connection::error_of(const PGresult* result, const std::string& doing) const {
  Error error = error_from_result(result, doing);
  return error.sqlstate.empty() && last_words_ ? lost(doing) : error;
}

Error Connection::lost(const std::string& doing) const {
  if (!last_words_) return lost_connection(conn_, doing);
  Error error = *last_words_;
  if (!doing.empty()) error.message = fmt::format("{}: {}", doing, error.message);
  return error;
}

int Connection::wait_socket(bool writable, int ms) const {
  return poll_socket(PQsocket(conn_), static_cast<short>(writable ? POLLIN | POLLOUT : POLLIN), ms);
}

bool Connection::still_open() {
  if (wait_socket(false, 0) != 0 && PQconsumeInput(conn_) == 0) dead_ = true;
  return alive();
}

void Connection::request_cancel() {
  PGcancel* cancel = PQgetCancel(conn_);
  if (cancel == nullptr) return;
  char ignored[256];  // a cancel that does not reach the server leaves the wait's own limit
  PQcancel(cancel, ignored, sizeof ignored);
  PQfreeCancel(cancel);
}

Error Connection::give_up(const std::string& doing) {
  dead_ = true;
  if (limits_.stopped()) return cancelled_error();
  return Error(ErrorCode::kConnection,
               fmt::format("{}: no answer from the server within {} seconds",
                           doing.empty() ? "waiting" : doing, limits_.timeout_ms / 1000),
               "check the network and the server's load");
}

Status Connection::wait_answer(const std::string& doing) {
  auto deadline = Clock::time_point::max();
  if (limits_.timeout_ms > 0)
    deadline = Clock::now() + std::chrono::milliseconds(limits_.timeout_ms);
  bool asked = false;
  for (;;) {
    const int unsent = PQflush(conn_);
    if (unsent < 0) return {};  // PQgetResult says why
    if (unsent == 0 && PQisBusy(conn_) == 0) return {};
    const bool late = Clock::now() > deadline;
    if (late && asked) return give_up(doing);
    if ((late || limits_.stopped()) && !asked) {
      request_cancel();
      asked = true;
      const int grace_ms =
          limits_.timeout_ms > 0 ? std::min(kCancelGraceMs, limits_.timeout_ms) : kCancelGraceMs;
      deadline = Clock::now() + std::chrono::milliseconds(grace_ms);
    }
    const int events = wait_socket(unsent == 1, kPollMs);
    if ((events & ~POLLOUT) != 0 && PQconsumeInput(conn_) == 0) return {};
  }
}

Result<PgResult> Connection::wait_results(const std::string& doing) {
  PgResult last;
  std::optional<Error> error;
  for (;;) {
    HEADRACE_TRY(wait_answer(doing));
    PgResult result(PQgetResult(conn_));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (is_error(result.get())) {
      if (!error) error = error_of(result.get(), doing);
    } else if (!error) {
      last = std::move(result);
    }
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
  }
  if (error) {
    if (error->sqlstate == kQueryCanceled && limits_.stopped()) return cancelled_error();
    return std::move(*error);
  }
  if (last == nullptr) return lost(doing);
  return last;
}

Result<PgResult> Connection::collect(bool sent, const std::string& doing) {
  if (!sent) return lost(doing);
  return wait_results(doing);
}

Result<PgResult> Connection::exec(const std::string& sql, const std::string& doing) {
  if (limits_.stopped()) return cancelled_error();
  return collect(PQsendQuery(conn_, sql.c_str()) == 1, doing);
}

Result<PgResult> Connection::query(const std::string& sql,
                                   const std::vector<std::string>& parameters,
                                   const std::string& doing) {
  if (limits_.stopped()) return cancelled_error();
  std::vector<const char*> values;
  for (const std::string& p : parameters) values.push_back(p.c_str());
  const int sent = PQsendQueryParams(conn_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                     values.data(), nullptr, nullptr, 0);
  return collect(sent == 1, doing);
}

Status Connection::run(const std::string& sql, const std::string& doing) {
  HEADRACE_TRY(exec(sql, doing));
  return {};
}

std::string cell(const PgResult& result, int row, int column) {
  return PQgetvalue(result.get(), row, column);
}

bool cell_is_true(const PgResult& result, int row, int column) {
  return *PQgetvalue(result.get(), row, column) == 't';
}

int64_t cell_integer(const PgResult& result, int row, int column) {
  return std::strtoll(PQgetvalue(result.get(), row, column), nullptr, 10);
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string quote_literal(std::string_view text) {
  const bool backslash = text.find('\\') != std::string_view::npos;
  std::string quoted = backslash ? " E'" : "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::string qualified(std::string_view schema, std::string_view name) {
  return fmt::format("{}.{}", quote_identifier(schema), quote_identifier(name));
}

}  // namespace headrace
