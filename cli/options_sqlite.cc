#include "options_sqlite.h"

#include "option_adder.h"
#include "values.h"

namespace headrace::cli {

namespace {

void add_table_options(OptionAdder add, WrittenSqlite* to) {
  add.values("--primary-key", &to->primary_key, "A,B",
             "New table: primary key; one integer column is the rowid");
  add.values("--index", &to->indexes, "A,B", "An index on these columns; \"a DESC\" is a column too");
  add.values("--unique-index", &to->unique_indexes, "A,B", "A unique index on these columns");
  add.flag("--strict", &to->strict, "New table: STRICT");
  add.value("--decimal", &to->decimal, "AS",
            "New table: decimals as text, real or scaled: an integer")
      ->check(CLI::IsMember({"text", "real", "scaled", "integer"}));
  add.value("--boolean", &to->boolean, "AS",
            "New table: integer (0, 1) or text (true, false) [integer]")
      ->check(CLI::IsMember({"integer", "text"}));
  add.value("--date", &to->date, "AS",
            "New table: dates as text, integer (unix time) or real (Julian day)")
      ->check(CLI::IsMember({"text", "integer", "real"}));
}

void convert_types(const WrittenSqlite& written, ValueOptions* values) {
  using V = ValueOptions;
  if (written.decimal == "text") values->decimal = V::Decimal::kText;
  if (written.decimal == "real") values->decimal = V::Decimal::kReal;
  const bool scaled = written.decimal == "scaled" || written.decimal == "integer";
  if (scaled) values->decimal = V::Decimal::kScaled;
  if (written.boolean == "text") values->boolean = V::Boolean::kText;
  if (written.geometry == "wkt") values->geometry = V::Geometry::kWkt;
  if (written.geometry == "wkb") values->geometry = V::Geometry::kWkb;
  if (written.geometry == "geopackage") values->geometry = V::Geometry::kGeoPackage;
  if (written.geometry == "spatialite") values->geometry = V::Geometry::kSpatialite;
  if (written.date == "integer") values->date = V::Date::kInteger;
  if (written.date == "real") values->date = V::Date::kReal;
}

}  // namespace

void add_geometry_options(CLI::App* app, WrittenSqlite* to) {
  OptionAdder add(app, "SQLite");
  add.value("--geometry", &to->geometry, "AS",
            "Geometries as wkt, wkb, geopackage or spatialite [.gpkg: geopackage]")
      ->check(CLI::IsMember({"wkt", "wkb", "geopackage", "spatialite"}));
  add.values("--geometry-column", &to->geometry_columns, "NAME",
             "Where they are [columns named geom, geometry, wkt, ...]");
}

void add_sqlite_options(CLI::App* app, WrittenSqlite* to) {
  OptionAdder add(app, "SQLite");
  add_table_options(add, to);
  add_geometry_options(app, to);
  add.value("--busy-timeout", &to->busy_timeout, "TIME",
            "Longest wait for other processes that hold the file, per try [10s]");
  add.value("--verify", &to->verify, "LEVEL",
            "Before the commit: none, quick (structure, row count) or full [none]")
      ->check(CLI::IsMember({"none", "quick", "full"}));
  add.value("--layout", &to->layout, "NAME",
            "single_file, partitioned (several files) or optimized [single_file]")
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
  sqlite.primary_key = split_names(written.primary_key);
  sqlite.strict = written.strict;
  sqlite.geometry_columns = split_names(written.geometry_columns);
  for (const std::string& columns : written.indexes) {
    sqlite.indexes.push_back({split_names({columns}), false});
  }
  for (const std::string& columns : written.unique_indexes) {
    sqlite.indexes.push_back({split_names({columns}), true});
  }
  convert_types(written, &request->values);
  if (counts_files(written)) sqlite.num_partitions = num_partitions;
  return {};
}

}  // namespace headrace::cli
