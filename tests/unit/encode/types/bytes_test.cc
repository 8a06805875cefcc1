#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

TEST(Bytes, AnyBytesInEveryFormat) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const char* name : {"binary", "large_binary", "binary_view"}) {
    const DataType type = type_of(name);
    const TargetType target = default_target(type, Dialect::kPostgres);
    EXPECT_EQ(target.base, "bytea");
    EXPECT_EQ(hex(encode_one(type, target, RowFormat::kPgBinary, all)), "00000100" + hex(all));
    EXPECT_EQ(encode_one(type, target, RowFormat::kText, all), "\\\\x" + hex(all) + "\t");
    EXPECT_EQ(sqlite_one(name, all), "524:" + hex(all));
    EXPECT_EQ(sqlite_one(name, ""), "12:");
    EXPECT_EQ(sqlite_one(name, {}), "0:");
  }
}

TEST(Bytes, FixedSize) {
  const DataType type = type_of("fixed_size_binary[16]");
  std::vector<Raw> values;
  for (char i = 0; i < 40; ++i) values.push_back(i % 4 == 1 ? Raw() : Raw(std::string(16, i)));
  const Encoded pg = encode(type, {"bytea", "bytea", -1}, RowFormat::kPgBinary, values);
  const Encoded lite = encode(type, {"BLOB", "BLOB", -1}, RowFormat::kSqliteRecord, values);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(hex(pg.cells[i]), values[i] ? "00000010" + hex(*values[i]) : "ffffffff");
    EXPECT_EQ(lite.cells[i], values[i] ? "44:" + hex(*values[i]) : "0:");
  }
}

TEST(Bytes, OtherTargetsAreRefused) {
  const DataType type = type_of("binary");
  EXPECT_FALSE(
      find_type_family(type)->make(type, {"text", "text", -1}, RowFormat::kPgBinary, {}).ok());
}

}  // namespace
}  // namespace headrace::test
