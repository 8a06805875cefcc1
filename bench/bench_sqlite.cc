// bench_sqlite pages|prepared FILE.parquet OUT.sqlite TABLE
//
// Reads the file into record batches in memory, then makes a SQLite file of them: by headrace with one
// writing thread, or by the fastest way through SQL on one thread that SQLite's documentation offers: one
// prepared INSERT, one transaction, no journal, no sync, values bound without a copy. Prints as JSON
// the seconds until the file is complete, and until it is synced as well.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "headrace/load.h"
#include "parquet_batches.h"

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_sqlite: {}\n", why);
  std::exit(1);
}

void check(sqlite3* db, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE) fail(sqlite3_errmsg(db));
}

// Two digits a time, as ISO 8601 has them. `days` since 1970, after it.
char* put_two(char* at, int v) {
  at[0] = static_cast<char>('0' + v / 10);
  at[1] = static_cast<char>('0' + v % 10);
  return at + 2;
}

char* put_date(char* at, int64_t days) {
  // Years from March on, so that the leap day is the last (Howard Hinnant's civil_from_days).
  const int64_t shifted = days + 719468;
  const int64_t era = shifted / 146097;
  const auto doe = static_cast<int>(shifted - era * 146097);
  const int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int mp = (5 * doy + 2) / 153;
  const int day = doy - (153 * mp + 2) / 5 + 1;
  const int month = mp < 10 ? mp + 3 : mp - 9;
  const int year = static_cast<int>(yoe + era * 400) + (month <= 2 ? 1 : 0);
  at = put_two(put_two(at, year / 100), year % 100);
  *at++ = '-';
  at = put_two(at, month);
  *at++ = '-';
  return put_two(at, day);
}

// Binds one column of a batch.
class Column {
 public:
  Column(const arrow::Array& array, int place) : array_(array), place_(place), id_(array.type_id()) {
    if (id_ == arrow::Type::DECIMAL128) {
      const int scale = static_cast<const arrow::Decimal128Type&>(*array.type()).scale();
      for (int i = 0; i < scale; ++i) power_ *= 10;
    }
  }

  int bind(sqlite3_stmt* statement, int64_t row, char* scratch) const {
    if (array_.IsNull(row)) return sqlite3_bind_null(statement, place_);
    switch (id_) {
      case arrow::Type::INT32:
        return sqlite3_bind_int(statement, place_, static_cast<const arrow::Int32Array&>(array_).Value(row));
      case arrow::Type::INT64:
        return sqlite3_bind_int64(statement, place_, static_cast<const arrow::Int64Array&>(array_).Value(row));
      case arrow::Type::DECIMAL128: {
        const auto& decimals = static_cast<const arrow::Decimal128Array&>(array_);
        const auto unscaled = static_cast<int64_t>(arrow::Decimal128(decimals.GetValue(row)).low_bits());
        return sqlite3_bind_double(statement, place_, static_cast<double>(unscaled) / power_);
      }
      case arrow::Type::DATE32: {
        char* const end = put_date(scratch, static_cast<const arrow::Date32Array&>(array_).Value(row));
        return text(statement, {scratch, static_cast<size_t>(end - scratch)});
      }
      case arrow::Type::TIMESTAMP: {
        const int64_t seconds = static_cast<const arrow::TimestampArray&>(array_).Value(row) / 1'000'000;
        char* end = put_date(scratch, seconds / 86400);
        const auto day = static_cast<int>(seconds % 86400);
        *end++ = ' ';
        end = put_two(end, day / 3600);
        *end++ = ':';
        end = put_two(end, day / 60 % 60);
        *end++ = ':';
        end = put_two(end, day % 60);
        return text(statement, {scratch, static_cast<size_t>(end - scratch)});
      }
      case arrow::Type::STRING:
        return text(statement, static_cast<const arrow::StringArray&>(array_).GetView(row));
      case arrow::Type::LARGE_STRING:
        return text(statement, static_cast<const arrow::LargeStringArray&>(array_).GetView(row));
      case arrow::Type::STRING_VIEW:
        return text(statement, static_cast<const arrow::StringViewArray&>(array_).GetView(row));
      default:
        fail("no statement is written for " + array_.type()->ToString());
    }
  }

  static std::string declared(const arrow::DataType& type) {
    switch (type.id()) {
      case arrow::Type::INT32:
      case arrow::Type::INT64:
        return "INTEGER";
      case arrow::Type::DECIMAL128:
        return "DECIMAL(15,2)";
      default:
        return "TEXT";
    }
  }

 private:
  int text(sqlite3_stmt* statement, std::string_view v) const {
    return sqlite3_bind_text(statement, place_, v.data(), static_cast<int>(v.size()), SQLITE_STATIC);
  }

  const arrow::Array& array_;
  const int place_;
  const arrow::Type::type id_;
  double power_ = 1;
};

void by_statement(const Batches& in, const std::string& out, const std::string& table) {
  sqlite3* db = nullptr;
  check(db, sqlite3_open(out.c_str(), &db));
  std::string columns, places;
  for (const auto& field : in.schema->fields()) {
    columns += fmt::format("{}\"{}\" {}", columns.empty() ? "" : ", ", field->name(), Column::declared(*field->type()));
    places += places.empty() ? "?" : ", ?";
  }
  const std::string begin = fmt::format(
      "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536; "
      "CREATE TABLE {} ({}); BEGIN", table, columns);
  check(db, sqlite3_exec(db, begin.c_str(), nullptr, nullptr, nullptr));
  sqlite3_stmt* insert = nullptr;
  const std::string sql = fmt::format("INSERT INTO {} VALUES ({})", table, places);
  check(db, sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &insert, nullptr));
  std::vector<std::array<char, 32>> scratch(static_cast<size_t>(in.schema->num_fields()));
  for (const auto& batch : in.batches) {
    std::vector<Column> bound;
    for (int c = 0; c < batch->num_columns(); ++c) bound.emplace_back(*batch->column(c), c + 1);
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      for (size_t c = 0; c < bound.size(); ++c) check(db, bound[c].bind(insert, row, scratch[c].data()));
      check(db, sqlite3_step(insert));
      sqlite3_reset(insert);
    }
  }
  sqlite3_finalize(insert);
  check(db, sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr));
  check(db, sqlite3_close(db));
}

// Seconds until the file was complete; it is synced when this returns.
double by_pages(const Batches& in, const std::string& out, const std::string& table) {
  ArrowArrayStream stream;
  export_batches(in, &stream);
  headrace::LoadRequest request;
  request.target = "sqlite:" + out;
  request.table = table;
  request.method = "pages";
  request.tuning.connections = 1;
  request.tuning.readers = 1;
  const auto start = Clock::now();
  const headrace::Report report = headrace::load(request, &stream);
  if (!report.ok()) fail(report.error->message);
  return since(start) - report.phases.commit;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: bench_sqlite pages|prepared FILE.parquet OUT.sqlite TABLE\n");
    return 2;
  }
  const std::string how = argv[1], out = argv[3], table = argv[4];
  auto batches = read_all(argv[2], 16384);
  if (!batches.ok()) fail(batches.status().ToString());
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  double complete = 0;
  if (how == "pages") {
    complete = by_pages(*batches, out, table);
  } else {
    by_statement(*batches, out, table);
    complete = since(start);
    const int fd = ::open(out.c_str(), O_RDWR);
    if (fd < 0 || ::fsync(fd) != 0) fail("cannot sync " + out);
    ::close(fd);
  }
  fmt::print("{{\"rows\": {}, \"seconds\": {:.6f}, \"complete_seconds\": {:.6f}, \"cpu_seconds\": {:.6f}}}\n",
             batches->rows, since(start), complete, cpu_seconds() - cpu);
  return 0;
}
