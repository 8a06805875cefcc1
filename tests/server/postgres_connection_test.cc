// Connecting, and what is said when it fails.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "postgres_fixture.h"
#include "sink/postgres/conninfo.h"

namespace headrace {
namespace {

constexpr char kSecret[] = "s3cret-pa55";

class PostgresConnection : public PostgresTest {
 protected:
  std::string tcp(const std::string& more) {
    return fmt::format("host=127.0.0.1 port={} dbname=postgres {}", value("SHOW port"), more);
  }

  Error failure(const std::string& target) {
    auto connection = Connection::open(target, &cancel_);
    EXPECT_FALSE(connection.ok()) << "it connected";
    if (connection.ok()) return {};
    const Error error = connection.error();
    EXPECT_EQ(error.message.find(kSecret), std::string::npos) << error.message;
    EXPECT_EQ(error.hint.find(kSecret), std::string::npos) << error.hint;
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find("LOCATION"), std::string::npos) << error.message;
    EXPECT_FALSE(error.hint.empty());
    return error;
  }
};

TEST_F(PostgresConnection, SessionsAreNamedAndUtf8) {
  auto session = Connection::open(uri_, nullptr);
  ASSERT_TRUE(session.ok());
  auto row = (*session)->exec(
      "SELECT current_setting('application_name'), current_setting('client_encoding')");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(cell(*row, 0, 0), "headrace");
  EXPECT_EQ(cell(*row, 0, 1), "UTF8");
  session = Connection::open(uri_ + "&application_name=mine", nullptr);
  ASSERT_TRUE(session.ok());
  row = (*session)->exec("SHOW application_name");
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(cell(*row, 0, 0), "mine");
}

TEST_F(PostgresConnection, RightAndWrongPassword) {
  const std::string role = make_role("user", fmt::format("LOGIN PASSWORD '{}'", kSecret));
  EXPECT_TRUE(
      Connection::open(tcp(fmt::format("user={} password={}", role, kSecret)), nullptr).ok());
  const Error wrong = failure(tcp(fmt::format("user={} password=x{}", role, kSecret)));
  EXPECT_EQ(wrong.code, ErrorCode::kAuthentication);
  EXPECT_EQ(wrong.sqlstate, "28P01");
  EXPECT_NE(wrong.message.find(role), std::string::npos);
  const Error none = failure(tcp("user=" + role + " passfile=/no/such/file"));
  EXPECT_EQ(none.code, ErrorCode::kAuthentication) << none.message;
}

TEST_F(PostgresConnection, UnknownRole) {
  const Error error = failure(uri_ + "&user=nobody_hr");
  EXPECT_EQ(error.code, ErrorCode::kAuthentication);
  EXPECT_EQ(error.sqlstate, "28000");
}

TEST_F(PostgresConnection, UnknownDatabase) {
  const Error error = failure(uri_ + "&dbname=no_such_hr");
  EXPECT_EQ(error.code, ErrorCode::kAuthentication);
  EXPECT_EQ(error.sqlstate, "3D000");
  EXPECT_NE(error.message.find("no_such_hr"), std::string::npos);
}

TEST_F(PostgresConnection, UnknownHost) {
  const Error error = failure(fmt::format("postgresql://u:{}@no-such-host.invalid/db", kSecret));
  EXPECT_EQ(error.code, ErrorCode::kConnection);
  EXPECT_EQ(error.sqlstate, "");
  EXPECT_NE(error.message.find("no-such-host.invalid"), std::string::npos);
}

TEST_F(PostgresConnection, RefusedPort) {
  const Error error = failure(fmt::format("host=127.0.0.1 port=1 password={}", kSecret));
  EXPECT_EQ(error.code, ErrorCode::kConnection);
}

TEST_F(PostgresConnection, SeveralHosts) {
  const std::string port = value("SHOW port");
  const std::string role = make_role("user", fmt::format("LOGIN PASSWORD '{}'", kSecret));
  EXPECT_TRUE(
      Connection::open(
          fmt::format("host=127.0.0.1,127.0.0.1 port=1,{} dbname=postgres user={} password={}",
                      port, role, kSecret),
          nullptr)
          .ok());
  EXPECT_EQ(failure("host=127.0.0.1,127.0.0.1 port=1,2").code, ErrorCode::kConnection);
}

TEST_F(PostgresConnection, TooManyOfARole) {
  const std::string role = make_role("few", "LOGIN CONNECTION LIMIT 1");
  auto first = Connection::open(uri_ + "&user=" + role, nullptr);
  ASSERT_TRUE(first.ok());
  const Error error = failure(uri_ + "&user=" + role);
  EXPECT_EQ(error.code, ErrorCode::kConnection);
  EXPECT_EQ(error.sqlstate, "53300");
}

TEST_F(PostgresConnection, NotALibpqString) {
  for (const std::string& target : {fmt::format("postgresql://u:pa/{}@host/db", kSecret),
                                    fmt::format("postgresql://u:pa@{}@host/db", kSecret),
                                    fmt::format("host=x password=a {}", kSecret),
                                    fmt::format("host=x no_such_word={}", kSecret)}) {
    EXPECT_EQ(failure(target).code, ErrorCode::kUsage);
    EXPECT_EQ(masked_uri(target).find(kSecret), std::string::npos) << masked_uri(target);
  }
}

// A server that accepts and says nothing.
TEST_F(PostgresConnection, TimeoutAndCancel) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 5), 0);
  socklen_t length = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const std::string target = fmt::format("host=127.0.0.1 port={}", ntohs(address.sin_port));
  auto start = std::chrono::steady_clock::now();
  const Error error = failure(target + " connect_timeout=2");
  EXPECT_EQ(error.code, ErrorCode::kConnection);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  std::thread canceller([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancel_ = true;
  });
  start = std::chrono::steady_clock::now();
  auto cancelled = Connection::open(target, &cancel_);
  canceller.join();
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  close(listener);
}

TEST_F(PostgresConnection, FactsHoldNoPassword) {
  const std::string role = make_role("user", fmt::format("LOGIN PASSWORD '{}'", kSecret));
  request_.target = fmt::format("postgresql://{}:{}@127.0.0.1:{}/postgres?sslpassword={}", role,
                                kSecret, value("SHOW port"), kSecret);
  const SinkFacts facts = open();
  EXPECT_EQ(facts.target, fmt::format("postgresql://{}:***@127.0.0.1:{}/postgres?sslpassword=***",
                                      role, value("SHOW port")));
  sink_.reset();
}

}  // namespace
}  // namespace headrace
