#include "options_sqlite.h"

#include "option_adder.h"
#include "values.h"

namespace headrace::cli {

void add_sqlite_options(CLI::App* app, WrittenSqlite* to) {
  OptionAdder add(app, "SQLite");
  add.value("--busy-timeout", &to->busy_timeout, "TIME",
            "Longest wait for other processes that hold the file, per try [10s]");
  add.value("--verify", &to->verify, "LEVEL",
            "Before the rows are published: none, quick (structure, row count) or full [none]")
      ->check(CLI::IsMember({"none", "quick", "full"}));
  add.value("--layout", &to->layout, "NAME",
            "single_file, partitioned (several files, a manifest, a view) or optimized [single_file]")
      ->check(CLI::IsMember({"single_file", "partitioned", "optimized"}));
  add.value("--max-records", &to->max_records, "N", "partitioned: rows of a file at most")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  add.value("--partition-by", &to->partition_by, "COLUMN",
            "partitioned: a file for each value of the column");
  add.value("--optimized-rows", &to->optimized_rows, "N",
            "optimized: one file up to so many rows, several above [500000]")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
}

bool counts_files(const WrittenSqlite& written) {
  return written.layout == "partitioned" || written.layout == "optimized";
}

Status convert_sqlite(const WrittenSqlite& written, int num_partitions, LoadRequest* request) {
  SqliteOptions& sqlite = request->sqlite;
  if (!written.busy_timeout.empty()) {
    HEADRACE_ASSIGN(sqlite.busy_timeout_ms,
                    parse_milliseconds("--busy-timeout", written.busy_timeout));
  }
  if (written.verify == "quick") request->verify = VerifyLevel::kQuick;
  if (written.verify == "full") request->verify = VerifyLevel::kFull;
  sqlite.layout = written.layout;
  sqlite.max_records = written.max_records;
  sqlite.partition_by = written.partition_by;
  if (written.optimized_rows > 0) sqlite.optimized_rows = written.optimized_rows;
  if (counts_files(written)) sqlite.num_partitions = num_partitions;
  return {};
}

}  // namespace headrace::cli
