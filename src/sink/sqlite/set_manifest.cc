#include "sink/sqlite/set_manifest.h"

#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "sink/sqlite/ddl.h"
#include "sink/sqlite/file_io.h"

namespace headrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "headrace-sqlite-set";
constexpr int kVersion = 1;

std::string quoted_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

Json parts_json(const SetManifest& manifest) {
  Json list = Json::array();
  for (const SetPart& part : manifest.parts) {
    Json json{{"file", part.file},
              {"rows", part.rows},
              {"bytes", part.bytes},
              {"sha256", part.sha256}};
    if (!manifest.partition_by.empty()) {
      json["value"] = part.value ? Json(*part.value) : Json(nullptr);
    }
    list.push_back(std::move(json));
  }
  return list;
}

SetManifest from_json(const Json& json) {
  SetManifest manifest;
  manifest.generation = json.at("generation").get<int64_t>();
  manifest.table = json.at("table").get<std::string>();
  if (json.contains("partition_by")) {
    manifest.partition_by = json.at("partition_by").get<std::string>();
  }
  for (const Json& column : json.at("columns")) {
    manifest.columns.push_back({column.at("name").get<std::string>(),
                                column.at("type").get<std::string>(),
                                column.at("not_null").get<bool>()});
  }
  for (const Json& part : json.at("parts")) {
    SetPart read{part.at("file").get<std::string>(), part.at("rows").get<int64_t>(),
                 part.at("bytes").get<int64_t>(), part.at("sha256").get<std::string>(), {}};
    if (part.contains("value") && part.at("value").is_string()) read.value = part.at("value");
    manifest.parts.push_back(std::move(read));
  }
  manifest.replaced = json.at("replaced").get<std::vector<std::string>>();
  for (const Json& load : json.at("loads")) {
    manifest.loads.push_back({load.at("load_id").get<std::string>(),
                              load.at("committed_at").get<std::string>(),
                              load.at("rows").get<int64_t>()});
  }
  return manifest;
}

// Files of the set are removed by their names: none may lead elsewhere.
bool names_are_plain(const SetManifest& manifest) {
  for (const SetPart& part : manifest.parts) {
    if (part.file.empty() || part.file.find('/') != std::string::npos) return false;
  }
  for (const std::string& file : manifest.replaced) {
    if (file.find('/') != std::string::npos) return false;
  }
  return manifest.generation > 0;
}

}  // namespace

int64_t SetManifest::rows() const {
  return std::accumulate(parts.begin(), parts.end(), int64_t{0},
                         [](int64_t sum, const SetPart& part) { return sum + part.rows; });
}

std::string SetPlace::part(int64_t generation, int64_t number) const {
  if (generation <= 1) return fmt::format("{}_part_{:03}.sqlite", stem, number);
  return fmt::format("{}_g{}_part_{:03}.sqlite", stem, generation, number);
}

SetPlace set_place(const std::string& folder, const std::string& table) {
  std::string stem = table;
  for (char& c : stem) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(u) != 0 || c == '_' || c == '-' || u >= 0x80;
    if (!plain) c = '_';
  }
  return {folder, table, stem};
}

Result<SetManifest> read_set_manifest(const std::string& path) {
  if (!path_exists(path)) return SetManifest();
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return io_error(EIO, "read", path);
  const Json json = Json::parse(text.str(), nullptr, false);
  const Error not_ours(ErrorCode::kUsage,
                       fmt::format("{} is no manifest of a set of this headrace", path),
                       "it was left as it is: give another folder or table name");
  if (!json.is_object() || json.value("format", "") != kFormat ||
      json.value("version", 0) != kVersion) {
    return not_ours;
  }
  try {
    SetManifest manifest = from_json(json);
    if (names_are_plain(manifest)) return manifest;
  } catch (const Json::exception&) {
    // A field is missing or of another type.
  }
  return not_ours;
}

std::string set_manifest_text(const SetManifest& manifest) {
  Json columns = Json::array(), loads = Json::array();
  for (const SetColumn& column : manifest.columns) {
    columns.push_back(
        {{"name", column.name}, {"type", column.type}, {"not_null", column.not_null}});
  }
  for (const PastLoad& load : manifest.loads) {
    loads.push_back({{"load_id", load.id}, {"committed_at", load.when}, {"rows", load.rows}});
  }
  Json json{{"format", kFormat},
            {"version", kVersion},
            {"headrace", HEADRACE_VERSION},
            {"generation", manifest.generation},
            {"table", manifest.table},
            {"rows", manifest.rows()}};
  if (!manifest.partition_by.empty()) json["partition_by"] = manifest.partition_by;
  json["columns"] = std::move(columns);
  json["parts"] = parts_json(manifest);
  json["replaced"] = manifest.replaced;
  json["loads"] = std::move(loads);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string set_script_text(const SetManifest& manifest) {
  std::string names, out;
  for (const SetColumn& column : manifest.columns) {
    names += (names.empty() ? "" : ", ") + sqlite_identifier(column.name);
  }
  out += fmt::format(
      "-- Table {} in {} files, as one view. In the folder of the files:\n"
      "--   sqlite3 -cmd '.read {}.sql'\n",
      manifest.table.find('\n') == std::string::npos ? manifest.table : "", manifest.parts.size(),
      set_place("", manifest.table).stem);
  const auto parts = static_cast<int64_t>(manifest.parts.size());
  if (parts > kMaxAttached) {
    out += fmt::format(
        "-- A usual SQLite attaches {} files. This needs one built with SQLITE_MAX_ATTACHED={}{}.\n",
        kMaxAttached, parts, parts > 125 ? ", and 125 is the most that can be built" : "");
  }
  for (int64_t i = 0; i < parts; ++i) {
    out += fmt::format("ATTACH {} AS part_{:03};\n", quoted_text(manifest.parts[i].file), i);
  }
  out += fmt::format("CREATE TEMP VIEW {} AS", sqlite_identifier(manifest.table));
  for (int64_t i = 0; i < parts; ++i) {
    out += fmt::format("{}\n  SELECT {} FROM part_{:03}.{}", i == 0 ? "" : " UNION ALL", names, i,
                       sqlite_identifier(manifest.table));
  }
  return out + ";\n";
}

}  // namespace headrace
