#include "encode/format/pg_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace headrace::pg_array {
namespace {

std::string element(const std::string& escaped) {
  std::string out(max_element_bytes(escaped.size()), '?');
  out.resize(static_cast<size_t>(put_element(out.data(), escaped) - out.data()));
  return out;
}

TEST(PgArray, OidsOfTheServersOwnTypes) {
  EXPECT_EQ(element_oid("int4"), 23u);
  EXPECT_EQ(element_oid("jsonb"), 3802u);
  EXPECT_EQ(element_oid("citext"), 0u);
  EXPECT_EQ(element_oid(""), 0u);
}

TEST(PgArray, QuotesOnlyWhereTheyAreNeeded) {
  EXPECT_EQ(element("-1.5e+22"), "-1.5e+22");
  EXPECT_EQ(element("2000-02-29"), "2000-02-29");
  EXPECT_EQ(element(""), "\"\"");
  EXPECT_EQ(element("nUlL"), "\"nUlL\"");
  EXPECT_EQ(element("nul"), "nul");
  for (const char* text : {"a b", "{", "}", ","}) {
    EXPECT_EQ(element(text), "\"" + std::string(text) + "\"");
  }
}

// Both escapes at once: the array's, and COPY's around it.
TEST(PgArray, BackslashesAndQuotes) {
  EXPECT_EQ(element("\""), "\"\\\\\"\"");
  EXPECT_EQ(element("\\\\"), "\"\\\\\\\\\"");
  EXPECT_EQ(element("\\t"), "\"\\t\"");
  EXPECT_EQ(element("\\\\t"), "\"\\\\\\\\t\"");
}

TEST(PgArray, NumbersAreTurnedRound) {
  const uint64_t values[] = {9, 0x0102030405060708};
  uint8_t out[12];
  EXPECT_EQ(put_elements_64(out, values, 1, 1), out + 12);
  const uint8_t expected[] = {0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_TRUE(std::equal(out, out + 12, expected));
  EXPECT_EQ(put_elements_32(out, values, 2, 1), out + 8);
  EXPECT_EQ(load_be32(out), 4u);
  EXPECT_EQ(load_be32(out + 4), 0x05060708u);
  EXPECT_EQ(put_elements_16(out, values, 4, 1), out + 6);
  EXPECT_EQ(load_be32(out), 2u);
  EXPECT_EQ(load_be16(out + 4), 0x0708);
}

}  // namespace
}  // namespace headrace::pg_array
