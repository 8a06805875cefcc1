#include "sink/sqlite/gc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sink/sqlite/file_io.h"
#include "sink/sqlite/target_file.h"
#include "sink/sqlite/temporary_file.h"

namespace headrace {
namespace {

// Between making its file and locking it a load does nothing else; this is plenty.
constexpr time_t kSecondsToLock = 10;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// A descriptor; closing it gives its flock() back.
struct File {
  explicit File(int descriptor) : fd(descriptor) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const int fd;
};

// Names in the target's folder that a temporary file of the target has, sorted.
Result<std::vector<std::string>> find_files(const std::string& path) {
  const std::string folder = folder_of(path);
  const std::unique_ptr<DIR, CloseFolder> entries(::opendir(folder.c_str()));
  if (entries == nullptr) return io_error(errno, "read folder", folder);
  // "/d/.x.db.headrace-.tmp" with an id between its two halves.
  const std::string named = name_of(temporary_path(path, ""));
  const std::string_view end = ".tmp";
  const std::string begin = named.substr(0, named.size() - end.size());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr && errno != 0) return io_error(errno, "read folder", folder);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name.size() <= named.size() || !name.starts_with(begin) || !name.ends_with(end)) continue;
    const std::string_view id = name.substr(begin.size(), name.size() - named.size());
    // As temporary_path() would write it, or the name is of another origin.
    if (name_of(temporary_path(path, std::string(id))) == name) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void settle(LeftoverState state, std::string detail, Leftover* leftover) {
  leftover->state = state;
  leftover->detail = std::move(detail);
}

void failed(int error_number, const char* what, Leftover* leftover) {
  const Error error = io_error(error_number, what, leftover->name);
  const bool denied = error_number == EACCES || error_number == EPERM || error_number == EROFS;
  settle(denied ? LeftoverState::kNotPermitted : LeftoverState::kFailed,
         error.hint.empty() ? error.message : error.message + "; " + error.hint, leftover);
}

// REQUIRES: the caller holds the file's lock.
void remove_file(bool dry_run, Leftover* leftover) {
  const std::string& path = leftover->name;
  // What SQLite put beside it first: without its file nobody would find that again.
  for (const char* suffix : {"-journal", "-wal", "-shm", ""}) {
    if (dry_run) break;
    if (::unlink((path + suffix).c_str()) != 0 && errno != ENOENT) {
      return failed(errno, "remove", leftover);
    }
  }
  settle(LeftoverState::kRemoved, "its load is dead", leftover);
}

// False: the file is gone, as its load has published or removed it.
bool collect(bool dry_run, Leftover* leftover) {
  const std::string& path = leftover->name;
  const File file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.fd < 0) {
    if (errno == ENOENT) return false;
    if (errno == ELOOP || errno == ENXIO || errno == EISDIR) {
      settle(LeftoverState::kNotOurs, "not a regular file: left as it is", leftover);
    } else {
      failed(errno, "open", leftover);
    }
    return true;
  }
  struct stat opened, named;
  if (::fstat(file.fd, &opened) != 0) return failed(errno, "look at", leftover), true;
  if (!S_ISREG(opened.st_mode)) {
    settle(LeftoverState::kNotOurs, "not a regular file: left as it is", leftover);
    return true;
  }
  leftover->bytes = opened.st_size;
  if (::flock(file.fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      settle(LeftoverState::kLive, "its load is running", leftover);
    } else {
      failed(errno, "lock", leftover);
    }
    return true;
  }
  if (::lstat(path.c_str(), &named) != 0 && errno == ENOENT) return false;
  if (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino) return false;
  if (opened.st_size == 0 && ::time(nullptr) - opened.st_ctime < kSecondsToLock) {
    settle(LeftoverState::kLive, "was made just now: its load may be starting", leftover);
    return true;
  }
  remove_file(dry_run, leftover);
  return true;
}

}  // namespace

Status gc_sqlite(const GcRequest& request, GcReport* out) {
  out->target = request.target;
  const std::string given = sqlite_path(request.target);
  if (given.empty()) {
    return Error(ErrorCode::kUsage, fmt::format("'{}' names no file", request.target),
                 "give sqlite:PATH");
  }
  if (!request.schema.empty()) {
    return Error(ErrorCode::kUsage, "a SQLite file has no schemas", "leave --schema out");
  }
  HEADRACE_ASSIGN(const std::string path, resolve_links(given));
  HEADRACE_ASSIGN(const auto names, find_files(path));
  for (const std::string& name : names) {
    Leftover leftover;
    leftover.name = fmt::format("{}/{}", folder_of(path), name);
    if (collect(request.dry_run, &leftover)) out->leftovers.push_back(std::move(leftover));
  }
  return {};
}

}  // namespace headrace
