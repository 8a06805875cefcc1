// What the tests of the SQLite sink share: rows as values, blocks of cells made from them,
// temporary folders, whole loads on several threads, and a plain reader that goes through SQLite.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "encode/format/sqlite_record.h"
#include "encode/row_block.h"
#include "headrace/plan.h"
#include "sink/sqlite/sqlite_sink.h"

namespace headrace::sqlite_test {

// A value as SQLite stores it. (A struct and no variant: GCC 12 warns about variants of strings.)
struct Value {
  enum Kind { kNull, kInteger, kReal, kText, kBlob };

  Value() = default;
  Value(int64_t v) : kind(kInteger), integer(v) {}
  Value(double v) : kind(kReal), real(v) {}
  Value(std::string text, Kind k = kText) : kind(k), bytes(std::move(text)) {}
  bool operator==(const Value&) const = default;

  Kind kind = kNull;
  int64_t integer = 0;
  double real = 0;
  std::string bytes;
};

inline const Value kNull;
inline Value blob(std::string bytes) { return Value(std::move(bytes), Value::kBlob); }

using Row = std::vector<Value>;
using Rows = std::vector<Row>;
using Blocks = std::vector<std::unique_ptr<RowBlock>>;

inline uint64_t serial_of(const Value& value) {
  switch (value.kind) {
    case Value::kNull:
      return 0;
    case Value::kInteger:
      return sqlite_record::serial_of_integer(value.integer);
    case Value::kReal:
      return sqlite_record::kSerialReal;
    case Value::kText:
      return 13 + 2 * value.bytes.size();
    default:
      return 12 + 2 * value.bytes.size();
  }
}

inline std::string varint(uint64_t v) {
  uint8_t bytes[9];
  return {reinterpret_cast<char*>(bytes),
          static_cast<size_t>(sqlite_record::put_varint(bytes, v) - bytes)};
}

inline std::string body_of(const Value& value) {
  uint8_t bytes[8];
  const uint8_t* end = bytes;
  if (value.kind == Value::kReal) end = sqlite_record::put_real(bytes, value.real);
  if (value.kind == Value::kInteger) {
    end = sqlite_record::put_integer(bytes, value.integer, static_cast<uint32_t>(serial_of(value)));
  }
  return std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(end - bytes)) +
         value.bytes;
}

// A table leaf cell, made the slow and obvious way.
inline std::string make_cell(int64_t rowid, const Row& row) {
  std::string types, body;
  for (const Value& value : row) {
    types += varint(serial_of(value));
    body += body_of(value);
  }
  size_t header_bytes = types.size() + 1;
  while (header_bytes != types.size() + varint(header_bytes).size()) {
    header_bytes = types.size() + varint(header_bytes).size();
  }
  const std::string record = varint(header_bytes) + types + body;
  return varint(record.size()) + varint(static_cast<uint64_t>(rowid)) + record;
}

inline void add_row(RowBlock* block, int64_t rowid, const Row& row) {
  const std::string cell = make_cell(rowid, row);
  block->row_starts.push_back(static_cast<uint32_t>(block->bytes.size()));
  block->bytes.append(cell.data(), cell.size());
  ++block->row_count;
}

// Rows numbered from 1, cut into blocks of about block_bytes and batches of blocks_a_batch.
inline Blocks make_blocks(const Rows& rows, size_t block_bytes = 4000, int blocks_a_batch = 3) {
  Blocks blocks;
  int64_t row = 0;
  for (const Row& values : rows) {
    if (blocks.empty() || blocks.back()->bytes.size() >= block_bytes) {
      auto block = std::make_unique<RowBlock>();
      block->first_row = block->partition_row = row;
      const auto number = static_cast<int64_t>(blocks.size());
      block->batch = number / blocks_a_batch;
      block->index_in_batch = static_cast<int>(number % blocks_a_batch);
      block->last_in_batch = block->index_in_batch == blocks_a_batch - 1;
      blocks.push_back(std::move(block));
    }
    add_row(blocks.back().get(), ++row, values);
  }
  if (!blocks.empty()) blocks.back()->last_in_batch = true;
  return blocks;
}

// A folder that is removed with its content; in memory, where syncing costs nothing, if asked for
// and if there is such a place.
class TempFolder {
 public:
  explicit TempFolder(bool in_memory = false) {
    const std::filesystem::path memory = "/dev/shm";
    const bool use_memory = in_memory && ::access(memory.c_str(), W_OK) == 0;
    const auto base = use_memory ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "headrace-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Names of all entries, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      found.push_back(entry.path().filename().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::string path_;
};

inline std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A connection for tests, which do not survive a power cut; a failure fails the test.
class Db {
 public:
  explicit Db(const std::string& path, int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db_, flags, nullptr), SQLITE_OK) << path;
    sqlite3_exec(db_, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  }
  ~Db() { sqlite3_close(db_); }
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  sqlite3* get() { return db_; }
  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(db_);
  }
  // The extended result code.
  int try_run(const std::string& sql) {
    sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    return sqlite3_extended_errcode(db_);
  }
  Rows rows(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_);
    Rows rows;
    int rc;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
      Row row;
      for (int c = 0; c < sqlite3_column_count(statement); ++c) row.push_back(value(statement, c));
      rows.push_back(std::move(row));
    }
    EXPECT_EQ(rc, SQLITE_DONE) << sqlite3_errmsg(db_);
    sqlite3_finalize(statement);
    return rows;
  }
  std::string text(const std::string& sql) {
    const Rows found = rows(sql);
    return found.empty() ? "" : found[0][0].bytes;
  }
  int64_t integer(const std::string& sql) {
    const Rows found = rows(sql);
    return found.empty() ? -1 : found[0][0].integer;
  }

 private:
  static Value value(sqlite3_stmt* s, int c) {
    const auto bytes = [&](const void* at) {
      return std::string(static_cast<const char*>(at),
                         static_cast<size_t>(sqlite3_column_bytes(s, c)));
    };
    switch (sqlite3_column_type(s, c)) {
      case SQLITE_INTEGER:
        return static_cast<int64_t>(sqlite3_column_int64(s, c));
      case SQLITE_FLOAT:
        return sqlite3_column_double(s, c);
      case SQLITE_TEXT:
        return bytes(sqlite3_column_text(s, c));
      case SQLITE_BLOB:
        return blob(bytes(sqlite3_column_blob(s, c)));
      default:
        return kNull;
    }
  }

  sqlite3* db_ = nullptr;
};

inline std::string integrity(const std::string& path) {
  return Db(path).text("PRAGMA integrity_check");
}

// A plan of `columns` columns c0, c1, ... without a declared type.
inline Plan plan_of(int columns, const std::string& method, Mode mode = Mode::kCreate,
                    int page_bytes = 4096) {
  Plan plan;
  plan.dialect = Dialect::kSqlite;
  plan.table = "t";
  plan.mode = mode;
  plan.method = method;
  plan.row_format = RowFormat::kSqliteRecord;
  plan.creates_table = mode == Mode::kCreate;
  plan.page_bytes = page_bytes;
  for (int i = 0; i < columns; ++i) {
    ColumnPlan column;
    column.target = "c" + std::to_string(i);
    plan.columns.push_back(std::move(column));
  }
  return plan;
}

inline std::unique_ptr<Sink> open_target(const std::string& path, int lock_timeout_ms = 0) {
  LoadRequest request;
  request.target = "sqlite:" + path;
  request.table = "t";
  request.tuning.lock_timeout_ms = lock_timeout_ms;
  auto sink = kSqliteSink.open(request);
  EXPECT_TRUE(sink.ok()) << sink.error().message;
  return std::move(sink).value();
}

// Writes the blocks as run_pipeline does: each thread takes the next batch and writes its blocks.
// Threads pause at random places when `jitter` is set.
inline Status write_blocks(Sink& sink, const Plan& plan, const Blocks& blocks,
                           unsigned jitter = 0) {
  std::atomic<size_t> next{0};
  std::vector<size_t> batch_starts;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i]->index_in_batch == 0) batch_starts.push_back(i);
  }
  std::vector<Status> results(static_cast<size_t>(plan.workers));
  const auto work = [&](int worker) -> Status {
    HEADRACE_ASSIGN(auto writer, sink.open_writer(worker));
    std::minstd_rand random(jitter * 97 + static_cast<unsigned>(worker));
    for (size_t b; (b = next.fetch_add(1)) < batch_starts.size();) {
      for (size_t i = batch_starts[b]; i < blocks.size(); ++i) {
        if (jitter != 0 && random() % 3 == 0) {
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 700));
        }
        HEADRACE_TRY(writer->write(*blocks[i]));
        if (blocks[i]->last_in_batch) break;
      }
    }
    return writer->finish();
  };
  std::vector<std::thread> threads;
  for (int w = 1; w < plan.workers; ++w) {
    threads.emplace_back([&, w] { results[static_cast<size_t>(w)] = work(w); });
  }
  results[0] = work(0);
  for (std::thread& thread : threads) thread.join();
  for (Status& result : results) HEADRACE_TRY(std::move(result));
  return {};
}

inline Status load(const std::string& path, Plan plan, const Blocks& blocks, int workers = 1,
                   unsigned jitter = 0) {
  auto sink = open_target(path);
  plan.workers = workers;
  HEADRACE_TRY(sink->prepare(plan, "0123456789abcdef"));
  HEADRACE_TRY(write_blocks(*sink, plan, blocks, jitter));
  auto stats = sink->publish();
  if (!stats.ok()) return std::move(stats).error();
  return {};
}

inline std::string message(const Status& status) {
  return status.ok() ? "" : status.error().message;
}

#define ASSERT_STATUS_OK(expr)                                              \
  do {                                                                      \
    const ::headrace::Status status_ = (expr);                              \
    ASSERT_TRUE(status_.ok()) << ::headrace::sqlite_test::message(status_); \
  } while (false)

// Rows that differ in all types; `text_bytes` is the length of the text of each row.
inline Rows sample_rows(int64_t count, size_t text_bytes = 20) {
  Rows rows;
  for (int64_t i = 0; i < count; ++i) {
    std::string text(text_bytes, static_cast<char>('a' + i % 26));
    text += std::to_string(i);
    Value third;
    if (i % 3 == 0) third = static_cast<double>(i) / 8 + 0.0625;
    if (i % 3 == 1) third = blob(std::string(static_cast<size_t>(i % 17), '\x01'));
    rows.push_back({i * i * (i % 2 == 0 ? 1 : -1), std::move(text), std::move(third)});
  }
  return rows;
}

}  // namespace headrace::sqlite_test
