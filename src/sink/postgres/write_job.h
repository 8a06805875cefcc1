// What every method of writing into a PostgreSQL table shares: what is to be written, on which
// connection, and the sums over all writers of a sink.
//
// WriterTotals is shared by the writers of all threads and lives in the sink, which outlives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "headrace/plan.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/pool.h"

namespace headrace {

struct WriterTotals {
  std::atomic<int64_t> bytes_sent{0};
  std::atomic<int64_t> rows_sent{0};
  std::atomic<int64_t> rows_stored{0};  // as the server counted them
  std::atomic<int> opened{0};
  std::atomic<int> finished{0};
};

struct WriteJob {
  std::string schema;
  std::string table;   // as the server names it in its messages
  std::string target;  // as errors name it: the same, or the table that a staging table stands for
  std::vector<ColumnPlan> columns;
  RowFormat format = RowFormat::kPgBinary;
  bool freeze = false;      // COPY only
  int64_t insert_rows = 0;  // rows of an INSERT; methods standard and copy ignore it
};

// Statements after BEGIN of every transaction that rows are written in. Text values are read with
// our styles; no notices (copy_stream.h); the server must not end the session while the source is
// slow.
std::string begin_load_transaction();

// Puts the name of the target where the server named the staging table `table`.
void name_target(const WriteJob& job, const std::string& table, Error* error);

// A writer's connection inside an open transaction.
//
// Scope single: it borrows the sink's connection, whose transaction the sink commits.
// Scope swap: it owns one of the pool, with a transaction of its own, which commit() ends.
class WriterConnection {
 public:
  static WriterConnection borrow(Connection& connection);
  static Result<WriterConnection> own(ConnectionPool& pool);
  // Scope together: commit() puts the connection into *held, its transaction still open. `begin`
  // runs at its start.
  static Result<WriterConnection> hold(ConnectionPool& pool, const std::string& begin,
                                       std::unique_ptr<Connection>* held);

  Connection& get() { return *connection_; }
  bool is_owned() const { return owned_ != nullptr; }

  // Makes the rows permanent and gives an owned connection back; a borrowed one is left as it is.
  // REQUIRES: get() is not used afterwards.
  Status commit();

  // Closes an owned connection: the server rolls back.
  void close() noexcept { owned_.reset(); }

 private:
  WriterConnection(std::unique_ptr<Connection> owned, Connection* connection, ConnectionPool* pool)
      : owned_(std::move(owned)), connection_(connection), pool_(pool) {}

  std::unique_ptr<Connection> owned_;
  Connection* connection_;
  ConnectionPool* pool_;
  std::unique_ptr<Connection>* held_ = nullptr;
};

}  // namespace headrace
