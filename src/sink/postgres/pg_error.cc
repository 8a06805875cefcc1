#include "sink/postgres/pg_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace headrace {
namespace {

struct StateHint {
  std::string_view prefix;  // of the SQLSTATE
  const char* hint;
};

// Most specific first. The server's own hint comes before these.
constexpr StateHint kHints[] = {
    {"28P01", "check user and password: in the target, PGPASSWORD or ~/.pgpass"},
    {"28000", "the server does not let this user in from here: check user, TLS and pg_hba.conf"},
    {"3D000", "name an existing database, or create it first"},
    {"25006", "the server is read-only: connect to the primary"},
    {"42501", "grant the privilege, or connect as another user"},
    {"53100", "free disk space on the server"},
    {"53300", "use fewer connections (--connections), or raise max_connections on the server, or the pooler's limit"},
    {"55P03", "another session holds a lock on the table: wait for it, or raise --lock-timeout"},
    {"57014", "the statement was cancelled: check statement_timeout of the user and the database"},
    {"57P01", "the session was ended by an administrator or a shutdown: run the load again"},
    {"57P03", "the server is starting up or shutting down: try again later"},
    {"57P05", "the session was ended for being idle: raise idle_session_timeout"},
    {"08", "check the network and the server's log, then run the load again"},
};

std::string hint_for(std::string_view sqlstate) {
  for (const StateHint& h : kHints) {
    if (sqlstate.substr(0, h.prefix.size()) == h.prefix) return h.hint;
  }
  return {};
}

std::string field(const PGresult* result, int which) {
  const char* text = PQresultErrorField(result, which);
  return text != nullptr ? text : "";
}

// libpq's messages end with a newline and may have several lines.
std::string one_line(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\t') continue;
    if (c != '\n') {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += out.back() == ';' ? " " : "; ";
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == ';')) out.pop_back();
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string with_doing(const std::string& doing, const std::string& message) {
  return doing.empty() ? message : fmt::format("{}: {}", doing, message);
}

bool is_state_char(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) || (c >= 'A' && c <= 'Z');
}

}  // namespace

ErrorCode code_of_sqlstate(std::string_view s) {
  if (s.empty() || sqlstate_in_class(s, "08") || s.substr(0, 3) == "57P" || s == "53300") {
    return ErrorCode::kConnection;
  }
  if (sqlstate_in_class(s, "28") || s == "3D000") return ErrorCode::kAuthentication;
  if (sqlstate_in_class(s, "22") || sqlstate_in_class(s, "23")) return ErrorCode::kRejectedValue;
  if (sqlstate_in_class(s, "0A")) return ErrorCode::kUnsupported;
  return ErrorCode::kServer;
}

Error error_from_result(const PGresult* result, const std::string& doing) {
  if (result == nullptr) {
    return Error(ErrorCode::kConnection, with_doing(doing, "the connection to the server was lost"),
                 hint_for("08"));
  }
  const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
  std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = one_line(PQresultErrorMessage(result));
  if (const std::string detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    message += fmt::format(" ({})", detail);
  }
  Error error(code_of_sqlstate(sqlstate), with_doing(doing, message));
  error.sqlstate = sqlstate;
  error.hint = field(result, PG_DIAG_MESSAGE_HINT);
  if (error.hint.empty()) error.hint = hint_for(sqlstate.empty() ? "08" : sqlstate);
  error.context = lines_of(field(result, PG_DIAG_CONTEXT));
  return error;
}

ConnectMessage split_connect_message(std::string_view verbose) {
  ConnectMessage split;
  std::string kept;
  for (const std::string& line : lines_of(verbose)) {
    // The label of LOCATION is translated; what follows it is not: "auth_failed, auth.c:326".
    const size_t source = line.find(".c:");
    if (source != std::string::npos && line.find(":  ") < source && line.find(", ") < source &&
        line.find("connection to server") == std::string::npos) {
      continue;
    }
    kept += line + "\n";
  }
  // "FATAL:  28P01: password authentication failed"
  for (size_t at = kept.find(":  "); at != std::string::npos; at = kept.find(":  ", at + 1)) {
    const size_t state = at + 3;
    if (state + 7 > kept.size() || kept.compare(state + 5, 2, ": ") != 0) continue;
    if (!std::all_of(kept.begin() + state, kept.begin() + state + 5, is_state_char)) continue;
    if (split.sqlstate.empty()) split.sqlstate = kept.substr(state, 5);
    kept.erase(state, 7);
  }
  split.text = one_line(kept);
  return split;
}

Error connect_error(PGconn* conn) {
  if (conn == nullptr) return Error(ErrorCode::kInternal, "out of memory");
  ConnectMessage said = split_connect_message(PQerrorMessage(conn));
  // pgbouncer has no SQLSTATE of its own for it.
  if (said.text.find("no more connections allowed") != std::string::npos) said.sqlstate = "53300";
  Error error(code_of_sqlstate(said.sqlstate),
              fmt::format("cannot connect: {}", said.text.empty() ? "no answer" : said.text));
  error.sqlstate = said.sqlstate;
  error.hint = hint_for(said.sqlstate);
  if (PQconnectionNeedsPassword(conn) != 0) {
    error.code = ErrorCode::kAuthentication;
    error.hint = "give the password in PGPASSWORD or ~/.pgpass";
  } else if (said.sqlstate == "42501") {
    error.code = ErrorCode::kAuthentication;  // no CONNECT on the database
  }
  if (error.hint.empty()) {
    error.hint = "check host and port, and that the server runs and can be reached from here";
  }
  return error;
}

Error lost_connection(PGconn* conn, const std::string& doing) {
  const std::string text = conn != nullptr ? one_line(PQerrorMessage(conn)) : "";
  return Error(ErrorCode::kConnection,
               with_doing(doing, text.empty() ? "the connection to the server was lost" : text),
               hint_for("08"));
}

CopyPlace copy_place(std::string_view context, std::string_view relation,
                     const std::vector<std::string>& columns) {
  CopyPlace place;
  const std::string start = fmt::format("COPY {}, ", relation);
  size_t at = context.find(start);
  while (at != std::string_view::npos && at != 0 && context[at - 1] != '\n') {
    at = context.find(start, at + 1);
  }
  if (at == std::string_view::npos) return place;
  std::string_view rest = context.substr(at + start.size());
  // "line" and "column" may be translated; the order of the parts is kept.
  const size_t digit = rest.find_first_of("0123456789\n");
  if (digit == std::string_view::npos || rest[digit] == '\n') return place;
  rest.remove_prefix(digit);
  place.line = std::strtoll(std::string(rest.substr(0, 20)).c_str(), nullptr, 10);
  rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  if (rest.substr(0, 2) != ", ") return place;
  rest.remove_prefix(std::min(rest.find(' ', 2), rest.size()));
  if (rest.empty()) return place;
  rest.remove_prefix(1);
  for (const std::string& column : columns) {
    if (rest.substr(0, column.size()) != column) continue;
    const std::string_view after = rest.substr(column.size());
    const bool whole = after.empty() || after[0] == '\n' || after[0] == ':';
    if (whole && column.size() > place.column.size()) place.column = column;
  }
  // A text COPY adds the value: 'column a: "x"', or null input.
  return place;
}

}  // namespace headrace
