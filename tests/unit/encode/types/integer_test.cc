#include <limits>

#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

std::string pg(const std::string& source, const TargetType& target, const std::string& value) {
  const DataType type = type_of(source);
  return hex(encode_one(type, target, RowFormat::kPgBinary, raw_value(type, value)));
}

std::string reason(const std::string& source, const TargetType& target, const std::string& value,
                   RowFormat format = RowFormat::kPgBinary) {
  const DataType type = type_of(source);
  const Encoded out = encode(type, target, format, {raw_value(type, value)});
  return out.rejects.empty() ? "" : out.rejects.begin()->second;
}

const TargetType kInt2{"smallint", "int2", -1};
const TargetType kInt4{"integer", "int4", -1};
const TargetType kInt8{"bigint", "int8", -1};

TEST(Integer, NarrowTargetsRejectWhatDoesNotFit) {
  EXPECT_EQ(pg("int64", kInt2, "32767"), "000000027fff");
  EXPECT_EQ(pg("int64", kInt2, "-32768"), "000000028000");
  EXPECT_EQ(reason("int64", kInt2, "32768"), "32768 is out of range for smallint");
  EXPECT_EQ(reason("int64", kInt2, "-32769"), "-32769 is out of range for smallint");
  EXPECT_EQ(reason("int64", kInt4, "2147483648"), "2147483648 is out of range for integer");
  EXPECT_EQ(reason("int32", kInt2, "40000"), "40000 is out of range for smallint");
  EXPECT_EQ(pg("int8", kInt8, "-1"), "00000008ffffffffffffffff");
}

// The text form has the same limits.
TEST(Integer, TextFormRejectsTheSame) {
  EXPECT_EQ(reason("int64", kInt2, "32768", RowFormat::kText),
            "32768 is out of range for smallint");
  EXPECT_EQ(encode_one(type_of("int64"), kInt2, RowFormat::kText, raw<int64_t>(-32768)),
            "-32768\t");
}

TEST(Integer, NumericTargetsTakeWhatFitsExactly) {
  const TargetType numeric{"numeric(5,2)", "numeric", 327686};
  EXPECT_EQ(pg("int32", numeric, "999"),
            "0000000a"
            "0001"
            "0000"
            "0000"
            "0002"
            "03e7");
  EXPECT_EQ(reason("int32", numeric, "1000"), "1000 is out of range for numeric(5,2)");
  EXPECT_EQ(reason("int32", numeric, "-1000", RowFormat::kText),
            "-1000 is out of range for numeric(5,2)");
  EXPECT_EQ(pg("int64", {"numeric", "numeric", -1}, "-9223372036854775808"),
            "00000012"
            "0005"
            "0004"
            "4000"
            "0000"
            "039a"
            "0d2c"
            "0170"
            "1565"
            "16b0");
}

TEST(Integer, FloatTargetsTakeWhatFitsExactly) {
  const TargetType real{"real", "float4", -1}, wide{"double precision", "float8", -1};
  EXPECT_EQ(pg("int32", real, "16777216"), "000000044b800000");
  EXPECT_EQ(reason("int32", real, "16777217"), "16777217 has more digits than real holds");
  EXPECT_EQ(pg("int64", wide, "9007199254740992"), "000000084340000000000000");
  EXPECT_EQ(reason("int64", wide, "9007199254740993"),
            "9007199254740993 has more digits than double precision holds");
  EXPECT_EQ(reason("int64", wide, "9223372036854775807"),
            "9223372036854775807 has more digits than double precision holds");
  EXPECT_EQ(pg("int64", wide, "-9223372036854775808"), "00000008c3e0000000000000");
}

TEST(Integer, SqliteTakesTheFewestBytes) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "8:"},
      {"1", "9:"},
      {"-1", "1:ff"},
      {"127", "1:7f"},
      {"128", "2:0080"},
      {"-129", "2:ff7f"},
      {"32768", "3:008000"},
      {"8388608", "4:00800000"},
      {"2147483648", "5:000080000000"},
      {"140737488355328", "6:0000800000000000"},
      {"9223372036854775807", "6:7fffffffffffffff"},
      {"-9223372036854775808", "6:8000000000000000"}};
  for (const auto& [value, cell] : cases) {
    EXPECT_EQ(sqlite_one("int64", raw_integer(value, 8)), cell) << value;
  }
}

TEST(Integer, SqliteRealColumnsRejectWhatADoubleDoesNotHold) {
  const TargetType real{"REAL", "REAL", -1};
  EXPECT_EQ(reason("int64", real, "9007199254740993", RowFormat::kSqliteRecord),
            "9007199254740993 is out of range for a REAL column, which holds integers up to 2^53");
  EXPECT_EQ(reason("int64", real, "-9007199254740992", RowFormat::kSqliteRecord), "");
}

TEST(Integer, OtherTargetsAreRefused) {
  const DataType type = type_of("int32");
  for (const char* base : {"bool", "text", "date", "timestamp", "bytea", "uuid"}) {
    for (const RowFormat format : {RowFormat::kPgBinary, RowFormat::kText}) {
      auto codec = find_type_family(type)->make(type, {base, base, -1}, format, {});
      ASSERT_FALSE(codec.ok()) << base;
      EXPECT_EQ(codec.error().code, ErrorCode::kTypeMismatch);
    }
  }
}

TEST(Integer, OneBadValueAmongMany) {
  std::vector<Raw> values(600, raw<int64_t>(5));
  values[300] = raw<int64_t>(70000);
  values[301] = std::nullopt;
  const Encoded out = encode(type_of("int64"), kInt2, RowFormat::kPgBinary, values);
  ASSERT_EQ(out.rejects.size(), 1u);
  EXPECT_EQ(out.rejects.at(300), "70000 is out of range for smallint");
  EXPECT_EQ(hex(out.cells[301]), "ffffffff");
  EXPECT_EQ(hex(out.cells[599]), "000000020005");
}

}  // namespace
}  // namespace headrace::test
