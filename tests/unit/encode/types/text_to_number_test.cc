#include "unit/encode/text_targets.h"

namespace headrace::test {
namespace {

// numeric(p,s) as its type modifier.
TargetType numeric(int precision, int scale) {
  return {"numeric(" + std::to_string(precision) + "," + std::to_string(scale) + ")", "numeric",
          ((precision << 16) | (scale & 0x7FF)) + 4};
}

TEST(TextToInteger, DigitsWithSign) {
  EXPECT_EQ(parsed(target_of("int2"), "42"), "002a");
  EXPECT_EQ(parsed(target_of("int2"), " -32768\n"), "8000");
  EXPECT_EQ(parsed(target_of("int4"), "+42"), "0000002a");
  EXPECT_EQ(parsed(target_of("int4"), "000000000000000000000007"), "00000007");
  EXPECT_EQ(parsed(target_of("int4"), "-0"), "00000000");
  EXPECT_EQ(parsed(target_of("int8"), "9223372036854775807"), "7fffffffffffffff");
  EXPECT_EQ(parsed(target_of("int8"), "-9223372036854775808"), "8000000000000000");
}

TEST(TextToInteger, WhatIsRejected) {
  for (const char* text : {"", " ", "-", "+", "42.0", "4 2", "1e3", "0x10", "1_000", "--1", "+-1",
                           "- 1", "NaN", "1,000", "\xD9\xA1"}) {
    EXPECT_NE(rejection(target_of("int4"), text).find("is not an integer"), std::string::npos)
        << text;
  }
  EXPECT_EQ(rejection(target_of("int2"), "32768"), "'32768' is out of range for smallint");
  EXPECT_EQ(rejection(target_of("int4"), "-2147483649"),
            "'-2147483649' is out of range for integer");
  EXPECT_EQ(rejection(target_of("int8"), "9223372036854775808"),
            "'9223372036854775808' is out of range for bigint");
  EXPECT_EQ(rejection(target_of("int8"), "18446744073709551617"),
            "'18446744073709551617' is out of range for bigint");
  EXPECT_EQ(rejection(target_of("int4"), "99999999999999999999999999"),
            "'99999999999999999999999999' is out of range for integer");
}

TEST(TextToFloat, NearestValue) {
  const TargetType real = target_of("float4"), wide = target_of("float8");
  EXPECT_EQ(parsed(wide, "1.5"), "3ff8000000000000");
  EXPECT_EQ(parsed(wide, " +1.5e0 "), "3ff8000000000000");
  EXPECT_EQ(parsed(wide, "0.1"), "3fb999999999999a");
  EXPECT_EQ(parsed(wide, "-0"), "8000000000000000");
  EXPECT_EQ(parsed(wide, "0e999"), "0000000000000000");
  EXPECT_EQ(parsed(wide, ".5"), "3fe0000000000000");
  EXPECT_EQ(parsed(wide, "5."), "4014000000000000");
  EXPECT_EQ(parsed(wide, "4.9e-324"), "0000000000000001");
  EXPECT_EQ(parsed(wide, "1.7976931348623157e308"), "7fefffffffffffff");
  EXPECT_EQ(parsed(wide, "NaN"), "7ff8000000000000");
  EXPECT_EQ(parsed(wide, "Infinity"), "7ff0000000000000");
  EXPECT_EQ(parsed(wide, "+inf"), "7ff0000000000000");
  EXPECT_EQ(parsed(wide, "-inf"), "fff0000000000000");
  EXPECT_EQ(parsed(real, "0.1"), "3dcccccd");
  EXPECT_EQ(parsed(real, "-Infinity"), "ff800000");
  EXPECT_EQ(parsed(real, "16777217"), "4b800000");
}

TEST(TextToFloat, WhatIsRejected) {
  for (const char* text : {"", ".", "-", "e5", "1e", "1e+", "1.5.", "0x10", "1,5", "--1", "+-1",
                           "1 2", "infinite", "nan(1)", "1d", "-nan"}) {
    EXPECT_NE(rejection(target_of("float8"), text).find("is not a number"), std::string::npos)
        << text;
  }
  EXPECT_EQ(rejection(target_of("float8"), "1e309"),
            "'1e309' is out of range for double precision");
  EXPECT_EQ(rejection(target_of("float8"), "1e-400"),
            "'1e-400' is out of range for double precision");
  EXPECT_EQ(rejection(target_of("float4"), "1e39"), "'1e39' is out of range for real");
  EXPECT_EQ(rejection(target_of("float4"), "-1e-60"), "'-1e-60' is out of range for real");
}

TEST(TextToBoolean, Words) {
  for (const char* text : {"t", "T", "true", "TRUE", " yes ", "y", "on", "1"}) {
    EXPECT_EQ(parsed(target_of("bool"), text), "01") << text;
  }
  for (const char* text : {"f", "false", "False", "no", "n", "OFF", "0"}) {
    EXPECT_EQ(parsed(target_of("bool"), text), "00") << text;
  }
  for (const char* text : {"", "2", "o", "tr", "yess", "-1", "01", "null"}) {
    EXPECT_NE(rejection(target_of("bool"), text).find("is not a boolean; expected true or false"),
              std::string::npos)
        << text;
  }
}

TEST(TextToNumeric, FieldsOfShortAndLongNumbers) {
  const TargetType any = target_of("numeric");
  // digits, weight, sign, dscale, base-10000 digits
  EXPECT_EQ(parsed(any, "12345.67"),
            "00030001"
            "00000002"
            "000109291a2c");
  EXPECT_EQ(parsed(any, " +12345.67 "), parsed(any, "12345.67"));
  EXPECT_EQ(parsed(any, "1234567e-2"), parsed(any, "12345.67"));
  EXPECT_EQ(parsed(any, "-0.0005"),
            "0001ffff"
            "400000040005");
  EXPECT_EQ(parsed(any, "5e-4"),
            "0001ffff"
            "000000040005");
  EXPECT_EQ(parsed(any, "30000"),
            "00010001"
            "000000000003");
  EXPECT_EQ(parsed(any, "3e4"), parsed(any, "30000"));
  EXPECT_EQ(parsed(any, "0"),
            "00000000"
            "00000000");
  EXPECT_EQ(parsed(any, "-0.00"),
            "00000000"
            "00000002");
  EXPECT_EQ(parsed(any, "0e5"),
            "00000000"
            "00000000");
  EXPECT_EQ(parsed(any, "1.500"),
            "00020000"
            "00000003"
            "00011388");
  EXPECT_EQ(parsed(any, ".5"),
            "0001ffff"
            "000000011388");
  EXPECT_EQ(parsed(any, "5."),
            "00010000"
            "000000000005");
  EXPECT_EQ(parsed(any, "NaN"),
            "00000000"
            "c0000000");
  // Both ways, that of up to 16 digits and that of any number, give the same.
  for (const char* number : {"9999999999999999", "1000000000000000", "0.000000000000001",
                             "99999999.99999999", "10000.0001", "0.1", "120", "1200.00"}) {
    EXPECT_EQ(parsed(any, std::string(number) + "e0"), parsed(any, number)) << number;
    EXPECT_EQ(parsed(any, "0000000000000000000" + std::string(number)), parsed(any, number));
  }
  EXPECT_EQ(parsed(any, "123456789012345678901234567890"),
            "00080007"
            "00000000"
            "000c0d80"
            "1ed204d2"
            "162e2334"
            "0d801ed2");
  const std::string longest(131072, '9');
  EXPECT_EQ(parsed(any, longest).size(), 2 * (8 + 2 * 32768u));
  EXPECT_EQ(parsed(any, "0." + std::string(16383, '1')).size(), 2 * (8 + 2 * 4096u));
}

TEST(TextToNumeric, PrecisionAndScale) {
  EXPECT_EQ(parsed(numeric(7, 2), "12345.67"),
            "00030001"
            "00000002"
            "000109291a2c");
  EXPECT_EQ(parsed(numeric(7, 2), "5"),
            "00010000"
            "000000020005");
  EXPECT_EQ(parsed(numeric(7, 2), "-1.50000"),
            "00020000"
            "40000002"
            "00011388");
  EXPECT_EQ(parsed(numeric(7, 2), "0.000000"),
            "00000000"
            "00000002");
  EXPECT_EQ(parsed(numeric(7, 2), "99999.99e0"), parsed(numeric(7, 2), "99999.99"));
  EXPECT_EQ(parsed(numeric(3, 5), "0.00999"),
            "0002ffff"
            "00000005"
            "00632328");
  EXPECT_EQ(parsed(numeric(3, -2), "12300"),
            "00020001"
            "00000000"
            "000108fc");
  EXPECT_EQ(rejection(numeric(7, 2), "1.005"), "'1.005' has more decimals than numeric(7,2)");
  EXPECT_EQ(rejection(numeric(7, 2), "100000"), "'100000' is out of range for numeric(7,2)");
  EXPECT_EQ(rejection(numeric(7, 2), "1e5"), "'1e5' is out of range for numeric(7,2)");
  EXPECT_EQ(rejection(numeric(3, 5), "0.01"), "'0.01' is out of range for numeric(3,5)");
  EXPECT_EQ(rejection(numeric(3, -2), "150"), "'150' has more decimals than numeric(3,-2)");
  EXPECT_EQ(parsed(numeric(7, 2), "nan"),
            "00000000"
            "c0000000");
}

TEST(TextToNumeric, WhatIsRejected) {
  const TargetType any = target_of("numeric");
  for (const char* text : {"", " ", ".", "-", "1e", "1e+", "e5", "1.2.3", "1,5", "0x10", "1_000",
                           "--1", "Infinity", "-inf", ".nan", "-NaN", "1 2", "12a"}) {
    EXPECT_NE(rejection(any, text).find("is not a number"), std::string::npos) << text;
  }
  EXPECT_NE(rejection(any, std::string(131073, '9')).find("is out of range for numeric"),
            std::string::npos);
  EXPECT_EQ(rejection(any, "1e131072"), "'1e131072' is out of range for numeric");
  EXPECT_EQ(rejection(any, "1e-16384"), "'1e-16384' has more decimals than numeric");
  EXPECT_EQ(rejection(any, "1e99999999999999999999"), "'1e99999999999999999999' is not a number");
}

TEST(TextToNumeric, ManyRowsKeepTheirOwnFields) {
  std::vector<Raw> values;
  for (int i = 0; i < 700; ++i) {
    values.push_back(i % 5 == 0 ? Raw() : Raw(std::string(static_cast<size_t>(1 + i % 40), '7')));
  }
  const Encoded out = encode(type_of("utf8"), target_of("numeric"), RowFormat::kPgBinary, values);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) {
      ASSERT_EQ(hex(out.cells[i]), "ffffffff");
    } else {
      const std::string alone =
          encode_one(type_of("utf8"), target_of("numeric"), RowFormat::kPgBinary, values[i]);
      ASSERT_EQ(hex(out.cells[i]), hex(alone)) << i;
    }
  }
}

}  // namespace
}  // namespace headrace::test
