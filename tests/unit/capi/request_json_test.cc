#include "request_json.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace headrace::capi {
namespace {

cli::Options read(const std::string& json, bool has_stream = true) {
  auto options = read_request("load", json, has_stream);
  EXPECT_TRUE(options.ok()) << options.error().message;
  return options.ok() ? *options : cli::Options{};
}

std::string refusal(const std::string& command, const std::string& json) {
  const auto options = read_request(command, json, true);
  EXPECT_FALSE(options.ok()) << json;
  if (options.ok()) return {};
  EXPECT_EQ(options.error().code, ErrorCode::kUsage);
  return options.error().message;
}

TEST(RequestJson, TakesTheOptionsOfTheCommandLineByTheirNames) {
  const auto options = read(R"({"to": "postgresql://h/d", "table": "s.t", "mode": "upsert",
      "key": ["a", "\"b,c\""], "connections": 3, "memory": "64MiB", "lock-timeout": "2s",
      "no_analyze": true, "no_fallback": false, "load_id": null, "method": "copy"})");
  const LoadRequest& request = options.request;
  EXPECT_EQ(request.target, "postgresql://h/d");
  EXPECT_EQ(request.table, "s.t");
  EXPECT_EQ(request.mode, Mode::kUpsert);
  EXPECT_EQ(request.keys, (std::vector<std::string>{"a", "b,c"}));
  EXPECT_EQ(request.tuning.connections, 3);
  EXPECT_EQ(request.tuning.memory_bytes, 64 << 20);
  EXPECT_EQ(request.tuning.lock_timeout_ms, 2000);
  EXPECT_FALSE(request.tuning.analyze);
  EXPECT_TRUE(request.fallback);
  EXPECT_TRUE(request.load_id.empty());
  EXPECT_EQ(request.source, std::vector<std::string>{"stream"});
}

TEST(RequestJson, AValueIsNeverAnOption) {
  EXPECT_EQ(read(R"({"to": "null:", "table": "--mode=replace"})").request.table, "--mode=replace");
  EXPECT_EQ(read(R"({"to": "null:", "source": "--mode=replace"})").request.mode, Mode::kCreate);
}

TEST(RequestJson, NamesAStream) {
  const auto options = read(R"({"to": "x.db", "source": ["a/orders.parquet"], "source_rows": 17})");
  EXPECT_EQ(options.request.table, "orders");
  EXPECT_EQ(options.request.source_rows, 17);
  EXPECT_TRUE(read(R"({"to": "null:", "discard": true})").request.discard);
}

TEST(RequestJson, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(refusal("load", R"({"to": "null:", "moed": "x"})").find("--moed"), std::string::npos);
  EXPECT_NE(refusal("load", R"({"to": "null:", "json": true})").find("--json"), std::string::npos);
  EXPECT_NE(refusal("load", R"({"to": {"a": 1}})").find("'to'"), std::string::npos);
  EXPECT_NE(refusal("load", R"({"to": "null:", "source": 3})").find("'source'"), std::string::npos);
  EXPECT_NE(refusal("load", R"({"to": "null:", "source_rows": 1.5})").find("'source_rows'"),
            std::string::npos);
  EXPECT_NE(refusal("load", R"({"to": "x.db"})").find("table"), std::string::npos);
  EXPECT_NE(refusal("load", "[]").find("JSON object"), std::string::npos);
  EXPECT_NE(refusal("load", "{").find("JSON object"), std::string::npos);
  EXPECT_NE(refusal("walk", "{}").find("walk"), std::string::npos);
}

TEST(RequestJson, DoesNotReadTheEnvironment) {
  setenv("HEADRACE_MODE", "replace", 1);
  setenv("HEADRACE_KEY", "a", 1);
  const auto options = read(R"({"to": "null:"})");
  unsetenv("HEADRACE_MODE");
  unsetenv("HEADRACE_KEY");
  EXPECT_EQ(options.request.mode, Mode::kCreate);
  EXPECT_TRUE(options.request.keys.empty());
}

TEST(RequestJson, MasksPasswordsInItsErrors) {
  const auto options = read_request(
      "load", R"({"to": "null:", "mode": "postgresql://u:hush@h/d"})", true);
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().message.find("hush"), std::string::npos) << options.error().message;
}

}  // namespace
}  // namespace headrace::capi
