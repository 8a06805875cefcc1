#include <cmath>
#include <cstdlib>
#include <random>

#include "encode/types/numeric_target.h"
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

TargetType numeric(int precision, int scale) {
  return {"numeric(" + std::to_string(precision) + "," + std::to_string(scale) + ")", "numeric",
          numeric_typmod(precision, scale)};
}

TEST(Numeric, TypeModifiers) {
  EXPECT_EQ(numeric_typmod(15, 2), 983046);
  for (const auto& [precision, scale] : {std::pair{15, 2}, {1000, 1000}, {5, -3}, {38, 0}}) {
    const NumericTypmod back = read_numeric_typmod(numeric_typmod(precision, scale));
    EXPECT_EQ(back.precision, precision);
    EXPECT_EQ(back.scale, scale);
  }
  EXPECT_EQ(read_numeric_typmod(-1).precision, -1);
}

TEST(Numeric, DefaultTargets) {
  const auto pg = [](const char* name) {
    return default_target(type_of(name), Dialect::kPostgres);
  };
  EXPECT_EQ(pg("decimal128(15, 2)").sql, "numeric(15,2)");
  EXPECT_EQ(pg("decimal128(15, 2)").typmod, 983046);
  EXPECT_EQ(pg("decimal128(10, -3)").sql, "numeric(13,0)");
  EXPECT_EQ(pg("decimal128(3, 5)").sql, "numeric(5,5)");
  EXPECT_EQ(pg("decimal256(76, -1000)").sql, "numeric");
  const auto sqlite = [](const char* name) {
    return default_target(type_of(name), Dialect::kSqlite);
  };
  EXPECT_EQ(sqlite("decimal128(15, 2)").sql, "DECIMAL(15,2)");
  EXPECT_EQ(sqlite("decimal128(15, 2)").base, "NUMERIC");
  EXPECT_EQ(sqlite("decimal128(16, 2)").sql, "TEXT");
  EXPECT_EQ(sqlite("decimal128(14, -2)").sql, "TEXT");
  EXPECT_EQ(sqlite("decimal128(5, 30)").sql, "TEXT");
}

// The server rounds to the target's scale without a word.
TEST(Numeric, TargetsOfOtherPrecisionAndScaleTakeWhatFits) {
  EXPECT_EQ(one("decimal128(15, 2)", numeric(15, 1), "12340"),
            "0000000c"
            "0002"
            "0000"
            "0000"
            "0001"
            "007b"
            "0fa0");
  EXPECT_EQ(one("decimal128(15, 2)", numeric(15, 1), "12345"),
            "rejected: 123.45 has more decimals than numeric(15,1)");
  EXPECT_EQ(one("decimal128(15, 2)", numeric(4, 2), "9999"),
            one("decimal128(4, 2)", numeric(4, 2), "9999"));
  EXPECT_EQ(one("decimal128(15, 2)", numeric(4, 2), "10000"),
            "rejected: 100.00 is out of range for numeric(4,2)");
  EXPECT_EQ(one("decimal128(15, 2)", numeric(4, 2), "-10000", RowFormat::kText),
            "rejected: -100.00 is out of range for numeric(4,2)");
  EXPECT_EQ(one("decimal128(15, 2)", numeric(3, -2), "1230000"),
            one("decimal128(15, 0)", numeric(3, -2), "12300"));
  EXPECT_EQ(one("decimal128(15, 2)", numeric(3, -2), "1234000"),
            "rejected: 12340.00 has more decimals than numeric(3,-2)");
  EXPECT_EQ(one("decimal128(38, 30)", numeric(38, 2), "1" + std::string(30, '0')),
            one("decimal128(38, 2)", numeric(38, 2), "100"));
}

TEST(Numeric, ValuesPastTheDeclaredPrecisionAreSeen) {
  EXPECT_EQ(one("decimal128(15, 2)", numeric(15, 2), "1000000000000000"),
            "rejected: 10000000000000.00 is out of range for numeric(15,2)");
  EXPECT_EQ(one("decimal64(15, 2)", numeric(15, 2), "-9223372036854775808"),
            "rejected: -92233720368547758.08 is out of range for numeric(15,2)");
}

TEST(Numeric, IntegersWhenIntegral) {
  const TargetType int4{"integer", "int4", -1}, int8{"bigint", "int8", -1};
  EXPECT_EQ(one("decimal128(15, 2)", int4, "-4200"), "00000004ffffffd6");
  EXPECT_EQ(one("decimal128(15, 2)", int4, "4201"),
            "rejected: 42.01 is not an integer that integer holds");
  EXPECT_EQ(one("decimal128(15, 2)", int4, "214748364800"),
            "rejected: 2147483648.00 is not an integer that integer holds");
  EXPECT_EQ(one("decimal128(38, 0)", int8, "-9223372036854775808"), "000000088000000000000000");
  EXPECT_EQ(one("decimal128(38, 0)", int8, "9223372036854775808"),
            "rejected: 9223372036854775808 is not an integer that bigint holds");
  EXPECT_EQ(one("decimal128(10, -4)", int8, "7", RowFormat::kText), "70000\t");
}

TEST(Numeric, NullsAndSlotsOfMixedSize) {
  const DataType type = type_of("decimal128(38, 2)");
  std::vector<Raw> values;
  for (int i = 0; i < 300; ++i) {
    values.push_back(i % 5 == 0   ? Raw()
                     : i % 5 == 1 ? Raw(raw_integer("99999999999999999999999999999999999999", 16))
                                  : Raw(raw_integer(std::to_string(i), 16)));
  }
  const Encoded out = encode(type, numeric(38, 2), RowFormat::kPgBinary, values);
  EXPECT_TRUE(out.rejects.empty());
  EXPECT_EQ(hex(out.cells[0]), "ffffffff");
  EXPECT_EQ(hex(out.cells[1]).substr(0, 24), "0000001c000a000800000002");
  EXPECT_EQ(hex(out.cells[2]), "0000000a0001ffff0000000200c8");
}

TEST(Numeric, SqliteIntegerOrRealAndBack) {
  EXPECT_EQ(sqlite_one("decimal128(15, 2)", raw_integer("100", 16)), "9:");
  EXPECT_EQ(sqlite_one("decimal128(15, 2)", raw_integer("-500", 16)), "1:fb");
  EXPECT_EQ(sqlite_one("decimal128(15, 2)", raw_integer("5", 16)), "7:3fa999999999999a");
  EXPECT_EQ(sqlite_one("decimal64(15, 0)", raw_integer("999999999999999", 8)),
            "6:00038d7ea4c67fff");
  std::mt19937_64 random(4);
  for (int round = 0; round < 20000; ++round) {
    const int scale = static_cast<int>(random() % 16);
    const auto v = static_cast<int64_t>(random() % 1999999999999999) - 999999999999999;
    const DataType type = type_of("decimal64(15, " + std::to_string(scale) + ")");
    OwnedArray array(std::make_unique<ArrowArray>(build_array(type, {raw(v)})).get());
    const Encoded out = encode_array(*array.get(), type, default_target(type, Dialect::kSqlite),
                                     RowFormat::kSqliteRecord);
    const std::string& cell = out.cells[0];
    if (!cell.starts_with("7:")) {
      ASSERT_EQ(v % static_cast<int64_t>(kPowersOf10[scale]), 0) << v << " " << scale;
      continue;
    }
    const uint64_t bits = std::stoull(cell.substr(2), nullptr, 16);
    double stored;
    std::memcpy(&stored, &bits, 8);
    // The nearest double, and the decimal comes back from it.
    const std::string text = decimal_string(widen(v), scale);
    ASSERT_EQ(stored, std::strtod(text.c_str(), nullptr)) << text;
    ASSERT_EQ(std::llround(stored * static_cast<double>(kPowersOf10[scale])), v) << text;
  }
}

TEST(Numeric, SqliteColumnsOfOtherAffinity) {
  const TargetType text{"TEXT", "TEXT", -1}, number{"NUMERIC", "NUMERIC", -1},
      real{"REAL", "REAL", -1};
  const RowFormat format = RowFormat::kSqliteRecord;
  EXPECT_EQ(one("decimal128(38, 2)", text, "-12345", format), sqlite_text("-123.45"));
  EXPECT_EQ(one("decimal128(5, 2)", text, "100", format), sqlite_text("1.00"));
  EXPECT_EQ(one("decimal128(38, 10)", number, "15000000000", format), "7:3ff8000000000000");
  EXPECT_EQ(one("decimal128(38, 10)", number, "1234567895000000000", format), "7:419d6f3456000000");
  EXPECT_EQ(one("decimal128(38, 2)", number, "12345678901234567", format),
            "rejected: 123456789012345.67 has more than 15 digits; a numeric column of SQLite "
            "would round it");
  EXPECT_EQ(one("decimal128(38, 0)", number, "9223372036854775807", format), "6:7fffffffffffffff");
  EXPECT_EQ(one("decimal128(38, 0)", number, "-9223372036854775808", format), "6:8000000000000000");
  EXPECT_EQ(one("decimal128(38, 0)", real, "9007199254740993", format),
            "rejected: 9007199254740993 has more than 15 digits; a numeric column of SQLite would "
            "round it");
  EXPECT_EQ(one("decimal128(5, -2)", number, "7", format), "2:02bc");
}

TEST(Numeric, SqliteTextOfWideDecimals) {
  EXPECT_EQ(default_target(type_of("decimal256(76, 4)"), Dialect::kSqlite).base, "TEXT");
  const std::string nines(76, '9');
  EXPECT_EQ(sqlite_one("decimal256(76, 4)", raw_integer("-" + nines, 32)),
            sqlite_text("-" + nines.substr(4) + ".9999"));
}

}  // namespace
}  // namespace headrace::test
