#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

const Raw kTrue = std::string(1, '\1');
const Raw kFalse = std::string(1, '\0');

TEST(Boolean, BytesOfEveryFormat) {
  const DataType type = type_of("bool");
  const TargetType target = default_target(type, Dialect::kPostgres);
  EXPECT_EQ(target.sql, "boolean");
  EXPECT_EQ(hex(encode_one(type, target, RowFormat::kPgBinary, kTrue)), "0000000101");
  EXPECT_EQ(hex(encode_one(type, target, RowFormat::kPgBinary, kFalse)), "0000000100");
  EXPECT_EQ(encode_one(type, target, RowFormat::kText, kTrue), "t\t");
  EXPECT_EQ(encode_one(type, target, RowFormat::kText, {}), "\\N\t");
  EXPECT_EQ(sqlite_one("bool", kTrue), "9:");
  EXPECT_EQ(sqlite_one("bool", kFalse), "8:");
  EXPECT_EQ(sqlite_one("bool", {}), "0:");
}

TEST(Boolean, ManyBitsWithNulls) {
  std::vector<Raw> values;
  std::vector<std::string> expected;
  for (int i = 0; i < 700; ++i) {
    values.push_back(i % 7 == 3 ? Raw() : i % 3 == 0 ? kTrue : kFalse);
    expected.push_back(i % 7 == 3 ? "ffffffff" : i % 3 == 0 ? "0000000101" : "0000000100");
  }
  const Encoded out =
      encode(type_of("bool"), {"boolean", "bool", -1}, RowFormat::kPgBinary, values);
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(hex(out.cells[i]), expected[i]) << i;
}

TEST(Boolean, OtherTargetsAreRefused) {
  const DataType type = type_of("bool");
  auto codec =
      find_type_family(type)->make(type, {"integer", "int4", -1}, RowFormat::kPgBinary, {});
  ASSERT_FALSE(codec.ok());
  EXPECT_EQ(codec.error().code, ErrorCode::kTypeMismatch);
  EXPECT_EQ(codec.error().message, "bool cannot be stored in integer without loss");
}

}  // namespace
}  // namespace headrace::test
