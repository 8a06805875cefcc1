#include "headrace/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace headrace {
namespace {

using Json = nlohmann::ordered_json;

// SPEC 5: stable under schema_version 1, in this order.
const std::vector<std::string> kFields = {"schema_version",
                                          "status",
                                          "load_id",
                                          "table",
                                          "mode",
                                          "method",
                                          "method_requested",
                                          "method_reason",
                                          "fallback_reason",
                                          "commit_scope",
                                          "connections",
                                          "partitions",
                                          "rows_read",
                                          "rows_written",
                                          "rows_rejected",
                                          "rows_repaired",
                                          "bytes_read",
                                          "bytes_encoded",
                                          "bytes_sent",
                                          "seconds",
                                          "rows_per_second",
                                          "phases",
                                          "peak_memory_bytes",
                                          "client_cpu_seconds",
                                          "lock_seconds",
                                          "wal_bytes",
                                          "files",
                                          "warnings",
                                          "decisions"};

std::vector<std::string> names(const Json& json) {
  std::vector<std::string> out;
  for (const auto& [name, value] : json.items()) out.push_back(name);
  return out;
}

Report finished() {
  Report report;
  report.status = "ok";
  report.load_id = "0123456789abcdef";
  report.table = "public.lineitem";
  report.target = "postgresql://u@localhost/db";
  report.mode = "create";
  report.method = "copy";
  report.method_requested = "auto";
  report.method_reason = "many rows";
  report.commit_scope = "swap";
  report.connections = 4;
  report.partitions = 49;
  report.rows_read = report.rows_written = 6001215;
  report.bytes_read = 215100000;
  report.bytes_encoded = 800000000;
  report.bytes_sent = 800000000;
  report.seconds = 20;
  report.rows_per_second = 300060.75;
  report.phases.read = 3.25;
  report.peak_memory_bytes = 512LL << 20;
  report.client_cpu_seconds = 4.5;
  report.lock_seconds = 0.012;
  report.wal_bytes = 1000;
  report.files = {"a.sqlite"};
  report.warnings = {"careful"};
  report.decisions = {{"method", "copy", "fast"}};
  return report;
}

Error refused() {
  Error error(ErrorCode::kRejectedValue, "integer out of range", "widen the column");
  error.sqlstate = "22003";
  error.where = {"x.parquet", 3, 12, "price"};
  return error;
}

TEST(ReportJson, HasExactlyTheFieldsOfTheContract) {
  EXPECT_EQ(names(Json::parse(Report{}.to_json())), kFields);
  const Json json = Json::parse(finished().to_json());
  EXPECT_EQ(names(json), kFields);
  EXPECT_EQ(names(json["phases"]),
            (std::vector<std::string>{"plan", "prepare", "read", "encode", "send", "commit", "index",
                                      "analyze", "verify"}));
  EXPECT_EQ(names(json["decisions"][0]), (std::vector<std::string>{"subject", "choice", "reason"}));
}

TEST(ReportJson, Values) {
  const Json json = Json::parse(finished().to_json());
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["table"], "public.lineitem");
  EXPECT_EQ(json["rows_written"], 6001215);
  EXPECT_EQ(json["rows_per_second"], 300060.75);
  EXPECT_EQ(json["phases"]["read"], 3.25);
  EXPECT_EQ(json["wal_bytes"], 1000);
  EXPECT_EQ(json["files"], Json::array({"a.sqlite"}));
  EXPECT_EQ(json["decisions"][0]["reason"], "fast");
}

TEST(ReportJson, WhatIsNotKnownIsNull) {
  const Json json = Json::parse(Report{}.to_json());
  for (const char* field : {"wal_bytes", "method", "fallback_reason", "load_id"}) {
    EXPECT_TRUE(json[field].is_null()) << field;
  }
  Report endless;
  endless.rows_per_second = INFINITY;
  endless.seconds = NAN;
  const Json numbers = Json::parse(endless.to_json());
  EXPECT_TRUE(numbers["rows_per_second"].is_null());
  EXPECT_TRUE(numbers["seconds"].is_null());
}

TEST(ReportJson, Failure) {
  Report report = finished();
  report.status = "failed";
  report.error = refused();
  const Json json = Json::parse(report.to_json());
  std::vector<std::string> fields = kFields;
  fields.push_back("error");
  EXPECT_EQ(names(json), fields);
  EXPECT_EQ(json["error"],
            Json::parse(R"({"code": "rejected_value", "message": "integer out of range",
                            "hint": "widen the column", "sqlstate": "22003",
                            "retryable": false,
                            "where": {"file": "x.parquet", "partition": 3, "row": 12,
                                      "column": "price"},
                            "context": []})"));
}

TEST(ReportJson, FailureWithoutPlace) {
  Report report;
  report.error = Error(ErrorCode::kConnection, "no route");
  const Json error = Json::parse(report.to_json())["error"];
  EXPECT_TRUE(error["hint"].is_null());
  EXPECT_TRUE(error["sqlstate"].is_null());
  for (const auto& [name, value] : error["where"].items()) EXPECT_TRUE(value.is_null()) << name;
  EXPECT_EQ(error["where"].size(), 4u);
}

TEST(ReportJson, BytesThatAreNotUtf8DoNotThrow) {
  Report report = finished();
  report.table = "t\xFF";
  report.warnings = {"\xC3"};
  report.error = Error(ErrorCode::kSource, "caf\xE9");
  const Json json = Json::parse(report.to_json());
  EXPECT_EQ(json["table"], "t\xEF\xBF\xBD");
}

TEST(ReportText, Finished) {
  EXPECT_EQ(finished().to_text(),
            "status      ok\n"
            "table       public.lineitem\n"
            "target      postgresql://u@localhost/db\n"
            "mode        create\n"
            "rows        6,001,215 written, 6,001,215 read\n"
            "time        20.0 s, 300,061 rows/s, 40.0 MB/s sent\n"
            "method      copy (asked for: auto): many rows\n"
            "commit      swap, 4 connections, 49 partitions\n"
            "bytes       215.1 MB read, 800.0 MB encoded, 800.0 MB sent\n"
            "phases      read 3.250 s\n"
            "memory      512.0 MiB\n"
            "client cpu  4.500 s\n"
            "wal         1.0 kB\n"
            "lock        0.012 s\n"
            "files       a.sqlite\n"
            "load id     0123456789abcdef\n"
            "warnings    careful\n"
            "\n"
            "decisions\n"
            "  subject  choice  reason\n"
            "  method   copy    fast\n");
}

TEST(ReportText, FailureNamesItsCause) {
  Report report;
  report.status = "failed";
  report.error = refused();
  const std::string text = report.to_text();
  EXPECT_NE(text.find("status      failed\n"), std::string::npos);
  EXPECT_NE(text.find("error       rejected_value: integer out of range\n"), std::string::npos);
}

TEST(ReportText, FallbackIsExplained) {
  Report report = finished();
  report.method_requested = "s3_import";
  report.fallback_reason = "extension aws_s3 is missing";
  EXPECT_NE(report.to_text().find("copy (asked for: s3_import): many rows\n"
                                  "            fell back: extension aws_s3 is missing\n"),
            std::string::npos)
      << report.to_text();
}

TEST(ReportText, TerminalSequencesAreShownNotSent) {
  Report report = finished();
  report.table = report.target = report.load_id = report.method_reason = "\x1B[2J";
  report.files = report.warnings = {"\x1B"};
  report.error = Error(ErrorCode::kSource, "\x1B");
  EXPECT_EQ(report.to_text().find('\x1B'), std::string::npos);
}

}  // namespace
}  // namespace headrace
