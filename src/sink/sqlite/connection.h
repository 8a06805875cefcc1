// Connection and Statement: owners of sqlite3 and sqlite3_stmt, and the one function that turns an
// SQLite failure into an Error. A connection may move between threads, one at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "headrace/result.h"

namespace headrace {

// The Error of a failed call on `db`: result code, SQLite's message, the file, and advice.
Error sqlite_error(sqlite3* db, int result_code, const std::string& path);

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* handle, const std::string* path) : handle_(handle), path_(path) {}

  sqlite3_stmt* get() const { return handle_.get(); }
  // Parameters count from 1. `text` must live until the next step.
  void bind_text(int parameter, std::string_view text);

  // True: a row is there. False: the statement is done.
  Result<bool> step();

  // Columns of the current row count from 0.
  int64_t integer(int column) const { return sqlite3_column_int64(get(), column); }
  bool is_null(int column) const;
  std::string text(int column) const;  // NULL gives ""

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const std::string* path_ = nullptr;  // of the connection
};

// Not named as that of PostgreSQL, which is linked into the same program: of two classes of one name
// the linker would take one destructor for both.
class SqliteConnection {
 public:
  enum Access { kReadWrite, kReadOnly };

  SqliteConnection() = default;

  // Opens an existing file; kReadWrite falls back to reading when the file may not be written.
  // Nothing is read from it yet.
  static Result<SqliteConnection> open(const std::string& path, Access access, int busy_timeout_ms);

  sqlite3* get() const { return handle_.get(); }
  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& path() const { return *path_; }
  bool is_read_only() const { return sqlite3_db_readonly(get(), "main") != 0; }

  // Runs statements of our own making.
  Status run(const std::string& statements);
  // One statement; text after its end is an error.
  Result<Statement> prepare(const std::string& statement);
  Status run_one(const std::string& statement);
  // First column of the first row; "" without a row.
  Result<std::string> value(const std::string& statement);
  Result<int64_t> integer(const std::string& statement);

  Error error(int result_code) const { return sqlite_error(get(), result_code, *path_); }
  void close() { handle_.reset(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<std::string> path_;  // at one address: statements refer to it
  std::unique_ptr<sqlite3, Close> handle_;
};

// Within this folder.
using Connection = SqliteConnection;

}  // namespace headrace
