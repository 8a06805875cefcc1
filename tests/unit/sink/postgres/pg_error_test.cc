#include "sink/postgres/pg_error.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

TEST(PgError, CodesOfSqlstates) {
  EXPECT_EQ(code_of_sqlstate(""), ErrorCode::kConnection);
  EXPECT_EQ(code_of_sqlstate("08006"), ErrorCode::kConnection);
  EXPECT_EQ(code_of_sqlstate("57P01"), ErrorCode::kConnection);
  EXPECT_EQ(code_of_sqlstate("53300"), ErrorCode::kConnection);
  EXPECT_EQ(code_of_sqlstate("28P01"), ErrorCode::kAuthentication);
  EXPECT_EQ(code_of_sqlstate("3D000"), ErrorCode::kAuthentication);
  EXPECT_EQ(code_of_sqlstate("22003"), ErrorCode::kRejectedValue);
  EXPECT_EQ(code_of_sqlstate("23505"), ErrorCode::kRejectedValue);
  EXPECT_EQ(code_of_sqlstate("0A000"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of_sqlstate("57014"), ErrorCode::kServer);
  EXPECT_EQ(code_of_sqlstate("42501"), ErrorCode::kServer);
}

TEST(PgError, AResultThatNeverCame) {
  const Error error = error_from_result(nullptr, "COPY");
  EXPECT_EQ(error.code, ErrorCode::kConnection);
  EXPECT_EQ(error.message, "COPY: the connection to the server was lost");
  EXPECT_FALSE(error.hint.empty());
}

TEST(PgError, PlaceOfACopyError) {
  const std::vector<std::string> columns = {"a", "a b", "b: c"};
  CopyPlace place = copy_place("COPY t, line 17, column a", "t", columns);
  EXPECT_EQ(place.line, 17);
  EXPECT_EQ(place.column, "a");
  place = copy_place("COPY t, line 17, column a: \"value\"\nmore", "t", columns);
  EXPECT_EQ(place.column, "a");
  EXPECT_EQ(copy_place("COPY t, line 17, column a b: \"x\"", "t", columns).column, "a b");
  EXPECT_EQ(copy_place("COPY t, line 17, column b: c: null input", "t", columns).column, "b: c");
  EXPECT_EQ(copy_place("COPY t, line 17, column z", "t", columns).column, "");
  place = copy_place("COPY t, line 3: \"1\\t2\"", "t", columns);
  EXPECT_EQ(place.line, 3);
  EXPECT_EQ(place.column, "");
  place = copy_place("PL/pgSQL function f() line 3 at RAISE\nCOPY t, line 5", "t", columns);
  EXPECT_EQ(place.line, 5);
  EXPECT_EQ(copy_place("COPY t, Zeile 12, Spalte a", "t", columns).line, 12);
  EXPECT_EQ(copy_place("COPY t, Zeile 12, Spalte a", "t", columns).column, "a");
  EXPECT_EQ(copy_place("COPY x, 1, line 8", "x, 1", columns).line, 8);
  EXPECT_EQ(copy_place("COPY other, line 8", "t", columns).line, -1);
  EXPECT_EQ(copy_place("", "t", columns).line, -1);
}

TEST(PgError, ConnectMessages) {
  ConnectMessage m = split_connect_message(
      "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user "
      "\"u\"\nLOCATION:  auth_failed, auth.c:326\n");
  EXPECT_EQ(m.sqlstate, "28P01");
  EXPECT_EQ(m.text,
            "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  password "
            "authentication failed for user \"u\"");
  m = split_connect_message(
      "connection to server at \"h\" failed: Connection refused\n\tIs the server running?\n");
  EXPECT_EQ(m.sqlstate, "");
  EXPECT_EQ(m.text,
            "connection to server at \"h\" failed: Connection refused; Is the server running?");
  EXPECT_EQ(
      split_connect_message("x failed: FATAL:  3D000: y\nSTANDORT:  InitPostgres, postinit.c:995\n")
          .text,
      "x failed: FATAL:  y");
  EXPECT_EQ(split_connect_message("").text, "");
}

}  // namespace
}  // namespace headrace
