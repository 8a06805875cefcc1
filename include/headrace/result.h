// Result<T>: a value, or an Error that says what happened, where, and what to do.
//
// Expected failures (files, servers, data) travel as values; assert() is for our own bugs.
// The library never prints, aborts or exits.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace headrace {

// The first cause decides the code; the CLI maps it to an exit code with exit_code().
enum class ErrorCode {
  kUsage,              // the request contradicts itself or names something unknown
  kNotFound,           // source, file, table or configuration is not there
  kSource,             // the source is there but cannot be read (truncated, not Parquet, ...)
  kTypeMismatch,       // columns or types of source and target do not fit
  kConnection,         // server not reachable, or the connection was lost
  kAuthentication,     // server refused the user, password or database
  kTargetExists,       // mode create, and the table is there
  kRejectedValue,      // a value cannot be stored unchanged
  kServer,             // the database refused a statement
  kBusy,               // another process holds what the load needs; later it may be free
  kIo,                 // reading or writing a file failed (disk full, permission)
  kCancelled,          // stopped by the caller
  kUnsupported,        // asked for something that headrace does not do
  kRetriesExhausted,
  kRejectLimit,
  kVerification,
  kInternal,
};

// Stable lower-case name, as in the report's error.code.
const char* error_code_name(ErrorCode code);

// Exit code of the CLI: 1 load failed, 2 usage, 3 source or configuration not found,
// 4 connection or authentication, 5 retries exhausted, 6 rejects over the limit, 7 verification.
int exit_code(ErrorCode code);

// Place of a failure in the source. Unknown parts stay empty or -1.
struct ErrorWhere {
  std::string file;
  int64_t partition = -1;
  int64_t row = -1;  // 1-based row of the file or stream, header not counted
  std::string column;
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string hint;      // what the user can do; may be empty
  std::string sqlstate;  // five characters when a server said so
  bool outcome_unknown = false;  // the load may have been committed: nobody could say
  bool copy_refused = false;     // COPY itself, before any row was sent: another method may do
  ErrorWhere where;
  std::vector<std::string> context;  // later errors, and what was being done

  Error() = default;
  Error(ErrorCode error_code, std::string text, std::string advice = {})
      : code(error_code), message(std::move(text)), hint(std::move(advice)) {}
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return assert(ok()), std::get<0>(state_); }
  const T& value() const& { return assert(ok()), std::get<0>(state_); }
  T&& value() && { return assert(ok()), std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return assert(!ok()), std::get<1>(state_); }
  const Error& error() const& { return assert(!ok()), std::get<1>(state_); }
  Error&& error() && { return assert(!ok()), std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return error_.index() == 0; }
  explicit operator bool() const { return ok(); }
  Error& error() & { return assert(!ok()), std::get<1>(error_); }
  const Error& error() const& { return assert(!ok()), std::get<1>(error_); }
  Error&& error() && { return assert(!ok()), std::get<1>(std::move(error_)); }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace headrace

#define HEADRACE_CONCAT_(a, b) a##b
#define HEADRACE_CONCAT(a, b) HEADRACE_CONCAT_(a, b)

// Returns the Error of `expr` (a Status or Result) to the caller.
#define HEADRACE_TRY(expr)                                              \
  do {                                                                  \
    if (auto headrace_status_ = (expr); !headrace_status_.ok())         \
      return std::move(headrace_status_).error();                       \
  } while (false)

// HEADRACE_ASSIGN(auto x, may_fail()): declares or sets x, or returns the Error.
#define HEADRACE_ASSIGN(target, expr) \
  HEADRACE_ASSIGN_(HEADRACE_CONCAT(headrace_result_, __LINE__), target, expr)
#define HEADRACE_ASSIGN_(name, target, expr)           \
  auto name = (expr);                                  \
  if (!name.ok()) return std::move(name).error();      \
  target = std::move(name).value()
