#include "unit/encode/format/geometry_check.h"

#include <chrono>

namespace headrace::test {
namespace {

// X = 1, Y = 2, Z or M = 3, M = 4, as PostGIS shows them.
const std::string kOne = "000000000000f03f", kTwo = "0000000000000040", kThree = "0000000000000840",
                  kFour = "0000000000001040", kNan = "000000000000f87f";

TEST(Wkt, WordsBlanksAndNumbersAsPeopleWriteThem) {
  const std::string point = "010100002000000000" + kOne + kTwo;
  for (const char* text :
       {"POINT(1 2)", "point(1 2)", "Point ( 1\t2 )", "  POINT\n(\r1    2) \n", "POINT(1. 2.0)",
        "POINT(1e0 20E-1)", "POINT(.1e1 0.2E+1)", "POINT(01 2.00000000000000000000000000)",
        "SRID=0;POINT(1 2)"}) {
    EXPECT_EQ(wkt(text), point) << text;
  }
  EXPECT_EQ(wkt("POINT(-.5 -0)"), "010100002000000000000000000000e0bf0000000000000080");
  EXPECT_EQ(wkt("POINT(0.1 1e23)"), "0101000020000000009a9999999999b93ff64ae1c7022db544");
  EXPECT_EQ(wkt("POINT(5e-324 1.7976931348623157e308)"),
            "0101000020000000000100000000000000ffffffffffffef7f");
}

TEST(Wkt, Srid) {
  const std::string body = kOne + kTwo;
  for (const char* text : {"SRID=4326;POINT(1 2)", "srid=4326 ; point(1 2)", " SRID=4326;\nPOINT(1 2)"}) {
    EXPECT_EQ(wkt(text), "0101000020e6100000" + body) << text;
  }
  EXPECT_EQ(wkt("SRID=999999;POINT(1 2)"), "01010000203f420f00" + body);
  for (const char* text : {"SRID=;POINT(1 2)", "SRID=4326", "SRID=4326 POINT(1 2)", "SRID=99999999999;POINT(1 2)",
                           "SRID 4326;POINT(1 2)", "SRID=4326;", "SRID=4326;SRID=4326;POINT(1 2)"}) {
    EXPECT_NE(wkt(text).find("expected @"), std::string::npos) << text << ": " << wkt(text);
  }
  EXPECT_EQ(wkt("SRID=-1;POINT(1 2)"), "an SRID outside 0 to 999999 @7");
  EXPECT_EQ(wkt("SRID=1000000;POINT(1 2)"), "an SRID outside 0 to 999999 @12");
}

TEST(Wkt, Dimensions) {
  for (const char* text : {"POINT Z(1 2 3)", "POINTZ(1 2 3)", "point z (1 2 3)", "POINT(1 2 3)"}) {
    EXPECT_EQ(wkt(text), "01010000a000000000" + kOne + kTwo + kThree) << text;
  }
  for (const char* text : {"POINT M(1 2 3)", "POINTM(1 2 3)", "Pointm (1 2 3)"}) {
    EXPECT_EQ(wkt(text), "010100006000000000" + kOne + kTwo + kThree) << text;
  }
  for (const char* text : {"POINT ZM(1 2 3 4)", "POINTZM(1 2 3 4)", "POINT(1 2 3 4)"}) {
    EXPECT_EQ(wkt(text), "01010000e000000000" + kOne + kTwo + kThree + kFour) << text;
  }
  EXPECT_EQ(wkt("POINT EMPTY"), "010100002000000000" + kNan + kNan);
  EXPECT_EQ(wkt("pointz empty"), "01010000a000000000" + kNan + kNan + kNan);
  EXPECT_EQ(wkt("GEOMETRYCOLLECTION Z(POINT EMPTY)"),
            "01070000a0000000000100000001" "01000080" + kNan + kNan + kNan);
  EXPECT_EQ(wkt("GEOMETRYCOLLECTION M(GEOMETRYCOLLECTION(POINT M(1 2 3)))"),
            "010700006000000000010000000107000040" "010000000101000040" + kOne + kTwo + kThree);
  for (const char* text :
       {"POINT Z(1 2)", "POINT M(1 2)", "POINT Z(1 2 3 4)", "POINT ZM(1 2 3)", "LINESTRING(1 2,3 4 5)",
        "LINESTRING(1 2 3,4 5)", "GEOMETRYCOLLECTION(POINT(1 2),POINT(1 2 3))", "MULTIPOINT(1 2 3,4 5)",
        "GEOMETRYCOLLECTION(POINT M(1 2 3),POINT(1 2 3))", "GEOMETRYCOLLECTION M(POINT(1 2 3))",
        "GEOMETRYCOLLECTION(POINT EMPTY,POINT(1 2 3))", "MULTIPOINT(EMPTY,1 2 3)", "POINT(1 2 3 4 5)",
        "GEOMETRYCOLLECTION Z(POINT M(1 2 3))", "MULTIPOLYGON(EMPTY,((0 0 1,1 0 1,1 1 1,0 0 1)))", "POINT(1)"}) {
    EXPECT_NE(wkt(text).find("different numbers of dimensions"), std::string::npos) << text << wkt(text);
  }
}

TEST(Wkt, PartsInBothWays) {
  const std::string one = "0101000000" + kOne + kOne, two = "0101000000" + kTwo + kTwo;
  for (const char* text : {"MULTIPOINT(1 1,2 2)", "MULTIPOINT((1 1),(2 2))", "MULTIPOINT ( ( 1 1 ) , 2 2 )"}) {
    EXPECT_EQ(wkt(text), "01040000200000000002000000" + one + two) << text;
  }
  EXPECT_EQ(wkt("MULTIPOINT(EMPTY,1 1)"), "01040000200000000002000000" "0101000000" + kNan + kNan + one);
  EXPECT_EQ(wkt("MULTILINESTRING(EMPTY,(1 1,2 2))"),
            "01050000200000000002000000" "010200000000000000" "010200000002000000" + kOne + kOne + kTwo + kTwo);
  EXPECT_EQ(wkt("MULTIPOLYGON EMPTY"), "01060000200000000000000000");
  EXPECT_EQ(wkt("GEOMETRYCOLLECTION(GEOMETRYCOLLECTION EMPTY)"),
            "01070000200000000001000000" "010700000000000000");
}

TEST(Wkt, Rejected) {
  const std::map<std::string, std::string> cases = {
      {"", "a geometry type was expected @0"},
      {"  ", "a geometry type was expected @2"},
      {"POINT", "'(' was expected @5"},
      {"POINT(", "a number was expected @6"},
      {"POINT()", "tuples with different numbers of dimensions @6"},
      {"POINT(1 2", "',' or ')' was expected @9"},
      {"POINT(1 2))", "something follows the geometry @10"},
      {"POINT(1 2);", "something follows the geometry @10"},
      {"POINT(1 2,3 4)", "',' or ')' was expected @9"},
      {"POINT(1,2)", "tuples with different numbers of dimensions @7"},
      {"POINT(+1 2)", "a number was expected @6"},
      {"POINT(1-2)", "a number was expected @6"},
      {"POINT(0x1 2)", "a number was expected @6"},
      {"POINT(nan nan)", "a number was expected @6"},
      {"POINT(-inf 2)", "a number was expected @6"},
      {"POINT(1e 2)", "a number was expected @6"},
      {"POINT(. 2)", "a number was expected @6"},
      {"POINT(1e999 2)", "a number that double precision does not hold @6"},
      {"POINT Z M(1 2 3 4)", "'(' was expected @8"},
      {"POINTS(1 2)", "a geometry type was expected @0"},
      {"LINESTRING(1 2)", "a line of one point @15"},
      {"LINESTRING(1 2,)", "tuples with different numbers of dimensions @15"},
      {"MULTILINESTRING((1 2,3 4),(1 2))", "a line of one point @31"},
      {"POLYGON((0 0,1 0,0 0))", "a ring of fewer than four points @21"},
      {"POLYGON((0 0,1 0,1 1,0 1))", "a ring that is not closed @25"},
      {"POLYGON((0 0,1 0,1 1,-0 0))", "a ring that is not closed @26"},
      {"POLYGON(EMPTY)", "'(' was expected @8"},
      {"POLYGON(0 0,1 0,1 1,0 0)", "'(' was expected @8"},
      {"GEOMETRYCOLLECTION()", "a geometry type was expected @19"},
      {"MULTIPOLYGON((0 0,1 0,1 1,0 0))", "'(' was expected @14"},
      {"CIRCULARSTRING(0 0,1 1,2 0)", "curves, surfaces and triangles are not supported @0"},
      {"TIN EMPTY", "curves, surfaces and triangles are not supported @0"},
      {"{\"type\":\"Point\"}", "a geometry type was expected @0"},
      {std::string("POINT(1 2)\0", 11), "something follows the geometry @10"},
      {"POINT(\xC2\xA0"
       "1 2)",
       "a number was expected @6"},
  };
  for (const auto& [text, problem] : cases) EXPECT_EQ(wkt(text), problem) << text;
}

// A ring is closed when X and Y are the same; Z may differ.
TEST(Wkt, RingsCloseInXY) {
  EXPECT_EQ(wkt("POLYGON((0 0 1,1 0 1,1 1 1,0 0 2))").substr(0, 10), "01030000a0");
}

TEST(Wkt, NestingIsLimited) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "GEOMETRYCOLLECTION(";
    return text + "POINT(1 2)" + std::string(static_cast<size_t>(depth), ')');
  };
  EXPECT_EQ(wkt(nested(ewkb::kMaxDepth)).substr(0, 10), "0107000020");
  EXPECT_NE(wkt(nested(ewkb::kMaxDepth + 1)).find("nested too deeply"), std::string::npos);
  EXPECT_NE(wkt(nested(100000)).find("nested too deeply"), std::string::npos);
}

TEST(Wkt, MegabytesInOneGo) {
  std::string text = "POLYGON((0 0";
  for (int i = 1; i < 400000; ++i) text += "," + std::to_string(i) + ".123456 -" + std::to_string(i) + ".5";
  text += ",0 0))";
  const auto start = std::chrono::steady_clock::now();
  Buffer out;
  const ewkb::Parsed parsed = parse_wkt(text, &out);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_TRUE(parsed.ok()) << parsed.problem;
  EXPECT_EQ(out.size(), 9u + 4 + 4 + 400001 * 16);
  EXPECT_LT(seconds, 2) << text.size() << " bytes";
}

TEST(Wkt, MutantsAreRejectedOrRight) {
  std::mt19937_64 random(7);
  for (const std::string& tag : {std::string(), std::string(" Z"), std::string(" M"), std::string("ZM")}) {
    const size_t more = tag.empty() ? 0 : tag == "ZM" ? 2 : 1;
    const auto tuple = [&](const std::string& xy) { return xy + std::string(" 7.5 1e3").substr(0, more * 4); };
    const std::string a = tuple("0 0"), b = tuple("1.25 -3"), c = tuple("1e1 4");
    const std::string ring = "(" + a + "," + b + "," + c + "," + a + ")";
    const std::string point = "POINT" + tag + "(" + b + ")", polygon = "POLYGON" + tag + "(" + ring + "," + ring + ")";
    for (const std::string& text :
         {point, polygon, "LINESTRING" + tag + "(" + a + "," + b + ")", "MULTIPOINT" + tag + "((" + a + ")," + b + ")",
          "SRID=4326;MULTIPOLYGON" + tag + "((" + ring + "),(" + ring + "))", "MULTIPOLYGON" + tag + " EMPTY",
          "GEOMETRYCOLLECTION" + tag + "(" + point + "," + polygon + ",GEOMETRYCOLLECTION" + tag + "(" + point + "))"}) {
      mutate(parse_wkt, text, "POINTZMEYpo()(),. \t-0123456789e;=\0\x80\xFF", random);
    }
  }
}

}  // namespace
}  // namespace headrace::test
