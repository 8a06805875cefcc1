#include "sink/sqlite/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace headrace {
namespace {

struct Verdict {
  ErrorCode code;
  const char* advice;
};

Verdict verdict(int primary_code) {
  switch (primary_code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kBusy,
              "another process holds the file; load again when it is done, or wait longer with "
              "--busy-timeout"};
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return {ErrorCode::kRejectedValue, ""};
    case SQLITE_FULL:
      return {ErrorCode::kIo, "free some space there, or write to another file system"};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return {ErrorCode::kIo, "check the file, its folder and the free space there"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::kIo, "check the permissions of the file and its folder"};
    case SQLITE_NOTADB:
      return {ErrorCode::kUsage,
              "the file is of another kind, or encrypted; headrace does not overwrite other "
              "files: give another path"};
    case SQLITE_CORRUPT:
      return {ErrorCode::kServer, "look at the file with PRAGMA integrity_check"};
    case SQLITE_NOMEM:
      return {ErrorCode::kInternal, "out of memory"};
    case SQLITE_INTERRUPT:
      return {ErrorCode::kCancelled, ""};
    default:
      return {ErrorCode::kServer, ""};
  }
}

bool is_blank(const char* text) {
  const std::string_view rest(text);
  return std::all_of(rest.begin(), rest.end(),
                     [](unsigned char c) { return std::isspace(c) != 0 || c == ';'; });
}

}  // namespace

Error sqlite_error(sqlite3* db, int result_code, const std::string& path) {
  // The message of the connection belongs to its last failure; a bare code explains itself.
  const bool last = db != nullptr && (sqlite3_extended_errcode(db) & 0xFF) == (result_code & 0xFF);
  const char* message = last ? sqlite3_errmsg(db) : sqlite3_errstr(result_code);
  const Verdict v = verdict(result_code & 0xFF);
  return Error(v.code, fmt::format("SQLite: {} ({})", message, path), v.advice);
}

void Statement::bind_text(int parameter, std::string_view text) {
  sqlite3_bind_text64(get(), parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

Result<bool> Statement::step() {
  const int rc = sqlite3_step(get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return sqlite_error(sqlite3_db_handle(get()), rc, *path_);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(get(), column) == SQLITE_NULL;
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(get(), column))};
}

Result<Connection> Connection::open(const std::string& path, Access access, int busy_timeout_ms) {
  Connection connection;
  connection.path_ = std::make_unique<std::string>(path);
  // SQLite gives a meaning of its own to names such as ":memory:" and "file:x".
  const std::string plain = path.starts_with('/') ? path : "./" + path;
  const int flags = access == kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* db = nullptr;
  const int rc = sqlite3_open_v2(plain.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  connection.handle_.reset(db);
  if (rc != SQLITE_OK) return sqlite_error(db, rc, path);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, busy_timeout_ms);
  return connection;
}

Status Connection::run(const std::string& statements) {
  const int rc = sqlite3_exec(get(), statements.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error(rc);
  return {};
}

Result<Statement> Connection::prepare(const std::string& statement) {
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int rc = sqlite3_prepare_v2(get(), statement.c_str(),
                                    static_cast<int>(statement.size() + 1), &handle, &tail);
  Statement prepared(handle, path_.get());
  if (rc != SQLITE_OK) return error(rc);
  if (handle == nullptr || !is_blank(tail)) {
    return Error(ErrorCode::kInternal, fmt::format("not a single statement: {}", statement));
  }
  return prepared;
}

Status Connection::run_one(const std::string& statement) {
  HEADRACE_ASSIGN(Statement prepared, prepare(statement));
  for (;;) {
    HEADRACE_ASSIGN(const bool row, prepared.step());
    if (!row) return {};
  }
}

Result<std::string> Connection::value(const std::string& statement) {
  HEADRACE_ASSIGN(Statement prepared, prepare(statement));
  HEADRACE_ASSIGN(const bool row, prepared.step());
  return row ? prepared.text(0) : std::string();
}

Result<int64_t> Connection::integer(const std::string& statement) {
  HEADRACE_ASSIGN(Statement prepared, prepare(statement));
  HEADRACE_ASSIGN(const bool row, prepared.step());
  return row ? prepared.integer(0) : int64_t{0};
}

}  // namespace headrace
