#include "sink/sqlite/target_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "sink/sqlite/file_io.h"

namespace headrace {
namespace {

constexpr std::string_view kPrefix = "sqlite:";

bool ends_with_any(const std::string& text, std::initializer_list<std::string_view> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
    return text.size() > suffix.size() &&
           strcasecmp(text.c_str() + text.size() - suffix.size(), suffix.data()) == 0;
  });
}

// "host=h dbname=x.db" is a server; "s3://bucket/x.db" is an object.
bool is_connection_string(const std::string& target) {
  if (target.find("://") != std::string::npos) return true;
  for (const char* keyword : {"host=", "hostaddr=", "port=", "dbname=", "user=", "service="}) {
    const size_t at = target.find(keyword);
    if (at == 0 || (at != std::string::npos && target[at - 1] == ' ')) return true;
  }
  return false;
}

}  // namespace

std::string sqlite_path(const std::string& target) {
  if (target.starts_with(kPrefix)) return target.substr(kPrefix.size());
  if (is_connection_string(target)) return {};
  return ends_with_any(target, {".sqlite", ".sqlite3", ".db", ".gpkg"}) ? target : std::string();
}

Result<std::string> resolve_links(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) return io_error(errno, "follow the link", path);
  return std::string(real.get());
}

Status check_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  struct stat status;
  if (::stat(folder.c_str(), &status) != 0) return io_error(errno, "use folder", folder);
  if (!S_ISDIR(status.st_mode)) {
    return Error(ErrorCode::kNotFound, fmt::format("{} is not a folder", folder));
  }
  // SQLite makes its journal there, and a new file is built there under a temporary name.
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return io_error(errno, "create files in folder", folder);
  }
  return {};
}

Result<bool> file_is_there(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return false;
    return io_error(errno, "look at", path);
  }
  if (S_ISDIR(status.st_mode)) {
    return Error(ErrorCode::kIo, fmt::format("{} is a folder", path), "name a file in it");
  }
  if (!S_ISREG(status.st_mode)) {
    return Error(ErrorCode::kIo, fmt::format("{} is not a regular file", path));
  }
  // SQLite takes a file of one byte for an empty database, and would write over it.
  if (status.st_size == 1) {
    return Error(ErrorCode::kUsage, fmt::format("{} is not a SQLite database", path),
                 "headrace does not overwrite other files: give another path");
  }
  return true;
}

bool has_journal(const std::string& path) {
  return path_exists(path + "-journal") || path_exists(path + "-wal");
}

Status check_no_journal(const std::string& path) {
  for (const char* suffix : {"-journal", "-wal"}) {
    if (!path_exists(path + suffix)) continue;
    return Error(
        ErrorCode::kIo,
        fmt::format("{}{} lies there: SQLite would play it into the new file", path, suffix),
        "if no process uses that database, open it once with sqlite3 so that it is "
        "recovered; remove the file only if its database is gone");
  }
  return {};
}

}  // namespace headrace
