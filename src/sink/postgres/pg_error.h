// What a server or libpq says, as an Error: one function for results, one for connections.
// Pure; any thread.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/result.h"

namespace headrace {

// The Error of a failed statement: message with DETAIL, the server's hint or ours, SQLSTATE, and
// the server's CONTEXT lines as context. `doing` says what was tried ("creating the table").
// nullptr: the connection gave no result.
Error error_from_result(const PGresult* result, const std::string& doing);

// The Error of a connection that was not made. REQUIRES: PQERRORS_VERBOSE was set on `conn`, or its
// message carries no SQLSTATE.
Error connect_error(PGconn* conn);

// The Error of a connection that was lost while `doing`.
Error lost_connection(PGconn* conn, const std::string& doing);

// Which of our codes an SQLSTATE has. Empty: kConnection, as only libpq's own errors have none.
ErrorCode code_of_sqlstate(std::string_view sqlstate);

// "57P01" is in class "57".
inline bool sqlstate_in_class(std::string_view sqlstate, std::string_view two) {
  return sqlstate.substr(0, 2) == two;
}

inline constexpr char kDuplicateTable[] = "42P07";
inline constexpr char kUndefinedTable[] = "42P01";
inline constexpr char kLockNotAvailable[] = "55P03";
inline constexpr char kDeadlock[] = "40P01";
inline constexpr char kQueryCanceled[] = "57014";
inline constexpr char kAdminShutdown[] = "57P01";

// Where COPY stood, from the server's CONTEXT: "COPY t, line 17, column a".
struct CopyPlace {
  int64_t line = -1;   // 1-based row of this COPY; -1: not said
  std::string column;  // one of the columns given, or empty
};
CopyPlace copy_place(std::string_view context, std::string_view relation,
                     const std::vector<std::string>& columns);

// `verbose` as libpq gives it for a refused connection, without SQLSTATE and LOCATION, on one line.
struct ConnectMessage {
  std::string text;
  std::string sqlstate;
};
ConnectMessage split_connect_message(std::string_view verbose);

}  // namespace headrace
