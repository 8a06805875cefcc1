// Connection: one PGconn. Every statement waits with poll(), so that a cancelled load or a deadline
// ends it. The library's connections are hygienic: settings are made with SET LOCAL only,
// statements are unnamed, so that poolers in transaction mode work.
//
// A Connection owns its PGconn and is used by one thread at a time.
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"
#include "sink/postgres/conninfo.h"
#include "sink/postgres/pg_error.h"

namespace headrace {

struct PgResultClear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, PgResultClear>;

// What may end a wait before the server does. The flags may be null.
struct WaitLimits {
  const std::atomic<bool>* cancel = nullptr;  // of the load
  const std::atomic<bool>* stop = nullptr;    // of a group of connections that fails together
  int timeout_ms = 0;                         // 0: none

  bool stopped() const {
    return (cancel != nullptr && cancel->load(std::memory_order_relaxed)) ||
           (stop != nullptr && stop->load(std::memory_order_relaxed));
  }
};

Error cancelled_error();

class Connection {
 public:
  // Fails with kUsage, kConnection, kAuthentication or kCancelled.
  static Result<std::unique_ptr<Connection>> open(const std::string& target,
                                                  const std::atomic<bool>* cancel);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one or more statements; gives the last result. After BEGIN COPY the result is
  // PGRES_COPY_IN. `doing` starts the message of an error. A statement that the server completed
  // although it was asked to cancel is a success.
  Result<PgResult> exec(const std::string& sql, const std::string& doing = {});
  // One statement with $1, $2, ... as text.
  Result<PgResult> query(const std::string& sql, const std::vector<std::string>& parameters,
                         const std::string& doing = {});
  // exec without its result.
  Status run(const std::string& sql, const std::string& doing = {});

  // Waits for the results of what was sent; the first error wins. Gives nullptr with the limits
  // reached: the server was asked to cancel and did not answer in time, the connection is dead.
  Result<PgResult> wait_results(const std::string& doing);

  // Sends what libpq holds and waits until PQgetResult would not. A lost connection is no error
  // here: PQgetResult says why.
  Status wait_answer(const std::string& doing);

  // Waits until the socket is readable (or writable), at most `ms`. Bits of poll(), or 0.
  int wait_socket(bool writable, int ms) const;

  // Asks the server to cancel what it does; does not wait for it.
  void request_cancel();

  void set_limits(WaitLimits limits) { limits_ = limits; }
  const WaitLimits& limits() const { return limits_; }

  PGconn* raw() { return conn_; }
  // Nothing more can be done on it; its end tells the server.
  void mark_dead() { dead_ = true; }
  bool alive() const { return !dead_ && PQstatus(conn_) == CONNECTION_OK; }
  // alive(), and an idle server has not closed it meanwhile.
  bool still_open();
  bool in_transaction() const { return PQtransactionStatus(conn_) != PQTRANS_IDLE; }
  // Notices the server sent so far. They are counted and dropped: the library never prints.
  int64_t notices() const { return notices_; }

  // The Error of a failed result, or of a connection that is lost. Where the server ended the
  // session while nothing was asked of it, libpq takes its last words for a notice, and says only
  // that the connection was closed: then they are the error.
  Error error_of(const PGresult* result, const std::string& doing) const;
  Error lost(const std::string& doing) const;

 private:
  explicit Connection(PGconn* conn);
  Result<PgResult> collect(bool sent, const std::string& doing);
  Error give_up(const std::string& doing);

  PGconn* conn_;
  WaitLimits limits_;
  static void take_notice(void* connection, const PGresult* notice);

  int64_t notices_ = 0;
  std::optional<Error> last_words_;  // FATAL that came as a notice
  bool dead_ = false;
};

// A cell of a result; NULL is empty.
std::string cell(const PgResult& result, int row, int column);
bool cell_is_true(const PgResult& result, int row, int column);
int64_t cell_integer(const PgResult& result, int row, int column);

// "a""b" and 'a''b', safe whatever standard_conforming_strings is.
std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);
// "schema"."table"
std::string qualified(std::string_view schema, std::string_view name);

}  // namespace headrace
