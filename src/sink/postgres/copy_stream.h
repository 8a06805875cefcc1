// CopyStream: the bytes of one COPY FROM STDIN on a connection.
//
//            begin ok              end ok
//     idle ───────────► copying ───────────► ended
//      │                 │   │
//      │ begin refused   │   │ abort: CopyFail, the server's answer awaited for a short time
//      ▼                 ▼   ▼
//     failed ◄───────────────    server error, connection lost, cancelled
//
// send() never waits for the server to take everything: libpq keeps at most one frame, the kernel
// the rest, so encoding goes on while bytes travel. Once the server has said an error, nothing more
// is sent: in the COPY state libpq itself would not look until the end.
//
// The stream borrows the connection; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

class CopyStream {
 public:
  explicit CopyStream(Connection& connection) : connection_(connection) {}

  // Runs the COPY statement. REQUIRES: idle, and client_min_messages = error in this transaction.
  Status begin(const std::string& copy_sql);

  // REQUIRES: copying. After an error the stream has failed, and the transaction with it.
  Status send(std::string_view bytes);

  // Ends the COPY; gives the rows that the server stored. REQUIRES: copying.
  Result<int64_t> end();

  // Ends the COPY with an error for the server's log; afterwards the stream has failed, and the
  // connection can be used again unless it is dead. Does nothing when not copying.
  void abort(const std::string& reason) noexcept;

  int64_t bytes_sent() const { return bytes_sent_; }

 private:
  enum class State { kIdle, kCopying, kEnded, kFailed };

  Status make_room();
  bool server_spoke();
  Error fail(Error error);
  Error fail_from_server();

  Connection& connection_;
  State state_ = State::kIdle;
  int64_t bytes_sent_ = 0;
};

}  // namespace headrace
