#include "sink/postgres/write_job.h"

#include <utility>

namespace headrace {
namespace {

void replace_all(std::string* text, const std::string& from, const std::string& to) {
  if (from == to) return;
  for (size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

}  // namespace

std::string begin_load_transaction() {
  return "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
         "SET LOCAL client_min_messages = error;"
         "SET LOCAL datestyle = 'ISO, YMD';"
         "SET LOCAL intervalstyle = postgres;"
         // As pg_dump does: limits of a role for its queries are not for a load.
         "SET LOCAL statement_timeout = 0;"
         "SET LOCAL idle_in_transaction_session_timeout = 0";
}

void name_target(const WriteJob& job, const std::string& table, Error* error) {
  replace_all(&error->message, table, job.target);
  for (std::string& line : error->context) replace_all(&line, table, job.target);
}

WriterConnection WriterConnection::borrow(Connection& connection) {
  return WriterConnection(nullptr, &connection, nullptr);
}

Result<WriterConnection> WriterConnection::own(ConnectionPool& pool) {
  HEADRACE_ASSIGN(auto connection, pool.take());
  HEADRACE_TRY(connection->run(begin_load_transaction(), "BEGIN"));
  Connection* borrowed = connection.get();
  return WriterConnection(std::move(connection), borrowed, &pool);
}

Result<WriterConnection> WriterConnection::hold(ConnectionPool& pool, const std::string& begin,
                                                std::unique_ptr<Connection>* held) {
  HEADRACE_ASSIGN(WriterConnection connection, own(pool));
  HEADRACE_TRY(connection.get().run(begin, "BEGIN"));
  connection.held_ = held;
  return connection;
}

Status WriterConnection::commit() {
  if (owned_ == nullptr) return {};
  if (held_ != nullptr) {
    *held_ = std::move(owned_);
    return {};
  }
  HEADRACE_ASSIGN(const PgResult result, owned_->exec("COMMIT", "COMMIT"));
  if (std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
    return Error(ErrorCode::kServer, "COMMIT: the server rolled the transaction back");
  }
  pool_->give(std::move(owned_));
  return {};
}

}  // namespace headrace
