// Columns of geometry and geography: SRID, type and dimension rules, promotion, and what is kept
// between measure and write. The formats themselves: unit/encode/format/wkt_test.cc, wkb_test.cc.
#include <cctype>
#include <random>

#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

constexpr uint32_t kMultiPolygon = 6, kPolygon = 3, kPoint = 1, kMultiPoint = 4, kCollection = 7;

// PostGIS's type modifier.
int32_t typmod(int32_t srid, uint32_t type, bool z = false, bool m = false) {
  return static_cast<int32_t>((static_cast<uint32_t>(srid) & 0x1FFFFF) << 8 | type << 2 | (z ? 2U : 0U) | (m ? 1U : 0U));
}

TargetType geometry(int32_t modifier = -1) { return {"geometry", "geometry", modifier}; }
TargetType geography(int32_t modifier = -1) { return {"geography", "geography", modifier}; }

ValueOptions with_srid(int srid) {
  ValueOptions options;
  options.srid = srid;
  return options;
}
ValueOptions promoting() {
  ValueOptions options;
  options.promote_to_multi = true;
  return options;
}

// Without the field's length; the COPY TEXT form must be the same in hex digits.
std::string one(const TargetType& target, const Raw& value, const ValueOptions& options = {},
                const std::string& type = "utf8") {
  const std::string field = encode_one(type_of(type), target, RowFormat::kPgBinary, value, options);
  const std::string text = encode_one(type_of(type), target, RowFormat::kText, value, options);
  if (field.starts_with("rejected: ")) {
    EXPECT_EQ(text, field);
    return field.substr(10);
  }
  std::string digits = hex(field.substr(4));
  EXPECT_EQ(hex(field.substr(0, 4)), hex(std::string{0, 0, 0, static_cast<char>(digits.size() / 2)}));
  std::string upper = digits;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(text, upper + "\t");
  return digits;
}

const std::string kOne = "000000000000f03f", kTwo = "0000000000000040", kNan = "000000000000f87f";
const std::string kPoint4326 = "0101000020e6100000" + kOne + kTwo;
const std::string kPoint27700 = "0101000020346c0000" + kOne + kTwo;

TEST(Geometry, TypeModifiersOfARealServer) {
  // SELECT attname, atttypmod FROM pg_attribute, PostGIS 3.3.2
  EXPECT_EQ(typmod(4326, kMultiPolygon), 1107480);         // geometry(MultiPolygon,4326)
  EXPECT_EQ(typmod(27700, kPoint, true, true), 7091207);   // geometry(PointZM,27700)
  EXPECT_EQ(typmod(4269, kPolygon, true), 1092878);        // geography(PolygonZ,4269)
  EXPECT_EQ(typmod(0, kCollection), 28);                   // geometry(GeometryCollection)
}

TEST(Geometry, EverySourceType) {
  const std::string digits = "0101000000" + kOne + kTwo;
  for (const char* type : {"utf8", "large_utf8", "utf8_view"}) {
    EXPECT_EQ(one(geometry(), "POINT(1 2)", {}, type), kPoint4326) << type;
    EXPECT_EQ(one(geometry(), "SRID=27700; point (1 2)", {}, type), kPoint27700) << type;
    EXPECT_EQ(one(geometry(), digits, {}, type), kPoint4326) << type;
    EXPECT_EQ(one(geometry(), "\n " + kPoint27700 + " ", {}, type), kPoint27700) << type;
    EXPECT_EQ(one(geometry(), "SRID=27700;" + digits, {}, type), kPoint27700) << type;
  }
  for (const char* type : {"binary", "large_binary", "binary_view", "fixed_size_binary[21]"}) {
    EXPECT_EQ(one(geometry(), unhex(digits), {}, type), kPoint4326) << type;
    EXPECT_EQ(one(geography(), unhex(digits), {}, type), kPoint4326) << type;
  }
  EXPECT_EQ(one(geometry(), unhex(kPoint27700), {}, "binary"), kPoint27700);
  const DataType dictionary = dictionary_of(TypeId::kInt8, type_of("utf8"));
  EXPECT_EQ(hex(encode_one(dictionary, geometry(), RowFormat::kPgBinary, "POINT(1 2)")), "00000019" + kPoint4326);
}

TEST(Geometry, SridOfAValueWithoutOne) {
  EXPECT_EQ(one(geometry(), "POINT(1 2)"), kPoint4326);
  EXPECT_EQ(one(geometry(typmod(27700, 0)), "POINT(1 2)"), kPoint27700);
  EXPECT_EQ(one(geometry(typmod(0, kPoint)), "POINT(1 2)"), kPoint4326);
  EXPECT_EQ(one(geometry(), "POINT(1 2)", with_srid(27700)), kPoint27700);
  EXPECT_EQ(one(geometry(), "POINT(1 2)", with_srid(0)), "010100002000000000" + kOne + kTwo);
  EXPECT_EQ(one(geometry(typmod(4326, kPoint)), "POINT(1 2)", with_srid(27700)),
            "the SRID is 27700 (--srid), the column's 4326: 'POINT(1 2)'");
  EXPECT_EQ(one(geography(), "POINT(1 2)"), kPoint4326);
}

TEST(Geometry, SridOfItsOwnWins) {
  EXPECT_EQ(one(geometry(), "SRID=27700;POINT(1 2)", with_srid(3857)), kPoint27700);
  EXPECT_EQ(one(geometry(typmod(27700, kPoint)), "SRID=27700;POINT(1 2)", with_srid(3857)), kPoint27700);
  EXPECT_EQ(one(geometry(typmod(4326, kPoint)), "SRID=27700;POINT(1 2)"),
            "the SRID is 27700, the column's 4326: 'SRID=27700;POINT(1 2)'");
  EXPECT_EQ(one(geometry(typmod(4326, kPoint)), "SRID=0;POINT(1 2)"),
            "the SRID is 0, the column's 4326: 'SRID=0;POINT(1 2)'");
  EXPECT_EQ(one(geometry(), "SRID=4326;" + kPoint27700).substr(0, 30), "two different SRIDs at byte 1:");
}

TEST(Geometry, TypeAndDimensionsOfTheColumn) {
  const std::string polygon = "POLYGON((0 0,1 0,1 1,0 0))";
  EXPECT_EQ(one(geometry(typmod(4326, kMultiPolygon)), polygon),
            "POLYGON in a column of MULTIPOLYGON; --promote-to-multi stores it as one part: '" + polygon + "'");
  EXPECT_EQ(one(geometry(typmod(4326, kMultiPolygon)), "POINT(1 2)"),
            "POINT in a column of MULTIPOLYGON: 'POINT(1 2)'");
  EXPECT_EQ(one(geometry(typmod(4326, kPoint)), "MULTIPOINT EMPTY"), "MULTIPOINT in a column of POINT: 'MULTIPOINT EMPTY'");
  EXPECT_EQ(one(geometry(typmod(4326, kCollection)), "POINT(1 2)"),
            "POINT in a column of GEOMETRYCOLLECTION: 'POINT(1 2)'");
  EXPECT_EQ(one(geometry(typmod(4326, 0)), "POINT(1 2)"), kPoint4326);
  EXPECT_EQ(one(geometry(typmod(4326, 0)), "POINT(1 2 3)"), "POINT Z in a column of GEOMETRY: 'POINT(1 2 3)'");
  EXPECT_EQ(one(geometry(typmod(4326, kPoint)), "POINTM(1 2 3)"), "POINT M in a column of POINT: 'POINTM(1 2 3)'");
  EXPECT_EQ(one(geometry(typmod(4326, kPoint, true, true)), "POINT(1 2 3)"),
            "POINT Z in a column of POINT ZM: 'POINT(1 2 3)'");
  EXPECT_EQ(one(geometry(typmod(4326, kPoint, true)), "POINT EMPTY"), "POINT in a column of POINT Z: 'POINT EMPTY'");
  EXPECT_EQ(one(geometry(typmod(4326, kPoint, true)), "POINT Z EMPTY"), "01010000a0e6100000" + kNan + kNan + kNan);
}

TEST(Geometry, Promotion) {
  const TargetType points = geometry(typmod(4326, kMultiPoint));
  const std::string multi = "0104000020e6100000010000000101000000" + kOne + kTwo;
  EXPECT_EQ(one(points, "POINT(1 2)", promoting()), multi);
  EXPECT_EQ(one(points, "MULTIPOINT(1 2)", promoting()), multi);
  EXPECT_EQ(one(points, "POINT EMPTY", promoting()), "0104000020e610000000000000");
  EXPECT_EQ(one(points, unhex("0101000000" + kNan + kNan), promoting(), "binary"), "0104000020e610000000000000");
  EXPECT_EQ(one(geometry(typmod(4326, kMultiPolygon)), "POLYGON EMPTY", promoting()), "0106000020e610000000000000");
  EXPECT_EQ(one(geometry(typmod(0, 5, true, true)), "LINESTRING ZM(1 2 1 2,2 1 2 1)", promoting()),
            "01050000e0e61000000100000001020000c002000000" + kOne + kTwo + kOne + kTwo + kTwo + kOne + kTwo + kOne);
  EXPECT_EQ(one(points, "LINESTRING(1 2,2 1)", promoting()),
            "LINESTRING in a column of MULTIPOINT: 'LINESTRING(1 2,2 1)'");
  EXPECT_EQ(one(points, "SRID=1;POINT(1 2)", promoting()), "the SRID is 1, the column's 4326: 'SRID=1;POINT(1 2)'");
  EXPECT_EQ(one(points, "POINT(1 2 3)", promoting()), "POINT Z in a column of MULTIPOINT: 'POINT(1 2 3)'");
  EXPECT_EQ(one(geometry(), "POINT(1 2)", promoting()), kPoint4326) << "nothing declares a multi";
}

TEST(Geometry, GeographyStaysInRange) {
  EXPECT_EQ(one(geography(), "POINT(181 2)"),
            "a coordinate outside longitude -180 to 180 and latitude -90 to 90: 'POINT(181 2)'");
  EXPECT_EQ(one(geography(typmod(4326, kMultiPoint)), "POINT(0 91)", promoting()),
            "a coordinate outside longitude -180 to 180 and latitude -90 to 90: 'POINT(0 91)'");
  EXPECT_EQ(one(geometry(), "POINT(500 2)").substr(0, 18), "0101000020e6100000");
}

TEST(Geometry, RejectedShowsTheValueShortened) {
  EXPECT_EQ(one(geometry(), ""), "empty text at byte 1: ''");
  EXPECT_EQ(one(geometry(), " \n"), "empty text at byte 1: ' \n'");
  EXPECT_EQ(one(geometry(), "POINT(1"), "a number was expected at byte 8: 'POINT(1'");
  EXPECT_EQ(one(geometry(), "nowhere " + std::string(100, 'x')),
            "a geometry type was expected at byte 1: 'nowhere " + std::string(40, 'x') + "...'");
  EXPECT_EQ(one(geometry(), "01xx"), "two hex digits were expected at byte 3: '01xx'");
  EXPECT_EQ(one(geometry(), std::string("\x02", 1), {}, "binary"), "a byte order of 0 or 1 was expected at byte 1: 0x02");
  EXPECT_EQ(one(geometry(), "", {}, "binary"), "the bytes end within the geometry at byte 1: 0x");
}

TEST(Geometry, SpansWithNullsAndRejects) {
  std::vector<Raw> values;
  for (int i = 0; i < 600; ++i) {
    values.push_back(i % 7 == 3     ? Raw()
                     : i % 100 == 5 ? Raw("POINT(")
                                    : Raw("POINT(" + std::to_string(i) + " 2" + std::string(static_cast<size_t>(i % 5), ' ') + ")"));
  }
  const Encoded out = encode(type_of("utf8"), geometry(), RowFormat::kPgBinary, values);
  EXPECT_EQ(out.rejects.size(), 6u);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) {
      EXPECT_EQ(hex(out.cells[i]), "ffffffff");
    } else if (!out.rejects.contains(static_cast<int64_t>(i))) {
      double x;
      ASSERT_EQ(out.cells[i].size(), 29u);
      std::memcpy(&x, out.cells[i].data() + 13, 8);
      EXPECT_EQ(x, static_cast<double>(i));
    }
  }
}

// An encoder measures more rows than fit into a block, writes some, and measures the rest again.
TEST(Geometry, RowsMeasuredAgainAreTheSame) {
  const DataType type = type_of("utf8");
  std::vector<Raw> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 9 == 0 ? Raw() : Raw("POINT(" + std::to_string(i) + " 1)"));
  OwnedArray array(std::make_unique<ArrowArray>(build_array(type, values)).get());
  auto view = make_column_view(*array.get(), type);
  ASSERT_TRUE(view.ok());
  auto codec = find_type_family(type)->make(type, geometry(typmod(0, kMultiPoint)), RowFormat::kPgBinary, promoting());
  ASSERT_TRUE(codec.ok());
  (*codec)->bind(*view);
  EXPECT_STREQ((*codec)->change(), "promoted to multi (--promote-to-multi)");
  std::mt19937 random(1);
  uint32_t cells[kMaxSpanRows];
  int64_t promoted = 0;
  for (int64_t row = 0; row < array->length;) {
    Rejects rejects;
    const int count = static_cast<int>(std::min<int64_t>(array->length - row, 1 + random() % 20));
    ASSERT_EQ((*codec)->measure(*view, {row, count}, cells, rejects), kCellsDiffer);
    ASSERT_TRUE(rejects.empty());
    const int written = 1 + static_cast<int>(random() % static_cast<unsigned>(count));
    std::vector<std::vector<uint8_t>> buffers(static_cast<size_t>(written), std::vector<uint8_t>(64));
    std::vector<uint8_t*> cursors;
    for (auto& buffer : buffers) cursors.push_back(buffer.data());
    (*codec)->write(*view, {row, written}, cells, cursors.data());
    for (int i = 0; i < written; ++i) {
      const auto n = static_cast<size_t>(row + i);
      ASSERT_EQ(cursors[static_cast<size_t>(i)] - buffers[static_cast<size_t>(i)].data(), cells[i]);
      if (!values[n]) continue;
      ++promoted;
      double x;
      std::memcpy(&x, buffers[static_cast<size_t>(i)].data() + 4 + 9 + 4 + 5, 8);
      EXPECT_EQ(x, static_cast<double>(n));
    }
    row += written;
    EXPECT_EQ((*codec)->changed(), promoted) << "counted when written, once";
  }
}

TEST(Geometry, OtherSourcesAreRefused) {
  for (const char* name : {"int64", "float64", "date32", "bool"}) {
    const DataType type = type_of(name);
    EXPECT_FALSE(find_type_family(type)->make(type, geometry(), RowFormat::kPgBinary, {}).ok()) << name;
  }
  const DataType text = type_of("utf8");
  EXPECT_FALSE(find_type_family(text)->make(text, geometry(typmod(0, 13)), RowFormat::kPgBinary, {}).ok())
      << "a column of curves";
}

}  // namespace
}  // namespace headrace::test
