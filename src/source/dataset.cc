#include "source/dataset.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

namespace headrace {
namespace {

namespace fs = std::filesystem;
using Hive = std::vector<std::pair<std::string, std::optional<std::string>>>;

constexpr int kMaxDepth = 64;

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

// _SUCCESS, _metadata, .crc and the like: how writers name what is not data. Hive folders may begin
// so.
bool is_hidden(std::string_view name) {
  return name.empty() || name[0] == '.' ||
         (name[0] == '_' && name.find('=') == std::string_view::npos);
}

Error not_found(const std::string& path) {
  Error error(ErrorCode::kNotFound, fmt::format("no such file or folder: {}", path),
              "check the path; relative paths start at the current folder");
  error.where.file = path;
  return error;
}

Error cannot_read(const std::string& path, const std::error_code& code) {
  if (code == std::errc::no_such_file_or_directory) return not_found(path);
  Error error(ErrorCode::kIo, fmt::format("cannot read {}: {}", path, code.message()));
  error.where.file = path;
  return error;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string url_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

Hive with_folder(Hive hive, std::string_view folder) {
  if (auto value = hive_value(folder)) hive.push_back(std::move(*value));
  return hive;
}

struct Entry {
  std::string name;
  fs::file_type type;
};

// Entries of a folder by name; links are followed.
Result<std::vector<Entry>> list_folder(const fs::path& folder) {
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  std::vector<Entry> out;
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) {
    std::error_code ignored;
    out.push_back({entries->path().filename().string(), entries->status(ignored).type()});
  }
  if (code) return cannot_read(folder.string(), code);
  std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return out;
}

// Tables whose folder also holds files that are no longer part of the table.
Status check_not_a_table(const fs::path& folder, const std::vector<Entry>& entries) {
  struct Marker {
    const char* folder;
    const char* table;
  };
  for (const Marker& marker :
       {Marker{"_delta_log", "a Delta table"}, Marker{".hoodie", "a Hudi table"}}) {
    for (const Entry& entry : entries) {
      if (entry.type != fs::file_type::directory || entry.name != marker.folder) continue;
      return Error(
          ErrorCode::kUnsupported,
          fmt::format("{} is {}, which headrace cannot read: its folder also holds rows that "
                      "were deleted or replaced",
                      folder.string(), marker.table),
          "write the current rows out as Parquet, or name the files to load one by one");
    }
  }
  return {};
}

// Collects the files of one element of request.source.
class Expansion {
 public:
  std::vector<Partition> take() && {
    std::sort(files_.begin(), files_.end(),
              [](const Partition& a, const Partition& b) { return a.uri < b.uri; });
    const auto same = [](const Partition& a, const Partition& b) { return a.uri == b.uri; };
    files_.erase(std::unique(files_.begin(), files_.end(), same), files_.end());
    return std::move(files_);
  }

  Status add_file(const fs::path& path, const Hive& hive) {
    const std::string uri = path.lexically_normal().string();
    struct stat info;
    if (stat(uri.c_str(), &info) != 0) return cannot_read(uri, {errno, std::generic_category()});
    if (!S_ISREG(info.st_mode)) {
      return Error(ErrorCode::kUnsupported, fmt::format("{} is not a regular file", uri),
                   "pipe it into headrace and give - as the source");
    }
    Partition file;
    file.uri = uri;
    file.byte_count = info.st_size;
    file.hive = hive;
    files_.push_back(std::move(file));
    return {};
  }

  Status add_folder(const fs::path& folder, const Hive& hive, int depth = 0) {
    if (depth > kMaxDepth) {
      return Error(ErrorCode::kSource, fmt::format("{} is nested too deeply", folder.string()),
                   "is there a loop of symbolic links?");
    }
    HEADRACE_ASSIGN(const auto entries, list_folder(folder));
    HEADRACE_TRY(check_not_a_table(folder, entries));
    for (const Entry& entry : entries) {
      if (is_hidden(entry.name)) continue;
      if (entry.type == fs::file_type::directory) {
        HEADRACE_TRY(add_folder(folder / entry.name, with_folder(hive, entry.name), depth + 1));
      } else {
        HEADRACE_TRY(add_file(folder / entry.name, hive));
      }
    }
    return {};
  }

  // `steps` are the parts of the pattern from the first one with a wildcard on.
  Status add_matches(const fs::path& base, const std::vector<std::string>& steps, size_t at,
                     const Hive& hive) {
    const std::string& step = steps[at];
    const bool last = at + 1 == steps.size();
    if (step == "**") {
      if (last) return add_folder(base, hive);
      HEADRACE_TRY(add_matches(base, steps, at + 1, hive));
    }
    std::error_code code;
    if (!fs::is_directory(base, code)) return {};
    HEADRACE_ASSIGN(const auto entries, list_folder(base));
    if (step != "**") HEADRACE_TRY(check_not_a_table(base, entries));
    for (const Entry& entry : entries) {
      const bool folder = entry.type == fs::file_type::directory;
      const fs::path path = base / entry.name;
      if (step == "**") {
        if (!folder || is_hidden(entry.name)) continue;
        HEADRACE_TRY(add_matches(path, steps, at, with_folder(hive, entry.name)));
        continue;
      }
      if (fnmatch(step.c_str(), entry.name.c_str(), FNM_PERIOD) != 0) continue;
      if (has_wildcard(step) && is_hidden(entry.name) && step[0] != entry.name[0]) continue;
      if (folder) {
        const Hive inner = with_folder(hive, entry.name);
        HEADRACE_TRY(last ? add_folder(path, inner) : add_matches(path, steps, at + 1, inner));
      } else if (last) {
        HEADRACE_TRY(add_file(path, hive));
      }
    }
    return {};
  }

 private:
  std::vector<Partition> files_;
};

Status add_glob(const std::string& pattern, Expansion* out) {
  fs::path base;
  std::vector<std::string> steps;
  for (const fs::path& part : fs::path(pattern)) {
    if (part.empty()) continue;
    if (steps.empty() && !has_wildcard(part.string()))
      base /= part;
    else
      steps.push_back(part.string());
  }
  return out->add_matches(base.empty() ? fs::path(".") : base, steps, 0, {});
}

Result<std::vector<Partition>> expand_one(const std::string& source) {
  if (source.find("://") != std::string::npos) {
    return Error(
        ErrorCode::kUnsupported,
        fmt::format("cannot read from {}", source.substr(0, source.find("://") + 3)),
        "copy the files to this machine, or pipe them into headrace and give - as the source");
  }
  Expansion out;
  std::error_code code;
  const fs::file_status status = fs::status(source, code);
  if (status.type() == fs::file_type::directory) {
    HEADRACE_TRY(out.add_folder(source, {}));
  } else if (fs::exists(status)) {
    HEADRACE_TRY(out.add_file(source, {}));
  } else if (has_wildcard(source)) {
    HEADRACE_TRY(add_glob(source, &out));
  } else if (status.type() == fs::file_type::not_found) {
    return not_found(source);
  } else {
    return cannot_read(source, code);
  }
  auto files = std::move(out).take();
  if (files.empty()) {
    const bool folder = status.type() == fs::file_type::directory;
    Error error(ErrorCode::kNotFound,
                folder ? fmt::format("{} holds no data file", source)
                       : fmt::format("no file matches {}", source),
                "names that begin with . or _ are not data and are skipped");
    error.where.file = source;
    return error;
  }
  return files;
}

}  // namespace

std::optional<std::pair<std::string, std::optional<std::string>>> hive_value(
    std::string_view folder) {
  const auto equals = folder.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  std::string value = url_decoded(folder.substr(equals + 1));
  std::string name = url_decoded(folder.substr(0, equals));
  if (value == "__HIVE_DEFAULT_PARTITION__")
    return std::pair(std::move(name), std::optional<std::string>());
  return std::pair(std::move(name), std::optional<std::string>(std::move(value)));
}

Result<std::vector<Partition>> expand_sources(const std::vector<std::string>& sources) {
  if (sources.empty())
    return Error(ErrorCode::kUsage, "no source was given", "name a file, a folder, a glob or -");
  std::vector<Partition> out;
  for (const std::string& source : sources) {
    if (source != kStandardInput) {
      HEADRACE_ASSIGN(auto files, expand_one(source));
      for (Partition& file : files) out.push_back(std::move(file));
    } else if (sources.size() > 1) {
      return Error(ErrorCode::kUsage,
                   "standard input (-) cannot be read together with other sources");
    } else {
      out.emplace_back().uri = source;
    }
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].index = static_cast<int64_t>(i);
    if (!seen.insert(out[i].uri).second) {
      return Error(ErrorCode::kUsage, fmt::format("{} is named twice", out[i].uri),
                   "its rows would be loaded twice; name every file once");
    }
  }
  return out;
}

Result<FileStamp> file_stamp(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return cannot_read(path, {errno, std::generic_category()});
  return FileStamp{info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

Status check_unchanged(const std::string& path, const FileStamp& stamp) {
  HEADRACE_ASSIGN(const FileStamp now, file_stamp(path));
  if (now == stamp) return {};
  Error error(ErrorCode::kSource, fmt::format("{} changed while it was being loaded", path),
              "load again when the file is complete");
  error.where.file = path;
  return error;
}

}  // namespace headrace
