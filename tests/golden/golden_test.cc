// Every codec against the bytes of a real server: the .txt files of this folder, whose fields
// regenerate.py describes.
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace {
namespace {

struct Case {
  std::string arrow, stored, sql, base;
  int32_t typmod = -1;
  std::string text, field;
};

std::vector<Case> read_cases(const std::string& name) {
  std::ifstream file(std::string(HEADRACE_TESTS_DIR) + "/golden/" + name + ".txt");
  EXPECT_TRUE(file) << name;
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> parts;
    std::istringstream fields(line);
    for (std::string part; std::getline(fields, part, '\t');) parts.push_back(part);
    EXPECT_EQ(parts.size(), 7u) << line;
    if (parts.size() != 7) continue;
    cases.push_back(
        {parts[0], parts[1], parts[2], parts[3], std::stoi(parts[4]), parts[5], parts[6]});
  }
  EXPECT_FALSE(cases.empty()) << name;
  return cases;
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, CodecsWriteWhatTheServerWrites) {
  for (const Case& c : read_cases(GetParam())) {
    SCOPED_TRACE(c.arrow + " " + c.stored + " -> " + c.sql);
    const DataType type = test::type_of(c.arrow);
    const TargetType target{c.sql, c.base, c.typmod};
    const test::Raw value = test::raw_value(type, c.stored);
    EXPECT_EQ(test::hex(test::encode_one(type, target, RowFormat::kPgBinary, value)), c.field);
    EXPECT_EQ(test::encode_one(type, target, RowFormat::kText, value), c.text + "\t");
    // The same among NULLs, which take another loop.
    const auto mixed = test::encode(type, target, RowFormat::kPgBinary, {value, {}, value});
    ASSERT_EQ(mixed.cells.size(), 3u);
    EXPECT_EQ(test::hex(mixed.cells[0] + mixed.cells[1] + mixed.cells[2]),
              c.field + "ffffffff" + c.field);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Golden,
                         testing::Values("boolean", "integer", "unsigned", "float", "numeric",
                                         "text", "bytes", "date", "time", "timestamp", "interval",
                                         "geometry"),
                         [](const auto& info) { return std::string(info.param); });

TEST(GoldenFiles, EveryFileIsTested) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(HEADRACE_TESTS_DIR) + "/golden")) {
    files += entry.path().extension() == ".txt";
  }
  EXPECT_EQ(files, 12);
}

}  // namespace
}  // namespace headrace
