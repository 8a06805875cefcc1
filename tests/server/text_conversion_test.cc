// Text into columns of other types, against the server's own reading of the same text: what we
// accept the server accepts, and both make the same value of it, in COPY BINARY and COPY TEXT.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "headrace/load.h"
#include "server/random_texts.h"
#include "sink/postgres/postgres_sink.h"
#include "unit/encode/codec_check.h"

namespace headrace::test {
namespace {

// As an array literal holds it.
std::string array_literal(const Values& values) {
  std::string out = "{";
  for (const std::string& v : values) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char c : v) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

class TextConversion : public testing::Test {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("HEADRACE_TEST_PG");
    ASSERT_NE(uri, nullptr) << "HEADRACE_TEST_PG is not set: run the tests by `make test`";
    uri_ = uri;
    conn_.reset(PQconnectdb(uri));
    ASSERT_EQ(PQstatus(conn_.get()), CONNECTION_OK) << PQerrorMessage(conn_.get());
    schema_ = fmt::format("hr_text_{}", getpid());
    run(
        fmt::format("SET client_min_messages = warning; CREATE SCHEMA {0}; SET search_path = {0}, "
                    "public; SET intervalstyle = postgres",
                    schema_));
  }
  void TearDown() override {
    if (!schema_.empty()) run(fmt::format("DROP SCHEMA {} CASCADE", schema_));
  }

  void run(const std::string& sql) {
    std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(conn_.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    ASSERT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        << sql << ": " << PQerrorMessage(conn_.get());
  }

  // Rows of a query, columns joined by " | "; $1 is `parameter`.
  std::string query(const std::string& sql, const std::string& parameter = "") {
    const char* values[] = {parameter.c_str()};
    const int count = sql.find("$1") == std::string::npos ? 0 : 1;
    std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexecParams(conn_.get(), sql.c_str(), count, nullptr, values, nullptr, nullptr, 0),
        PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK &&
        PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      return std::string("ERROR: ") + PQerrorMessage(conn_.get());
    }
    std::string out;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      if (i > 0) out += '\n';
      for (int c = 0; c < PQnfields(result.get()); ++c) {
        out += c > 0 ? " | " : "";
        out += PQgetvalue(result.get(), i, c);
      }
    }
    return out;
  }

  LoadRequest request(const std::string& row_format = "binary") const {
    LoadRequest request;
    request.target = uri_;
    request.table = schema_ + ".t";
    request.mode = Mode::kAppend;
    request.method = "copy";
    request.tuning.row_format = row_format;
    return request;
  }

  // Makes the table and returns what the catalog says of its column.
  TargetType make_table(const std::string& sql_type) {
    run(
        fmt::format("DROP TABLE IF EXISTS t, texts; CREATE TABLE t (n bigint, v {}); "
                    "CREATE TABLE texts (n bigint, s text)",
                    sql_type));
    auto sink = kPostgresSink.open(request());
    EXPECT_TRUE(sink.ok());
    if (!sink.ok()) return {};
    auto facts = (*sink)->facts();
    EXPECT_TRUE(facts.ok() && facts->columns.size() == 2);
    return facts.ok() && facts->columns.size() == 2 ? facts->columns[1].type : TargetType();
  }

  static Values accepted(const TargetType& target, const Values& values) {
    const DataType type = type_of("utf8");
    OwnedArray array(std::make_unique<ArrowArray>(
                         build_array(type, std::vector<Raw>(values.begin(), values.end())))
                         .get());
    const Encoded out = encode_array(*array.get(), type, target, RowFormat::kPgBinary);
    Values good;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!out.rejects.contains(static_cast<int64_t>(i))) good.push_back(values[i]);
    }
    return good;
  }

  void load_texts(const Values& values, const std::string& row_format) {
    Schema schema;
    schema.fields = {{"n", type_of("int64"), false}, {"v", type_of("utf8"), true}};
    std::vector<Raw> order, texts;
    for (size_t i = 0; i < values.size(); ++i) {
      order.push_back(raw(static_cast<int64_t>(i + 1)));
      texts.push_back(values[i]);
    }
    std::vector<ArrowArray> columns = {build_array(schema.fields[0].type, order),
                                       build_array(schema.fields[1].type, texts)};
    std::vector<OwnedArray> batches;
    batches.push_back(build_struct(std::move(columns), 0, static_cast<int64_t>(values.size())));
    ArrowArrayStream stream = build_stream(schema, std::move(batches));
    const Report report = load(request(row_format), &stream);
    ASSERT_TRUE(report.ok()) << report.error->message;
    EXPECT_EQ(report.rows_written, static_cast<int64_t>(values.size()));
  }

  // Loads what we accept of `values` and compares with the server's cast.
  // Returns the accepted ones.
  Values check(const std::string& sql_type, const Values& values) {
    SCOPED_TRACE(sql_type);
    const TargetType target = make_table(sql_type);
    const Values good = accepted(target, values);
    EXPECT_EQ(query("INSERT INTO texts SELECT n, s FROM unnest($1::text[]) WITH ORDINALITY u(s, n)",
                    array_literal(good)),
              "");
    for (const char* row_format : {"binary", "text"}) {
      SCOPED_TRACE(row_format);
      run("TRUNCATE t");
      load_texts(good, row_format);
      EXPECT_EQ(query("SELECT count(*) FROM t"), std::to_string(good.size()));
      EXPECT_EQ(query(fmt::format("SELECT n, s, v::text, (s::{0})::text FROM texts LEFT JOIN t "
                                  "USING (n) WHERE v::text IS DISTINCT FROM (s::{0})::text LIMIT 5",
                                  sql_type)),
                "");
    }
    return good;
  }

  struct Close {
    void operator()(PGconn* conn) const { PQfinish(conn); }
  };
  std::unique_ptr<PGconn, Close> conn_;
  std::string uri_, schema_;
};

const Values kMoments = {"2024-01-31",
                         " 2024-01-31 ",
                         "2024-1-5",
                         "2024/01/31",
                         "20240131",
                         "0001-01-01",
                         "9999-12-31",
                         "12024-06-30",
                         "0044-03-15 BC",
                         "4714-11-24 BC",
                         "5874897-12-31",
                         "294276-12-31",
                         "infinity",
                         "-infinity",
                         "Infinity",
                         "2000-02-29",
                         "2024-01-31 00:00:00",
                         "2024-01-31T00:00:00.000",
                         "2024-01-31 12:34:56",
                         "2024-01-31T12:34:56.5",
                         "2024-01-31t01:02",
                         "2024-01-31 1:02:03",
                         "2024-01-31 24:00:00",
                         "2024-01-31 12:34:56.123456000",
                         "1883-01-01 00:00:00.000001",
                         "0044-03-15 12:00:00 BC",
                         "294276-12-31 23:59:59.999999",
                         "4714-11-24 00:00:00 BC",
                         "20240131 12:34:56",
                         "20240131T12:34:56",
                         "2024-01-31 12:34:56Z",
                         "2024-01-31T12:34:56z",
                         "2024-01-31 12:34:56 UTC",
                         "2024-01-31 12:34:56utc",
                         "2024-01-31 12:34:56+02",
                         "2024-01-31 12:34:56 -02:30",
                         "2024-01-31 12:34:56.25+0530",
                         "2024-01-31 12:34:56+15:59:59",
                         "2024-01-31 12:34:56-15:59",
                         "0044-03-15 12:00:00+01 BC",
                         "2024-01-31 24:00:00Z",
                         "4714-11-24 00:00:00+00 BC",
                         "294276-12-31 23:59:59.999999+00",
                         "12:34:56",
                         "1:02",
                         "24:00:00",
                         "00:00:00.000001",
                         "12:34:56+02",
                         "12:34Z",
                         "23:59:59.999999-15:59:59",
                         "12:34:56 UTC",
                         "\t12:34\n"};

TEST_F(TextConversion, DatesAndTimes) {
  EXPECT_EQ(check("date", kMoments).size(), 19u);
  EXPECT_EQ(check("timestamp", kMoments).size(), 29u);
  EXPECT_EQ(check("timestamptz", kMoments).size(), 16u);
  EXPECT_EQ(check("time", kMoments).size(), 5u);
  EXPECT_EQ(check("timetz", kMoments).size(), 4u);
  EXPECT_EQ(check("timestamp(3)", {"2024-01-31 12:34:56.123", "2024-01-31 12:34:56.1234"}).size(),
            1u);
  EXPECT_EQ(check("time(0)", {"12:34:56.000", "12:34:56.5"}).size(), 1u);
  // Whatever the order of day and month is in the session that reads.
  run("SET datestyle = 'ISO, DMY'");
  EXPECT_EQ(check("date", kMoments).size(), 19u);
}

TEST_F(TextConversion, Intervals) {
  const Values values = {"P1Y2M3W4DT5H6M7.8S",
                         "P-1Y2M",
                         "PT-0.5S",
                         "PT0S",
                         "P0D",
                         "p1d",
                         "-P1D",
                         "3 days 04:05:06.7",
                         "-1 days +23:00:00",
                         "1 day",
                         "-100:30",
                         "-0:30:00",
                         "12:34",
                         "P999999999M",
                         "+3 days -04:05",
                         "PT1H",
                         " PT5M ",
                         "P2147483647D",
                         "PT2562047788H",
                         "1 day 2 hours",
                         "3 day 1:00"};
  EXPECT_EQ(check("interval", values).size(), 17u);
  EXPECT_EQ(check("interval(2)", {"PT1.25S", "PT1.255S"}).size(), 1u);
}

TEST_F(TextConversion, Numbers) {
  const Values values = {"0",
                         "42",
                         "-42",
                         " +42\t",
                         "007",
                         "32767",
                         "32768",
                         "-32768",
                         "2147483647",
                         "9223372036854775807",
                         "-9223372036854775808",
                         "1.5",
                         ".5",
                         "5.",
                         "1e3",
                         "-1.50",
                         "1.5E-7",
                         "NaN",
                         "nan",
                         "Infinity",
                         "-inf",
                         "0.1",
                         "1e-320",
                         "1.7976931348623157e308",
                         "1e38",
                         "3.4028235e38",
                         "1e-45",
                         "0e0",
                         "-0",
                         "123456789012345678901234567890.123456789",
                         "1e200",
                         "1e-16000",
                         "1e131071",
                         "-0.00",
                         "16777217",
                         "9007199254740993",
                         "0.00000000000000000001",
                         "99999999999999.99",
                         "100000000000000000",
                         "5e-324",
                         "2.5e-324"};
  EXPECT_EQ(check("smallint", values).size(), 8u);
  EXPECT_EQ(check("integer", values).size(), 11u);
  EXPECT_EQ(check("bigint", values).size(), 15u);
  EXPECT_EQ(check("double precision", values).size(), 39u);
  EXPECT_GT(check("real", values).size(), 25u);
  EXPECT_EQ(check("numeric", values).size(), values.size() - 2);
  EXPECT_GT(check("numeric(12,3)", values).size(), 15u);
  EXPECT_GT(check("numeric(30,20)", values).size(), 15u);
  EXPECT_EQ(check("numeric(3,-2)", {"1200", "99900", "1250", "0", "100000"}).size(), 3u);
  EXPECT_EQ(check("numeric(2,4)", {"0.0099", "0.01", "0.0001000"}).size(), 2u);
  const std::string long_number(3000, '7');
  EXPECT_EQ(
      check("numeric", {long_number, long_number + "." + long_number, "." + long_number}).size(),
      3u);
  EXPECT_EQ(check("boolean", {"t", "TRUE", "yes", "on", "1", "f", "False", "n", "off", " 0 ", "x"})
                .size(),
            10u);
}

TEST_F(TextConversion, JsonAndLabels) {
  const Values documents = {"{}",
                            "[1, 2.50, 1e5]",
                            "{\"b\":1,\"a\":{\"c\":[null,true]}}",
                            " 1 ",
                            "\"\\u00e4\\ud83d\\ude00\"",
                            "\"\\u0000\"",
                            "\"\\ud800\"",
                            "-0.0",
                            "\"tab\\t and backslash \\\\\"",
                            "1e131071",
                            "1e200000",
                            "\"\\/\"",
                            std::string(1000, '[') + std::string(1000, ']'),
                            "[1,]"};
  EXPECT_EQ(check("json", documents).size(), 13u);
  EXPECT_EQ(check("jsonb", documents).size(), 10u);
  EXPECT_EQ(check("uuid",
                  {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}",
                   "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "x"})
                .size(),
            3u);
  run("CREATE TYPE mood AS ENUM ('sad', 'very \"happy\"', 'gl\xc3\xbc"
      "cklich', 'x', '')");
  run("CREATE DOMAIN calm AS mood CHECK (VALUE <> 'sad')");
  EXPECT_EQ(make_table(schema_ + ".mood").labels, (Values{"sad", "very \"happy\"",
                                                          "gl\xc3\xbc"
                                                          "cklich",
                                                          "x", ""}));
  const Values labels = {"sad",
                         "very \"happy\"",
                         "gl\xc3\xbc"
                         "cklich",
                         "x",
                         "",
                         "Sad",
                         "y"};
  EXPECT_EQ(check(schema_ + ".mood", labels).size(), 5u);
  EXPECT_EQ(make_table(schema_ + ".calm").labels.size(), 5u);
  EXPECT_EQ(check(schema_ + ".calm", {"x", "very \"happy\""}).size(), 2u);
  EXPECT_EQ(check("name", {"a", std::string(63, 'n'), std::string(64, 'n')}).size(), 2u);
  EXPECT_EQ(check("xml", {"<a/>", "<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xc3\xa4</a>",
                          "<?xml version=\"1.0\" encoding=\"latin1\"?><a/>"})
                .size(),
            2u);
}

TEST_F(TextConversion, DomainsKeepTheirOwnConstraints) {
  run("CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100)");
  EXPECT_EQ(check(schema_ + ".percent", {"0", "99.50", "1.005"}).size(), 2u);
  make_table(schema_ + ".percent");
  Schema schema;
  schema.fields = {{"v", type_of("utf8"), true}};
  std::vector<OwnedArray> batches;
  std::vector<ArrowArray> columns = {build_array(schema.fields[0].type, {"100.01"})};
  batches.push_back(build_struct(std::move(columns), 0, 1));
  ArrowArrayStream stream = build_stream(schema, std::move(batches));
  const Report report = load(request(), &stream);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "23514");
}

// Whatever we accept, the server reads alike.
TEST_F(TextConversion, RandomTexts) {
  const char* given = std::getenv("HEADRACE_TEST_SEED");
  const auto seed = static_cast<uint32_t>(given == nullptr ? 20240131 : std::atoi(given));
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Random random(seed);
  const Values moments = many(20000, [&] { return random.moment(); });
  for (const char* type : {"date", "timestamp", "timestamptz", "time", "timetz", "timestamp(2)"}) {
    EXPECT_GT(check(type, moments).size(), 200u) << type;
  }
  const Values intervals = many(5000, [&] { return random.interval(); });
  EXPECT_GT(check("interval", intervals).size(), 500u);
  const Values decimals = many(10000, [&] { return random.decimal(); });
  for (const char* type : {"numeric", "numeric(20,8)", "double precision", "real", "bigint"}) {
    EXPECT_GT(check(type, decimals).size(), 100u) << type;
  }
  const Values documents =
      many(10000, [&] { return random.damaged(random.document(), "[]{},:\"\\ 01ae"); });
  for (const char* type : {"json", "jsonb"}) {
    EXPECT_GT(check(type, documents).size(), 1000u) << type;
  }
}

}  // namespace
}  // namespace headrace::test
