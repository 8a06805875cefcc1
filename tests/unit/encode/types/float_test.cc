#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

const TargetType kReal{"real", "float4", -1};
const TargetType kDouble{"double precision", "float8", -1};

TEST(Float, DoubleIntoRealOnlyWhenExact) {
  const DataType type = type_of("float64");
  const auto one = [&](double v) { return encode_one(type, kReal, RowFormat::kPgBinary, raw(v)); };
  EXPECT_EQ(hex(one(0.5)), "000000043f000000");
  EXPECT_EQ(hex(one(std::nan(""))).substr(0, 12), "000000047fc0");
  EXPECT_EQ(hex(one(-INFINITY)), "00000004ff800000");
  EXPECT_EQ(hex(one(-0.0)), "0000000480000000");
  EXPECT_EQ(hex(one(std::ldexp(1.0, -149))), "0000000400000001");
  EXPECT_EQ(one(0.1), "rejected: 0.1 has more digits than real holds");
  EXPECT_EQ(one(1e300), "rejected: 1e+300 has more digits than real holds");
  EXPECT_EQ(one(16777217), "rejected: 16777217 has more digits than real holds");
}

// What COPY TEXT gets reads back to the same bits.
TEST(Float, TextReadsBack) {
  std::mt19937_64 random(2);
  std::vector<Raw> doubles, singles;
  for (int i = 0; i < 2000; ++i) {
    doubles.push_back(raw(random()));
    singles.push_back(raw(static_cast<uint32_t>(random())));
  }
  const Encoded wide = encode(type_of("float64"), kDouble, RowFormat::kText, doubles);
  const Encoded narrow = encode(type_of("float32"), kReal, RowFormat::kText, singles);
  for (size_t i = 0; i < doubles.size(); ++i) {
    double expected;
    float expected_single;
    std::memcpy(&expected, doubles[i]->data(), 8);
    std::memcpy(&expected_single, singles[i]->data(), 4);
    const double read = std::strtod(wide.cells[i].c_str(), nullptr);
    const float read_single = std::strtof(narrow.cells[i].c_str(), nullptr);
    ASSERT_TRUE(read == expected || std::isnan(expected)) << wide.cells[i];
    ASSERT_TRUE(read_single == expected_single || std::isnan(expected_single)) << narrow.cells[i];
  }
}

TEST(Float, SqliteStoresEveryNumberAsReal) {
  EXPECT_EQ(sqlite_one("float64", raw(1.5)), "7:3ff8000000000000");
  EXPECT_EQ(sqlite_one("float64", raw(2.0)), "7:4000000000000000");
  EXPECT_EQ(sqlite_one("float64", raw(-0.0)), "7:8000000000000000");
  EXPECT_EQ(sqlite_one("float64", raw<double>(INFINITY)), "7:7ff0000000000000");
  EXPECT_EQ(sqlite_one("float32", raw(0.1F)), "7:3fb99999a0000000");
  EXPECT_EQ(sqlite_one("float16", raw<uint16_t>(0x3C01)), "7:3ff0040000000000");
}

TEST(Float, SqliteNanIsRejectedUnlessDeclaredNull) {
  for (const char* name : {"float16", "float32", "float64"}) {
    const DataType type = type_of(name);
    const TargetType target = default_target(type, Dialect::kSqlite);
    const Raw nan = type.id == TypeId::kFloat16   ? raw<uint16_t>(0x7E00)
                    : type.id == TypeId::kFloat32 ? raw(std::nanf(""))
                                                  : raw(std::nan(""));
    const Raw one = type.id == TypeId::kFloat16   ? raw<uint16_t>(0x3C00)
                    : type.id == TypeId::kFloat32 ? raw(1.0F)
                                                  : raw(1.0);
    const Encoded strict = encode(type, target, RowFormat::kSqliteRecord, {one, nan, {}, one});
    ASSERT_EQ(strict.rejects.size(), 1u);
    EXPECT_NE(strict.rejects.at(1).find("NaN"), std::string::npos);
    ValueOptions options;
    options.nan_as_null = true;
    const Encoded loose =
        encode(type, target, RowFormat::kSqliteRecord, {one, nan, {}, one}, options);
    EXPECT_TRUE(loose.rejects.empty());
    EXPECT_EQ(loose.cells[0], "7:3ff0000000000000");
    EXPECT_EQ(loose.cells[1], "0:");
    EXPECT_EQ(loose.cells[2], "0:");
    EXPECT_EQ(loose.cells[3], "7:3ff0000000000000");
  }
}

TEST(Float, OtherTargetsAreRefused) {
  const DataType type = type_of("float64");
  for (const char* base : {"int4", "numeric", "text"}) {
    EXPECT_FALSE(
        find_type_family(type)->make(type, {base, base, -1}, RowFormat::kPgBinary, {}).ok());
  }
  EXPECT_FALSE(
      find_type_family(type)->make(type, {"TEXT", "TEXT", -1}, RowFormat::kSqliteRecord, {}).ok());
}

}  // namespace
}  // namespace headrace::test
