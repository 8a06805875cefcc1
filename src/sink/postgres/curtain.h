// Curtain: keeps new statements away from a table while several transactions are committed.
//
//   LOCK TABLE ... ACCESS EXCLUSIVE is sent on a connection of its own. The transactions that have
//   written hold the table, so it waits; and who comes later waits behind it. After the last commit
//   it is cancelled.
//
// Sessions that hold a lock on the table already do not queue, and a snapshot that a REPEATABLE READ
// transaction took meanwhile stays what it is.
//
// Used by the sink's thread.
#pragma once

#include <memory>
#include <string>

#include "headrace/result.h"
#include "sink/postgres/connection.h"

namespace headrace {

class Curtain {
 public:
  // Returns when the request is queued. `control` looks for it.
  static Result<std::unique_ptr<Curtain>> close(std::unique_ptr<Connection> connection,
                                                Connection& control,
                                                const std::string& qualified_table,
                                                int timeout_ms);
  // Opens it.
  ~Curtain();

 private:
  explicit Curtain(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  std::unique_ptr<Connection> connection_;
};

}  // namespace headrace
