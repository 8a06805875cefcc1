#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace::test {
namespace {

std::string one(const std::string& source, const TargetType& target, const std::string& value,
                RowFormat format = RowFormat::kPgBinary) {
  const DataType type = type_of(source);
  const std::string cell = encode_one(type, target, format, raw_value(type, value));
  return format == RowFormat::kPgBinary && !cell.starts_with("rejected") ? hex(cell) : cell;
}

TEST(Unsigned, DefaultTargetsHoldEveryValue) {
  EXPECT_EQ(default_target(type_of("uint8"), Dialect::kPostgres).base, "int2");
  EXPECT_EQ(default_target(type_of("uint16"), Dialect::kPostgres).base, "int4");
  EXPECT_EQ(default_target(type_of("uint32"), Dialect::kPostgres).base, "int8");
  const TargetType numeric = default_target(type_of("uint64"), Dialect::kPostgres);
  EXPECT_EQ(numeric.sql, "numeric(20,0)");
  EXPECT_EQ(numeric.typmod, 1310724);
}

TEST(Unsigned, UpperHalfNeverWraps) {
  const TargetType int2{"smallint", "int2", -1}, int4{"integer", "int4", -1},
      int8{"bigint", "int8", -1};
  EXPECT_EQ(one("uint16", int2, "32767"), "000000027fff");
  EXPECT_EQ(one("uint16", int2, "32768"), "rejected: 32768 is out of range for smallint");
  EXPECT_EQ(one("uint16", int2, "65535"), "rejected: 65535 is out of range for smallint");
  EXPECT_EQ(one("uint32", int4, "4294967295"), "rejected: 4294967295 is out of range for integer");
  EXPECT_EQ(one("uint64", int8, "9223372036854775808"),
            "rejected: 9223372036854775808 is out of range for bigint");
  EXPECT_EQ(one("uint64", int8, "18446744073709551615"),
            "rejected: 18446744073709551615 is out of range for bigint");
  EXPECT_EQ(one("uint8", int2, "255"), "0000000200ff");
}

TEST(Unsigned, NumericAndFloat) {
  EXPECT_EQ(one("uint64", {"numeric", "numeric", -1}, "18446744073709551615"),
            "00000012"
            "0005"
            "0004"
            "0000"
            "0000"
            "0734"
            "1a58"
            "02e1"
            "03bb"
            "064f");
  EXPECT_EQ(one("uint64", {"numeric(19,0)", "numeric", 1245188}, "18446744073709551615"),
            "rejected: 18446744073709551615 is out of range for numeric(19,0)");
  EXPECT_EQ(one("uint64", {"double precision", "float8", -1}, "9223372036854775808"),
            "0000000843e0000000000000");
  EXPECT_EQ(one("uint64", {"double precision", "float8", -1}, "18446744073709551615"),
            "rejected: 18446744073709551615 has more digits than double precision holds");
}

TEST(Unsigned, SqliteHoldsUpTo63Bits) {
  const TargetType integer{"INTEGER", "INTEGER", -1};
  EXPECT_EQ(one("uint64", integer, "9223372036854775807", RowFormat::kSqliteRecord),
            "6:7fffffffffffffff");
  EXPECT_EQ(one("uint64", integer, "9223372036854775808", RowFormat::kSqliteRecord),
            "rejected: 9223372036854775808 is out of range for SQLite's INTEGER, which has 64 bits "
            "with sign");
  EXPECT_EQ(one("uint8", integer, "255", RowFormat::kSqliteRecord), "2:00ff");
  EXPECT_EQ(one("uint32", integer, "4294967295", RowFormat::kSqliteRecord), "5:0000ffffffff");
}

}  // namespace
}  // namespace headrace::test
