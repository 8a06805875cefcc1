// What the server tests of the PostgreSQL sink share: a schema of the test's own, rows made by
// hand, and a load without source and planner.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/endian.h"
#include "sink/postgres/connection.h"
#include "sink/postgres/postgres_sink.h"
#include "sink/sink.h"

namespace headrace {

// Rows in pg_binary: Rows().row({int4(1), text("a"), null()}).
using Cell = std::optional<std::string>;

inline Cell int4(int32_t v) {
  std::string bytes(4, '\0');
  store_be32(reinterpret_cast<uint8_t*>(bytes.data()), static_cast<uint32_t>(v));
  return bytes;
}
inline Cell int8(int64_t v) {
  std::string bytes(8, '\0');
  store_be64(reinterpret_cast<uint8_t*>(bytes.data()), static_cast<uint64_t>(v));
  return bytes;
}
inline Cell text(std::string v) { return v; }
inline Cell null() { return std::nullopt; }

inline void add_row(RowBlock* block, const std::vector<Cell>& cells) {
  block->row_starts.push_back(static_cast<uint32_t>(block->bytes.size()));
  store_be16(block->bytes.extend(2), static_cast<uint16_t>(cells.size()));
  for (const Cell& cell : cells) {
    store_be32(block->bytes.extend(4), cell ? static_cast<uint32_t>(cell->size()) : 0xFFFFFFFF);
    if (cell) block->bytes.append(cell->data(), cell->size());
  }
  ++block->row_count;
}

// Rows (id int4, name text) with ids [first, first + count).
inline RowBlock rows(int first, int count, int64_t partition = 0, int64_t partition_row = 0) {
  RowBlock block;
  block.partition = partition;
  block.partition_row = partition_row;
  for (int i = first; i < first + count; ++i)
    add_row(&block, {int4(i), text(fmt::format("name {}", i))});
  return block;
}

// Blocks can be moved only.
template <typename... Block>
std::vector<RowBlock> blocks(Block... block) {
  std::vector<RowBlock> all;
  (all.push_back(std::move(block)), ...);
  return all;
}

inline ColumnPlan column(const std::string& name, const std::string& sql, const std::string& base,
                         bool not_null = false) {
  ColumnPlan c;
  c.field.name = c.target = name;
  c.target_type = {sql, base, -1};
  c.not_null = not_null;
  return c;
}

inline std::vector<ColumnPlan> id_and_name() {
  return {column("id", "integer", "int4"), column("name", "text", "text")};
}

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("HEADRACE_TEST_PG");
    ASSERT_NE(uri, nullptr) << "HEADRACE_TEST_PG is not set: run the tests by `make test`";
    uri_ = uri;
    auto opened = Connection::open(uri_, nullptr);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    admin_ = std::move(opened).value();
    static std::atomic<int> counter{0};
    schema_ = fmt::format("hr_{}_{}", getpid(), ++counter);
    run(fmt::format("SET client_min_messages = warning; CREATE SCHEMA {0}; SET search_path = {0}",
                    schema_));
    request_.target = uri_;
    request_.table = schema_ + ".t";
    request_.cancel = &cancel_;
  }

  void TearDown() override {
    if (admin_ == nullptr) return;
    sink_.reset();
    EXPECT_EQ(
        value(
            "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_headrace\\_%' AND relnamespace = "
            "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"),
        "0")
        << "something of a load was left";
    run(fmt::format("DROP SCHEMA {} CASCADE", schema_));
    for (const std::string& role : roles_)
      run(fmt::format("DROP OWNED BY {0}; DROP ROLE {0}", role));
  }

  // A role of the test's own that may use its schema.
  std::string make_role(const std::string& name, const std::string& options = "") {
    const std::string role = fmt::format("{}_{}", schema_, name);
    run(fmt::format("CREATE ROLE {0} {1}; GRANT USAGE, CREATE ON SCHEMA {2} TO {0}", role, options,
                    schema_));
    roles_.push_back(role);
    return role;
  }

  void run(const std::string& sql) {
    Status status = admin_->run(sql);
    ASSERT_TRUE(status.ok()) << sql << ": " << status.error().message;
  }

  // First cell of the first row; several rows are joined by '\n', columns by '|'.
  std::string value(const std::string& sql) {
    auto result = admin_->exec(sql);
    if (!result.ok()) return "ERROR: " + result.error().message;
    std::string out;
    for (int i = 0; i < PQntuples(result->get()); ++i) {
      if (i > 0) out += '\n';
      for (int c = 0; c < PQnfields(result->get()); ++c) {
        if (c > 0) out += '|';
        out += cell(*result, i, c);
      }
    }
    return out;
  }

  SinkFacts open() {
    sink_.reset();
    auto sink = kPostgresSink.open(request_);
    EXPECT_TRUE(sink.ok()) << (sink.ok() ? "" : sink.error().message);
    if (!sink.ok()) return {};
    sink_ = std::move(sink).value();
    auto facts = sink_->facts();
    EXPECT_TRUE(facts.ok()) << (facts.ok() ? "" : facts.error().message);
    return facts.ok() ? *facts : SinkFacts();
  }

  Plan plan(const SinkFacts& facts, Mode mode, CommitScope scope, int workers = 1) {
    Plan plan;
    plan.dialect = Dialect::kPostgres;
    plan.target = facts.target;
    plan.schema = facts.schema;
    plan.table = facts.table;
    plan.mode = mode;
    plan.method = "copy";
    plan.commit_scope = scope;
    plan.columns = columns_;
    plan.creates_table = !facts.table_exists;
    plan.workers = workers;
    plan.lock_timeout_ms = 2000;
    return plan;
  }

  // A whole load of one writer; blocks in order.
  Result<PublishStats> load(Mode mode, CommitScope scope, const std::vector<RowBlock>& blocks,
                            const std::string& load_id = "0123456789abcdef") {
    const SinkFacts facts = open();
    if (sink_ == nullptr) return Error(ErrorCode::kInternal, "not open");
    HEADRACE_TRY(sink_->prepare(plan(facts, mode, scope), load_id));
    HEADRACE_ASSIGN(auto writer, sink_->open_writer(0));
    for (const RowBlock& block : blocks) HEADRACE_TRY(writer->write(block));
    HEADRACE_TRY(writer->finish());
    writer.reset();
    return sink_->publish();
  }

  static Result<PublishStats> loaded(Result<PublishStats> result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? ""
                                             : result.error().message + " " + result.error().hint);
    return result;
  }

  bool wait_for(const std::function<bool()>& condition, int seconds = 20) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::string uri_;
  std::string schema_;
  std::unique_ptr<Connection> admin_;
  LoadRequest request_;
  std::atomic<bool> cancel_{false};
  std::vector<ColumnPlan> columns_ = id_and_name();
  std::unique_ptr<Sink> sink_;
  std::vector<std::string> roles_;
};

}  // namespace headrace
