#include "encode/format/decimal_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace headrace {
namespace {

std::string text_of(const WideInteger& v, int scale) {
  std::string out(decimal_text_bytes(v, scale), '#');
  EXPECT_EQ(put_decimal(out.data(), v, scale), out.data() + out.size());
  return out;
}

TEST(DecimalText, PointAndZeros) {
  EXPECT_EQ(text_of(widen(0), 0), "0");
  EXPECT_EQ(text_of(widen(0), 2), "0.00");
  EXPECT_EQ(text_of(widen(0), -3), "0");
  EXPECT_EQ(text_of(widen(-5), 2), "-0.05");
  EXPECT_EQ(text_of(widen(100), 2), "1.00");
  EXPECT_EQ(text_of(widen(5), -2), "500");
  EXPECT_EQ(text_of(widen(-12345), 4), "-1.2345");
  EXPECT_EQ(text_of(widen(INT64_MIN), 0), "-9223372036854775808");
  EXPECT_EQ(text_of(widen(UINT64_MAX), 20), "0.18446744073709551615");
}

TEST(DecimalText, PowersOfTenUpTo77) {
  std::string digits = "1";
  for (int exponent = 0; exponent <= 77; ++exponent, digits += '0') {
    EXPECT_EQ(text_of(wide_power_of_10(exponent), 0), digits);
  }
}

TEST(WideInteger, DividesAndMultiplies) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    WideInteger v{{random(), random(), random(), random() >> (1 + random() % 60)}, false};
    const uint64_t divisor = random() >> (random() % 60) | 1;
    WideInteger quotient = v;
    const uint64_t rest = quotient.divide_by(divisor);
    ASSERT_LT(rest, divisor);
    quotient.multiply_by(divisor);
    unsigned __int128 carry = rest;
    for (uint64_t& limb : quotient.limb) {
      carry += limb;
      limb = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
    ASSERT_EQ(quotient.limb, v.limb);
  }
}

TEST(WideInteger, WidensAndNarrowsTwosComplement) {
  for (const int64_t v : {int64_t{0}, int64_t{1}, int64_t{-1}, INT64_MAX, INT64_MIN}) {
    const uint64_t sign = v < 0 ? ~0ULL : 0;
    const Int128 wide{static_cast<uint64_t>(v), sign};
    const Int256 wider{{static_cast<uint64_t>(v), sign, sign, sign}};
    int64_t back = 7;
    EXPECT_TRUE(narrow(wide, &back));
    EXPECT_EQ(back, v);
    EXPECT_TRUE(narrow(wider, &back));
    EXPECT_EQ(back, v);
    EXPECT_EQ(widen(wide).limb, widen(v).limb);
    EXPECT_EQ(widen(wider).limb, widen(v).limb);
    EXPECT_EQ(widen(wider).negative, v < 0);
  }
  int64_t out;
  EXPECT_FALSE(narrow(Int128{1ULL << 63, 0}, &out));
  EXPECT_FALSE(narrow(Int128{0, 1}, &out));
  EXPECT_FALSE(narrow(Int128{0, ~0ULL}, &out));
  EXPECT_FALSE(narrow(Int256{{0, 0, 0, 1}}, &out));
  EXPECT_FALSE(narrow(UINT64_MAX, &out));
}

}  // namespace
}  // namespace headrace
