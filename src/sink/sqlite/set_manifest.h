// A set: one table in several SQLite files, with a manifest and a script of SQL that shows it as one.
//
//   flights_part_000.sqlite  flights_part_001.sqlite  ...   the rows
//   flights.manifest.json                                   which files make up the set, and their sums
//   flights.sql                                             ATTACH of each file, and a view of all
//
// The manifest is the set: what it does not name does not belong to it. It is replaced by a rename, so
// a reader sees the old set or the new one. Each change of a set has the next generation; from the
// second on it is in the names of the files that came with it: flights_g2_part_000.sqlite.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headrace/facts.h"
#include "headrace/plan.h"
#include "headrace/result.h"
#include "sink/sqlite/ledger.h"

namespace headrace {

struct SetPart {
  std::string file;  // in the set's folder
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string sha256;
  std::optional<std::string> value;  // partition_by: the value as text
};

struct SetColumn {
  std::string name;
  std::string type;
  bool not_null = false;
};

struct SetManifest {
  int64_t generation = 0;  // 0: there is no set
  std::string table;
  std::string partition_by;
  std::vector<SetColumn> columns;
  std::vector<SetPart> parts;
  std::vector<std::string> replaced;  // files of the generation before that are to be removed
  std::vector<PastLoad> loads;               // that were given an id

  int64_t rows() const;
};

// Where the files of a set are.
struct SetPlace {
  std::string folder;
  std::string table;
  std::string stem;  // the table's name in names of files

  std::string path(const std::string& file) const { return folder + "/" + file; }
  std::string manifest() const { return path(stem + ".manifest.json"); }
  std::string script() const { return path(stem + ".sql"); }
  std::string part(int64_t generation, int64_t number) const;
};

SetPlace set_place(const std::string& folder, const std::string& table);

// The set whose manifest is at `path`; generation 0 when there is none. Fails on one that is not ours.
Result<SetManifest> read_set_manifest(const std::string& path);

std::string set_manifest_text(const SetManifest& manifest);
// More files than a usual SQLite attaches get the same script; it says so.
std::string set_script_text(const SetManifest& manifest);

// What a usual SQLite attaches at most.
inline constexpr int64_t kMaxAttached = 10;

}  // namespace headrace
