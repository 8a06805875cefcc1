#include "encode/format/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace headrace {
namespace {

std::string string_of(std::string_view text) {
  Buffer buffer;
  JsonWriter(&buffer).put_string(text);
  return std::string(buffer.view());
}

// Every ASCII character at every place of the 16 that are looked at together, and behind them.
TEST(JsonWriter, StringsReadBackToTheSameText) {
  for (int c = 0; c < 128; ++c) {
    for (const size_t size : {1u, 15u, 16u, 17u, 40u}) {
      for (size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(c);
        const std::string json = string_of(text);
        ASSERT_EQ(nlohmann::json::parse(json).get<std::string>(), text) << c << " at " << at;
        ASSERT_EQ(json, nlohmann::json(text).dump());
      }
    }
  }
}

TEST(JsonWriter, WhatIsNoStringBecomesOne) {
  Buffer buffer;
  buffer.append("before", 6);
  JsonWriter writer(&buffer);
  writer.put('{');
  const size_t begin = writer.size();
  writer.put_number(-12.5);
  writer.make_string(begin);
  writer.make_string(begin);
  EXPECT_EQ(buffer.view(), "before{\"-12.5\"");
  EXPECT_EQ(writer.since(begin), "\"-12.5\"");
  EXPECT_EQ(writer.size(), 8u);
}

}  // namespace
}  // namespace headrace
