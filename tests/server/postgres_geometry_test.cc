// Geometry against PostGIS itself: what headrace loads is what ST_GeomFromEWKT gives, and what
// PostGIS refuses is refused before it is sent.
#include "headrace/load.h"
#include "postgres_fixture.h"
#include "support/arrays.h"

namespace headrace {
namespace {

using test::Raw;

const char* kShapes[] = {"POINT(1 2)",
                         "LINESTRING(1 2,3.5 -4e2,5 6)",
                         "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))",
                         "MULTIPOINT(1 2,3 4)",
                         "MULTILINESTRING((1 2,3 4),(5 6,7 8,9 10))",
                         "MULTIPOLYGON(((0 0,4 0,4 4,0 0)),((5 5,6 5,6 6,5 5),(1 1,2 1,2 2,1 1)))",
                         "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4),GEOMETRYCOLLECTION(POINT(0.1 -0)))"};

// Texts that ST_GeomFromEWKT takes, each with an SRID.
std::vector<std::string> accepted_texts() {
  std::vector<std::string> texts = {
      "SRID=27700;point ( 1.5   2e-3 )", "SRID=4326;MULTIPOINT((1 2),3 4)",   "SRID=4326;MULTIPOINT(EMPTY,1 2)",
      "SRID=4326;POINTZ(1 2 3)",         "SRID=4326;POINT M (1 2 3)",         "SRID=4326;PointZM(1 2 3 4)",
      "SRID=4326;POINT(1 2 3)",          "SRID=4326;POINT(1 2 3 4)",          "SRID=0;POINT(1 2)",
      "SRID=4326;POINT(0.1 1e23)",       "SRID=4326;POINT(5e-324 -1.7976931348623157e308)",
      "SRID=4326;GEOMETRYCOLLECTION Z(POINT EMPTY,POINT Z(1 2 3))",
      "SRID=4326;GEOMETRYCOLLECTION M(GEOMETRYCOLLECTION(POINT M(1 2 3)))",
      "SRID=4326;GEOMETRYCOLLECTION(POINT Z EMPTY,MULTIPOINT(1 2 3))",
      "SRID=4326;MULTIPOINT Z(EMPTY,(1 2 3))",
      "SRID=4326;POLYGON((0 0 1,1 0 2,1 1 3,0 0 4))"};
  for (const std::string shape : kShapes) {
    const std::string name = shape.substr(0, shape.find('('));
    texts.push_back("SRID=4326;" + shape);
    for (const char* tag : {"", " Z", " M", " ZM"}) texts.push_back("SRID=3857;" + name + tag + " EMPTY");
    // The same with more numbers in every tuple.
    for (const int more : {1, 2}) {
      std::string longer;
      for (size_t i = 0; i < shape.size(); ++i) {
        const bool ends = (shape[i] == ',' || shape[i] == ')') && std::isdigit(static_cast<unsigned char>(shape[i - 1]));
        if (ends) longer += more == 1 ? " 7" : " 7 -8.25";
        longer += shape[i];
      }
      texts.push_back("SRID=4326;" + longer);
    }
  }
  return texts;
}

class PostgresGeometry : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    // Beside the test's schema, which goes away; found by any search_path.
    run("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public");
    run(fmt::format("SET search_path = {}, public", schema_));
  }

  DataType named(const char* name) {
    bool ok = false;
    DataType type = parse_type_name(name, &ok);
    EXPECT_TRUE(ok) << name;
    return type;
  }

  Report load_values(const std::vector<Raw>& values, const char* type = "utf8") {
    Schema schema;
    schema.fields = {{"n", named("int32"), false}, {"g", named(type), true}};
    std::vector<Raw> order;
    for (size_t i = 0; i < values.size(); ++i) order.push_back(test::raw(static_cast<int32_t>(i)));
    const auto rows = static_cast<int64_t>(values.size());
    std::vector<OwnedArray> batches;
    batches.push_back(test::build_struct(
        {test::build_array(named("int32"), order), test::build_array(named(type), values)}, 0, rows));
    ArrowArrayStream stream = test::build_stream(schema, std::move(batches));
    LoadRequest request = request_;
    request.mode = Mode::kReplace;
    return headrace::load(request, &stream);
  }
  Report loaded_values(const std::vector<Raw>& values, const char* type = "utf8") {
    Report report = load_values(values, type);
    EXPECT_TRUE(report.ok()) << report.error->message;
    return report;
  }

  void expect_rejected(const std::string& value, const std::string& reason) {
    const Report report = load_values({"POINT EMPTY", std::nullopt, value});
    ASSERT_FALSE(report.ok()) << value;
    EXPECT_EQ(report.error->code, ErrorCode::kRejectedValue) << report.error->message;
    EXPECT_EQ(report.error->where.row, 3);
    EXPECT_EQ(report.error->where.column, "g");
    EXPECT_NE(report.error->message.find(reason), std::string::npos) << report.error->message;
  }

  std::string quoted(const std::string& text) { return "'" + text + "'"; }
};

TEST_F(PostgresGeometry, EqualsWhatTheServerMakesOfTheSameText) {
  const std::vector<std::string> texts = accepted_texts();
  std::vector<Raw> values(texts.begin(), texts.end());
  std::vector<Raw> hex, bytes, iso, big_endian;
  run("CREATE TABLE reference (n int, g geometry)");
  for (size_t i = 0; i < texts.size(); ++i) {
    run(fmt::format("INSERT INTO reference VALUES ({}, ST_GeomFromEWKT('{}'))", i, texts[i]));
  }
  const auto unhex = [](const std::string& digits) {
    std::string out;
    for (size_t i = 0; i < digits.size(); i += 2) out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    return out;
  };
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto ask = [&](const char* what) {
      return value(fmt::format("SELECT {} FROM reference WHERE n = {}", what, i));
    };
    hex.push_back(ask("g::text"));
    bytes.push_back(unhex(ask("encode(ST_AsEWKB(g, 'NDR'), 'hex')")));
    big_endian.push_back(unhex(ask("encode(ST_AsEWKB(g, 'XDR'), 'hex')")));
    iso.push_back(unhex(ask("encode(ST_AsBinary(g, 'XDR'), 'hex')")));
  }
  const std::string differences =
      "SELECT string_agg(n || ': ' || ST_AsEWKT(reference.g) || ' / ' || coalesce(ST_AsEWKT(t.g), 'NULL'), E'\\n') "
      "FROM reference LEFT JOIN t USING (n) WHERE ST_AsEWKB(t.g) IS DISTINCT FROM ST_AsEWKB(reference.g)";
  for (const char* format : {"binary", "text"}) {
    request_.tuning.row_format = format;
    for (const auto& [type, sent] : {std::pair{"utf8", &values}, {"utf8", &hex}, {"binary", &bytes}, {"binary_view", &big_endian}}) {
      SCOPED_TRACE(fmt::format("{} {}", format, type));
      run("DROP TABLE IF EXISTS t; CREATE TABLE t (n int, g geometry)");
      // Without an SRID of its own (0 in the list), hex digits and bytes get the option's.
      request_.values.srid = 0;
      EXPECT_EQ(loaded_values(*sent, type).rows_repaired, 0);
      EXPECT_EQ(value("SELECT count(*) FROM t"), std::to_string(texts.size()));
      EXPECT_EQ(value(differences), "");
    }
    // ISO WKB has no SRID.
    run("DROP TABLE t; CREATE TABLE t (n int, g geometry)");
    loaded_values(iso, "large_binary");
    run("UPDATE t SET g = ST_SetSRID(t.g, ST_SRID(reference.g)) FROM reference WHERE t.n = reference.n");
    EXPECT_EQ(value(differences), "") << format << " ISO";
  }
}

TEST_F(PostgresGeometry, WhatTheServerRefusesIsRejected) {
  run("CREATE TABLE t (n int, g geometry)");
  for (const char* text :
       {"POINT(1)", "POINT()", "POINT(1 2 3 4 5)", "POINT Z(1 2)", "POINT(+1 2)", "POINT(inf 1)", "POINT(1 2", "POINT(1 2)x",
        "LINESTRING(1 2)", "LINESTRING(1 2,3 4 5)", "POLYGON((0 0,1 1,0 0))", "POLYGON((0 0,1 0,1 1,0 1))", "POLYGON(EMPTY)",
        "POLYGON((0 0,1 0,1 1,-0 0))", "GEOMETRYCOLLECTION()", "GEOMETRYCOLLECTION(POINT EMPTY,POINT(1 2 3))",
        "GEOMETRYCOLLECTION M(POINT(1 2 3))", "GEOMETRYCOLLECTION(POINT(1 2),POINT(1 2 3))", "MULTIPOINT(EMPTY,1 2 3)", "",
        "nothing", "0101", "SRID=4326"}) {
    const std::string answer = value("SELECT ST_GeomFromEWKT(" + quoted(text) + ")");
    EXPECT_EQ(answer.substr(0, 6), "ERROR:") << text << ": " << answer;
    expect_rejected(text, fmt::format("'{}'", text));
  }
  EXPECT_EQ(value("SELECT count(*) FROM t"), "0");
}

TEST_F(PostgresGeometry, DeclaredColumns) {
  run("CREATE TABLE t (n int, g geometry(Point, 27700))");
  loaded_values({"POINT(1 2)", "SRID=27700;POINT(3 4)", std::nullopt, "POINT EMPTY"});
  EXPECT_EQ(value("SELECT coalesce(ST_AsEWKT(g), 'NULL') FROM t ORDER BY n"),
            "SRID=27700;POINT(1 2)\nSRID=27700;POINT(3 4)\nNULL\nSRID=27700;POINT EMPTY");
  expect_rejected("SRID=4326;POINT(1 2)", "the SRID is 4326, the column's 27700");
  expect_rejected("POINT(1 2 3)", "POINT Z in a column of POINT");
  expect_rejected("MULTIPOINT(1 2)", "MULTIPOINT in a column of POINT");
  EXPECT_EQ(value("SELECT count(*) FROM t"), "4") << "as before";

  run("DROP TABLE t; CREATE DOMAIN place AS geometry(PointZM, 4326); CREATE TABLE t (n int, g place)");
  loaded_values({"POINT(1 2 3 4)", "POINTZM EMPTY"});
  EXPECT_EQ(value("SELECT ST_AsEWKT(g) FROM t ORDER BY n"), "SRID=4326;POINT(1 2 3 4)\nSRID=4326;POINT EMPTY");

  run("DROP TABLE t; CREATE TABLE t (n int, g geometry)");
  loaded_values({"POINT(1 2)", "SRID=27700;POINT(1 2)"});
  EXPECT_EQ(value("SELECT ST_SRID(g) FROM t ORDER BY n"), "4326\n27700");
  request_.values.srid = 3857;
  loaded_values({"POINT(1 2)", "SRID=27700;POINT(1 2)"});
  EXPECT_EQ(value("SELECT ST_SRID(g) FROM t ORDER BY n"), "3857\n27700");
}

TEST_F(PostgresGeometry, PromotionIsCounted) {
  run("CREATE TABLE t (n int, g geometry(MultiPolygon, 4326))");
  const std::string polygon = "POLYGON((0 0,1 0,1 1,0 0))", multi = "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))";
  const Report refused = load_values({multi, polygon});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error->where.row, 2);
  EXPECT_NE(refused.error->message.find("--promote-to-multi"), std::string::npos) << refused.error->message;
  request_.values.promote_to_multi = true;
  for (const char* format : {"binary", "text"}) {
    request_.tuning.row_format = format;
    const Report report = loaded_values({multi, polygon, std::nullopt, "POLYGON EMPTY", polygon});
    EXPECT_EQ(report.rows_repaired, 3);
    ASSERT_FALSE(report.warnings.empty());
    EXPECT_EQ(report.warnings[0], "column g: 3 values promoted to multi (--promote-to-multi)");
    EXPECT_EQ(value(fmt::format("SELECT count(*) FROM t WHERE ST_AsEWKB(g) = ST_AsEWKB(ST_GeomFromEWKT('SRID=4326;{}'))", multi)), "3");
    EXPECT_EQ(value("SELECT ST_AsEWKT(g) FROM t WHERE n = 3"),
              value("SELECT ST_AsEWKT(ST_Multi('SRID=4326;POLYGON EMPTY'))"));
  }
}

TEST_F(PostgresGeometry, Geography) {
  run("CREATE TABLE t (n int, g geography)");
  for (const char* format : {"binary", "text"}) {
    request_.tuning.row_format = format;
    loaded_values({"POINT(-180 90)", "SRID=4269;POINT(1 2)", "POLYGON Z((0 0 5,4 0 5,4 4 5,0 0 5))", "POINT EMPTY", std::nullopt});
    EXPECT_EQ(value("SELECT coalesce(ST_AsEWKT(g), 'NULL') FROM t ORDER BY n"),
              "SRID=4326;POINT(-180 90)\nSRID=4269;POINT(1 2)\nSRID=4326;POLYGON((0 0 5,4 0 5,4 4 5,0 0 5))\n"
              "SRID=4326;POINT EMPTY\nNULL");
    expect_rejected("POINT(180.5 0)", "outside longitude");
    expect_rejected("LINESTRING(0 0,0 -90.00001)", "outside longitude");
  }
  // Which SRIDs are lon/lat only the server knows; its refusal keeps the table as it was.
  const Report projected = load_values({"SRID=27700;POINT(1 2)"});
  ASSERT_FALSE(projected.ok());
  EXPECT_NE(projected.error->message.find("lon/lat"), std::string::npos) << projected.error->message;
  EXPECT_EQ(value("SELECT count(*) FROM t"), "5");
}

TEST_F(PostgresGeometry, LargePolygonsAcrossBlocks) {
  run("CREATE TABLE t (n int, g geometry(Polygon, 4326))");
  std::vector<Raw> values;
  for (int i = 0; i < 40; ++i) {
    const int points = i % 8 == 0 ? 60000 : 5;
    std::string text = "POLYGON((0 0";
    for (int p = 1; p < points; ++p) text += fmt::format(",{}.25 {}", p, i);
    values.push_back(text + ",0 0))");
  }
  request_.tuning.block_bytes = 100000;
  loaded_values(values);
  EXPECT_EQ(value("SELECT count(*), sum(ST_NPoints(g)), sum(ST_YMax(g)) FROM t"), "40|300215|780");
}

}  // namespace
}  // namespace headrace
