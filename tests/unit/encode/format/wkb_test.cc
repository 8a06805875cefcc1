#include "unit/encode/format/geometry_check.h"

namespace headrace::test {
namespace {

const std::string kOne = "000000000000f03f", kTwo = "0000000000000040", kThree = "0000000000000840",
                  kFour = "0000000000001040", kNan = "000000000000f87f", kZero = "0000000000000000";
const std::string kOneBig = "3ff0000000000000", kTwoBig = "4000000000000000";

TEST(Wkb, ByteOrders) {
  const std::string point = "010100002000000000" + kOne + kTwo;
  EXPECT_EQ(wkb("0101000000" + kOne + kTwo), point);
  EXPECT_EQ(wkb("0000000001" + kOneBig + kTwoBig), point);
  // A little-endian part in a big-endian whole, and the other way round.
  const std::string multi = "010400002000000000020000000101000000" + kOne + kTwo + "0101000000" + kTwo + kOne;
  EXPECT_EQ(wkb("000000000400000002" "0101000000" + kOne + kTwo + "0000000001" + kTwoBig + kOneBig), multi);
  EXPECT_EQ(wkb("010400000002000000" "0000000001" + kOneBig + kTwoBig + "0101000000" + kTwo + kOne), multi);
  const std::string line = kOne + kTwo + kTwo + kOne;
  EXPECT_EQ(wkb("000000000200000002" + kOneBig + kTwoBig + kTwoBig + kOneBig), "01020000200000000002000000" + line);
}

TEST(Wkb, DimensionsByFlagAndByThousand) {
  const std::string xyz = kOne + kTwo + kThree;
  for (const char* head : {"0101000080", "01e9030000", "01e9030080"}) {
    EXPECT_EQ(wkb(head + xyz), "01010000a000000000" + xyz) << head;
  }
  for (const char* head : {"0101000040", "01d1070000"}) {
    EXPECT_EQ(wkb(head + xyz), "010100006000000000" + xyz) << head;
  }
  for (const char* head : {"01010000c0", "01b90b0000", "01e9030040"}) {
    EXPECT_EQ(wkb(head + xyz + kFour), "01010000e000000000" + xyz + kFour) << head;
  }
}

TEST(Wkb, Srid) {
  EXPECT_EQ(wkb("0101000020e6100000" + kOne + kTwo), "0101000020e6100000" + kOne + kTwo);
  EXPECT_EQ(wkb("0020000001000010e6" + kOneBig + kTwoBig), "0101000020e6100000" + kOne + kTwo);
  EXPECT_EQ(wkb("0101000020" "40420f00" + kOne + kTwo), "an SRID outside 0 to 999999 @9");
  EXPECT_EQ(wkb("0101000020" "ffffffff" + kOne + kTwo), "an SRID outside 0 to 999999 @9");
  const std::string part = "0101000020e6100000" + kOne + kTwo;
  EXPECT_EQ(wkb("0104000020e610000001000000" + part),
            "0104000020e6100000010000000101000000" + kOne + kTwo);
  EXPECT_EQ(wkb("0104000020346c000001000000" + part), "a part with an SRID of its own @22");
  EXPECT_EQ(wkb("010400000001000000" + part), "a part with an SRID of its own @18");
}

TEST(Wkb, Empty) {
  EXPECT_EQ(wkb("0101000000" + kNan + kNan), "010100002000000000" + kNan + kNan);
  EXPECT_EQ(wkb("0101000000" "0000000000" "00f8ff" "0100000000" "00f07f"), "010100002000000000" + kNan + kNan);
  EXPECT_EQ(wkb("01e9030000" + kNan + kNan + kNan), "01010000a000000000" + kNan + kNan + kNan);
  EXPECT_EQ(wkb("01e9030000" + kNan + kNan + kOne), "a point with Z or M, but without X and Y @29");
  for (const char* type : {"02", "03", "04", "05", "06", "07"}) {
    EXPECT_EQ(wkb(std::string("01") + type + "00000000000000"),
              std::string("01") + type + "0000200000000000000000");
  }
}

TEST(Wkb, NanAndInfinityOfOtherPointsStay) {
  const std::string infinity = "000000000000f07f";
  EXPECT_EQ(wkb("0101000000" + infinity + kOne), "010100002000000000" + infinity + kOne);
  EXPECT_EQ(wkb("0101000000" + kNan + kOne), "010100002000000000" + kNan + kOne);
}

TEST(Wkb, Rejected) {
  const std::string p = kOne + kTwo, q = kTwo + kOne, o = kZero + kZero;
  const std::string truncated = "the bytes end within the geometry @";
  const std::map<std::string, std::string> cases = {
      {"", truncated + "0"},
      {"01", truncated + "1"},
      {"02", "a byte order of 0 or 1 was expected @0"},
      {"0100000000", "an unknown geometry type @5"},
      {"0101000010" + p, "an unknown geometry type @5"},
      {"01a10f0000" + p, "an unknown geometry type @5"},
      {"0112000000", "an unknown geometry type @5"},
      {"010800000000000000", "curves, surfaces and triangles are not supported @5"},
      {"01f803000000000000", "curves, surfaces and triangles are not supported @5"},
      {"0111000000" "00000000", "curves, surfaces and triangles are not supported @5"},
      {"0101000000" + p + "00", "bytes follow the geometry @21"},
      {"010200000001000000" + p, "a line of one point @25"},
      {"0102000000" "ffffffff" + p + p, truncated + "9"},
      {"0104000000" "ffffffff", truncated + "9"},
      {"0103000000" "ffffffff" "00000000", truncated + "9"},
      {"010300000001000000" "00000000", "a ring of fewer than four points @13"},
      {"010300000001000000" "03000000" + p + q + p, "a ring of fewer than four points @61"},
      {"010300000001000000" "04000000" + p + q + o + q, "a ring that is not closed @77"},
      {"010400000001000000" "010200000000000000", "a part of another type than its multi-geometry's @14"},
      {"010600000001000000" "0106000000" "00000000", "a part of another type than its multi-geometry's @14"},
      {"010700000001000000" "0101000080" + p + kOne, "parts with different dimensions @14"},
      {"01ef03000001000000" "0101000000" + p, "parts with different dimensions @14"},
  };
  for (const auto& [digits, problem] : cases) EXPECT_EQ(wkb(digits), problem) << digits;
}

TEST(Wkb, NestingIsLimited) {
  const auto nested = [](int depth) {
    std::string digits;
    for (int i = 0; i < depth; ++i) digits += "010700000001000000";
    return digits + "0101000000" + kOne + kTwo;
  };
  EXPECT_EQ(wkb(nested(ewkb::kMaxDepth)).substr(0, 10), "0107000020");
  // Parts of a multi-geometry are no level: the same limit as in WKT.
  const std::string multi = nested(ewkb::kMaxDepth);
  const std::string point = "0101000000" + kOne + kTwo;
  const std::string inner = multi.substr(0, multi.size() - point.size()) + "010400000001000000" + point;
  EXPECT_EQ(wkb(inner).substr(0, 10), "0107000020");
  EXPECT_NE(wkb(nested(ewkb::kMaxDepth + 1)).find("nested too deeply"), std::string::npos);
  EXPECT_NE(wkb(nested(100000)).find("nested too deeply"), std::string::npos);
}

TEST(Wkb, HexDigits) {
  Buffer out;
  EXPECT_TRUE(decode_hex("00fFA9", &out).ok());
  EXPECT_EQ(hex(out.view()), "00ffa9");
  for (const char* bad : {"0", "000", "0g", "g0", "0 ", "\xFF\xFF"}) EXPECT_FALSE(decode_hex(bad, &out).ok()) << bad;
}

TEST(Wkb, LonLat) {
  const auto inside = [](std::string_view text) {
    Buffer out;
    EXPECT_TRUE(parse_wkt(text, &out).ok()) << text;
    return is_lon_lat(out.view());
  };
  EXPECT_TRUE(inside("POINT(180 -90)"));
  EXPECT_TRUE(inside("POINT Z(-180 90 1000)"));
  EXPECT_TRUE(inside("POINT ZM EMPTY"));
  EXPECT_TRUE(inside("GEOMETRYCOLLECTION M(MULTIPOINT M(1 2 500,EMPTY),POLYGON EMPTY,LINESTRING M(1 2 300,3 4 500))"));
  EXPECT_FALSE(inside("POINT(180.0000000001 0)"));
  EXPECT_FALSE(inside("POINT(0 -90.0000000001)"));
  EXPECT_FALSE(inside("GEOMETRYCOLLECTION(POINT(1 2),MULTIPOLYGON(((0 0,1 1,0 91,0 0))))"));
  EXPECT_FALSE(inside("GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)),LINESTRING(0 0,181 0))"));
  EXPECT_FALSE(is_lon_lat(unhex("0101000000" + kNan + kOne)));
}

TEST(Wkb, MutantsAreRejectedOrRight) {
  std::mt19937_64 random(11);
  std::string alphabet;
  for (const int byte : {0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20, 0x40, 0x80, 0xC0, 0xE9, 0xF0, 0xFF}) {
    alphabet += static_cast<char>(byte);
  }
  for (const char* text :
       {"POINT(1 2)", "POINT ZM EMPTY", "LINESTRING M(1 2 3,4 5 6)", "POLYGON((0 0,1 0,1 1,0 0),(0 0,1 0,1 1,0 0))",
        "MULTIPOINT(1 2,EMPTY)", "MULTIPOLYGON Z(((0 0 1,1 0 1,1 1 1,0 0 1)),EMPTY)",
        "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(POINT(3 4),LINESTRING EMPTY))"}) {
    Buffer out;
    ASSERT_TRUE(parse_wkt(text, &out).ok()) << text;
    mutate(parse_wkb, std::string(out.view()), alphabet, random);
  }
}

}  // namespace
}  // namespace headrace::test
