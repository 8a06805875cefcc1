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
#include "sink/sqlite/set_recovery.h"
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

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// "flights_part_000.sqlite" and "flights.sql", of a set.
bool belongs_to_set(std::string_view target) {
  return target.ends_with(".sql") ||
         (target.ends_with(".sqlite") && target.find("_part_") != std::string_view::npos);
}

// Whether `name` is that of a temporary file of the target at `path`, or of a file of a set.
bool is_temporary(const std::string& name, const std::string& path) {
  static constexpr std::string_view kMark = ".headrace-", kEnd = ".tmp";
  const size_t mark = name.rfind(kMark);
  if (!name.starts_with('.') || !name.ends_with(kEnd) || mark == std::string::npos) return false;
  const size_t id_at = mark + kMark.size();
  if (id_at + kEnd.size() >= name.size()) return false;
  const std::string id = name.substr(id_at, name.size() - kEnd.size() - id_at);
  const std::string target = name.substr(1, mark - 1);
  // As temporary_path() would write it, or the name is of another origin.
  if (name_of(temporary_path(path, id)) == name) return true;
  return belongs_to_set(target) && name_of(temporary_path(target, id)) == name;
}

// Names of temporary files in `folder`, sorted.
Result<std::vector<std::string>> find_files(const std::string& path, const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> entries(::opendir(folder.c_str()));
  if (entries == nullptr) return io_error(errno, "read folder", folder);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr && errno != 0) return io_error(errno, "read folder", folder);
    if (entry == nullptr) break;
    if (is_temporary(entry->d_name, path)) names.emplace_back(entry->d_name);
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
  const std::string folder = is_folder(path) ? path : folder_of(path);
  HEADRACE_TRY(recover_sets(folder, nullptr, request.dry_run, &out->leftovers));
  HEADRACE_ASSIGN(const auto names, find_files(path, folder));
  for (const std::string& name : names) {
    Leftover leftover;
    leftover.name = fmt::format("{}/{}", folder, name);
    if (collect(request.dry_run, &leftover)) out->leftovers.push_back(std::move(leftover));
  }
  return {};
}

}  // namespace headrace
