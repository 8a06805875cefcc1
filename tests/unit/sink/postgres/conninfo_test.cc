#include "sink/postgres/conninfo.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace headrace {
namespace {

struct MaskCase {
  const char* target;
  const char* masked;
};

class MaskedUri : public ::testing::TestWithParam<MaskCase> {};

TEST_P(MaskedUri, HoldsNoSecret) { EXPECT_EQ(masked_uri(GetParam().target), GetParam().masked); }

INSTANTIATE_TEST_SUITE_P(
    Targets, MaskedUri,
    ::testing::Values(
        MaskCase{"postgresql://host/db", "postgresql://host/db"},
        MaskCase{"postgresql://u@host:5432/db?sslmode=require",
                 "postgresql://u@host:5432/db?sslmode=require"},
        MaskCase{"postgresql://u:secret@host:5432/db", "postgresql://u:***@host:5432/db"},
        MaskCase{"postgres://u:@host", "postgres://u:***@host"},
        MaskCase{"postgresql://u:se%40cr%2Fet@[::1]:5432,other:1/db",
                 "postgresql://u:***@[::1]:5432,other:1/db"},
        MaskCase{"postgresql://u:se:cret?x@host/db?application_name=a@b",
                 "postgresql://u:***@host/db?application_name=a@b"},
        MaskCase{"postgresql:///db?host=/tmp&user=u&password=secret&port=1",
                 "postgresql:///db?host=/tmp&user=u&password=***&port=1"},
        MaskCase{"postgresql:///db?pass%77ord=secret&sslpassword=secret",
                 "postgresql:///db?pass%77ord=***&sslpassword=***"},
        MaskCase{"postgresql:///db?password=sec@ret", "postgresql:///db?password=***"},
        MaskCase{"host=h password=secret dbname=d", "dbname=d host=h password=***"},
        MaskCase{"password='sec ret' user='a b' host = h", "host=h password=*** user='a b'"},
        MaskCase{"password=sec\\'ret user=it\\'s", "password=*** user='it\\'s'"},
        // What libpq cannot read, or reads otherwise than meant, is not shown.
        MaskCase{"host=h password=sec ret", "***"}, MaskCase{"host=h pass=secret", "***"},
        MaskCase{"postgresql://u:sec@ret@host/db", "postgresql://***"},
        MaskCase{"postgresql://u:sec/ret@host/db", "postgresql://***"},
        MaskCase{"postgresql://u:1/secret@host/db", "postgresql://***"},
        MaskCase{"postgresql://host?password=sec@ret", "postgresql://***"},
        MaskCase{"postgresql://u:se%zzcret@host/db", "postgresql://***"},
        MaskCase{"postgresql://[::1/u:secret@host", "postgresql://***"}));

TEST(Conninfo, Recognises) {
  EXPECT_TRUE(is_postgres_target("postgresql://h/d"));
  EXPECT_TRUE(is_postgres_target("postgres://h/d"));
  EXPECT_TRUE(is_postgres_target("service=x"));
  EXPECT_FALSE(is_postgres_target("null:"));
  EXPECT_FALSE(is_postgres_target("file.sqlite"));
}

std::string value_of(const ConnectParameters& parameters, const std::string& keyword) {
  const auto keywords = parameters.keywords();
  const auto values = parameters.values();
  for (size_t i = 0; keywords[i] != nullptr; ++i) {
    if (keyword == keywords[i]) return values[i];
  }
  return "(none)";
}

TEST(Conninfo, Parameters) {
  unsetenv("PGCONNECT_TIMEOUT");
  unsetenv("PGSERVICE");
  unsetenv("PGHOST");
  auto plain = ConnectParameters::make("host=h");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->connect_timeout_seconds(), 10);
  EXPECT_FALSE(plain->has_several_hosts());
  EXPECT_EQ(value_of(*plain, "fallback_application_name"), "headrace");
  EXPECT_EQ(value_of(*plain, "client_encoding"), "UTF8");
  EXPECT_EQ(value_of(*plain, "dbname"), "host=h");
  EXPECT_EQ(plain->keywords().size(), plain->values().size());
  EXPECT_EQ(plain->keywords().back(), nullptr);

  auto given = ConnectParameters::make("postgresql://a,b/db?connect_timeout=3");
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->connect_timeout_seconds(), 3);
  EXPECT_TRUE(given->has_several_hosts());

  auto bad = ConnectParameters::make("postgresql://u:sec@ret@host/db");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kUsage);
  EXPECT_EQ(bad.error().message.find("ret"), std::string::npos);
}

}  // namespace
}  // namespace headrace
