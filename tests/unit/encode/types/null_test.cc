#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

TEST(Null, EveryTargetTakesIt) {
  DataType type;
  type.id = TypeId::kNull;
  const std::vector<Raw> values(300);
  for (const char* base : {"text", "int4", "timestamptz", "jsonb"}) {
    const Encoded out = encode(type, {base, base, -1}, RowFormat::kPgBinary, values);
    for (const std::string& cell : out.cells) ASSERT_EQ(hex(cell), "ffffffff");
  }
  EXPECT_EQ(encode(type, {"text", "text", -1}, RowFormat::kText, {{}}).cells[0], "\\N\t");
  EXPECT_EQ(encode(type, {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, {{}}).cells[0], "0:");
  EXPECT_EQ(default_target(type, Dialect::kPostgres).base, "text");
}

}  // namespace
}  // namespace headrace::test
