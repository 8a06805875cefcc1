#include "encode/format/numeric_base10000.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/encode/codec_check.h"
#include "unit/encode/raw_values.h"

namespace headrace {
namespace {

// The field by way of decimal digits as text, with nothing of the encoder's arithmetic.
std::string field_by_digits(std::string digits, int scale) {
  const bool negative = digits[0] == '-';
  if (negative) digits.erase(0, 1);
  const int dscale = std::max(scale, 0);
  if (scale < 0) digits.append(static_cast<size_t>(-scale), '0');
  if (digits.size() < static_cast<size_t>(dscale))
    digits.insert(0, static_cast<size_t>(dscale) - digits.size(), '0');
  std::string whole = digits.substr(0, digits.size() - static_cast<size_t>(dscale));
  std::string fraction = digits.substr(whole.size());
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - fraction.size() % 4) % 4, '0');
  int weight = static_cast<int>(whole.size() / 4) - 1;
  std::string groups = whole + fraction;
  while (!groups.empty() && groups.substr(0, 4) == "0000") {
    groups.erase(0, 4);
    --weight;
  }
  while (!groups.empty() && groups.substr(groups.size() - 4) == "0000")
    groups.resize(groups.size() - 4);
  const auto two_bytes = [](int v) {
    return std::string{static_cast<char>(v >> 8), static_cast<char>(v)};
  };
  const bool zero = groups.empty();
  const int count = static_cast<int>(groups.size() / 4);
  std::string out = std::string(2, '\0') + two_bytes(8 + 2 * count) + two_bytes(count) +
                    two_bytes(zero ? 0 : weight) + two_bytes(negative && !zero ? 0x4000 : 0) +
                    two_bytes(dscale);
  for (int i = 0; i < count; ++i)
    out += two_bytes(std::stoi(groups.substr(4 * static_cast<size_t>(i), 4)));
  return out;
}

std::string encoded(const std::string& type_name, const std::string& digits) {
  const DataType type = test::type_of(type_name);
  return test::encode_one(type, {"numeric", "numeric", -1}, RowFormat::kPgBinary,
                          test::raw_value(type, digits));
}

TEST(NumericBase10000, WorkedExamples) {
  EXPECT_EQ(test::hex(field_by_digits("1234567", 2)),
            "0000000e"
            "0003"
            "0001"
            "0000"
            "0002"
            "0001"
            "0929"
            "1a2c");
  EXPECT_EQ(test::hex(encoded("decimal128(15, 2)", "1234567")),
            "0000000e"
            "0003"
            "0001"
            "0000"
            "0002"
            "0001"
            "0929"
            "1a2c");
  EXPECT_EQ(test::hex(encoded("decimal128(15, 4)", "5")),
            "0000000a"
            "0001"
            "ffff"
            "0000"
            "0004"
            "0005");
  EXPECT_EQ(test::hex(encoded("decimal128(15, 0)", "30000")),
            "0000000a"
            "0001"
            "0001"
            "0000"
            "0000"
            "0003");
  EXPECT_EQ(test::hex(encoded("decimal128(15, 2)", "0")),
            "00000008"
            "0000"
            "0000"
            "0000"
            "0002");
}

// Random digits: runs of zeros and nines, which strip and carry, are as likely as others.
std::string random_digits(std::mt19937_64& random, int most) {
  const auto count = static_cast<size_t>(1 + random() % static_cast<uint64_t>(most));
  std::string digits;
  while (digits.size() < count) {
    const size_t run = 1 + random() % 6;
    const uint64_t kind = random() % 4;
    for (size_t i = 0; i < run; ++i) {
      digits += kind == 0 ? '0' : kind == 1 ? '9' : static_cast<char>('0' + random() % 10);
    }
  }
  digits.resize(count);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return random() % 2 == 0 && digits != "0" ? "-" + digits : digits;
}

TEST(NumericBase10000, RandomValuesOfEveryWidthAndScale) {
  std::mt19937_64 random(7);
  const std::pair<int, int> widths[] = {{32, 9}, {64, 18}, {128, 38}, {256, 76}};
  for (int round = 0; round < 3000; ++round) {
    const auto [bits, most] = widths[round % 4];
    const int scale = static_cast<int>(random() % 60) - 12;
    const std::string digits = random_digits(random, most);
    const std::string type = "decimal" + std::to_string(bits) + "(" + std::to_string(most) + ", " +
                             std::to_string(scale) + ")";
    ASSERT_EQ(test::hex(encoded(type, digits)), test::hex(field_by_digits(digits, scale)))
        << digits << " scale " << scale;
  }
}

TEST(NumericBase10000, EveryCountOfDigitsOf64Bits) {
  for (int scale = 0; scale <= 4; ++scale) {
    uint64_t v = 1;
    for (int digits = 1; digits <= 19; ++digits, v *= 10) {
      for (const uint64_t near : {v - 1, v, v + 1}) {
        for (const char* sign : {"", "-"}) {
          if (near > INT64_MAX) continue;
          const std::string text = (near == 0 ? "" : sign) + std::to_string(near);
          ASSERT_EQ(test::hex(encoded("decimal64(18, " + std::to_string(scale) + ")", text)),
                    test::hex(field_by_digits(text, scale)))
              << text << " scale " << scale;
        }
      }
    }
  }
}

TEST(NumericBase10000, CopySmallCopiesEverySize) {
  uint8_t field[numeric::kRoomBytes];
  for (size_t i = 0; i < sizeof field; ++i) field[i] = static_cast<uint8_t>(i + 1);
  for (uint32_t n = numeric::kHeaderBytes; n <= numeric::kRoomBytes; ++n) {
    std::vector<uint8_t> out(n + 1, 0xEE);
    EXPECT_EQ(numeric::copy_small(out.data(), field, n), out.data() + n);
    EXPECT_TRUE(std::equal(field, field + n, out.data())) << n;
    EXPECT_EQ(out[n], 0xEE) << n;
  }
}

}  // namespace
}  // namespace headrace
