// Values written in words -> the bytes that an Arrow array holds. Written without the library's own
// arithmetic, so that both sides of a test do not share a mistake.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "support/arrays.h"
#include "unit/encode/codec_check.h"

namespace headrace::test {

// Two's complement of a decimal number in `bytes` bytes, little-endian.
inline std::string raw_integer(std::string_view digits, size_t bytes) {
  const bool negative = !digits.empty() && digits[0] == '-';
  if (negative) digits.remove_prefix(1);
  std::string out(bytes, '\0');
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (char& byte : out) {
      carry += static_cast<uint8_t>(byte) * 10u;
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
    EXPECT_EQ(carry, 0u) << digits << " does not fit " << bytes << " bytes";
  }
  unsigned carry = 1;
  for (char& byte : out) {
    if (!negative) break;
    carry += static_cast<uint8_t>(~byte);
    byte = static_cast<char>(carry);
    carry >>= 8;
  }
  return out;
}

// Bytes of one value of a type of fixed width.
inline size_t value_bytes(const DataType& type) {
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kUint8:
      return 1;
    case TypeId::kInt16:
    case TypeId::kUint16:
    case TypeId::kFloat16:
      return 2;
    case TypeId::kInt32:
    case TypeId::kUint32:
    case TypeId::kFloat32:
    case TypeId::kDate32:
    case TypeId::kTime32:
    case TypeId::kIntervalMonths:
      return 4;
    case TypeId::kDecimal:
      return static_cast<size_t>(type.bit_width) / 8;
    default:
      return 8;
  }
}

// "3,-4,5" with the widths of its parts.
inline std::string raw_parts(std::string_view text, std::initializer_list<size_t> widths) {
  std::string out;
  for (const size_t width : widths) {
    const size_t comma = std::min(text.find(','), text.size());
    out += raw_integer(text.substr(0, comma), width);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

inline std::string raw_value(const DataType& type, const std::string& text) {
  switch (type.id) {
    case TypeId::kBool:
      return std::string(1, text == "1" ? '\1' : '\0');
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
    case TypeId::kUtf8View:
    case TypeId::kBinary:
    case TypeId::kLargeBinary:
    case TypeId::kBinaryView:
    case TypeId::kFixedSizeBinary:
      return unhex(text);
    case TypeId::kFloat16:
    case TypeId::kFloat32:
    case TypeId::kFloat64: {
      std::string bits = unhex(text);
      std::reverse(bits.begin(), bits.end());
      return bits;
    }
    case TypeId::kIntervalDayTime:
      return raw_parts(text, {4, 4});
    case TypeId::kIntervalMonthDayNano:
      return raw_parts(text, {4, 4, 8});
    default:
      return raw_integer(text, value_bytes(type));
  }
}

}  // namespace headrace::test
