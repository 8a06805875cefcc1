#include "sink/sqlite/set_recovery.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <set>
#include <string_view>

#include "sink/sqlite/file_io.h"

namespace headrace {
namespace {

constexpr std::string_view kManifestEnd = ".manifest.json";
constexpr std::string_view kTemporaryBegin = ".manifest.json.headrace-";
constexpr std::string_view kTemporaryEnd = ".tmp";

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

Result<std::vector<std::string>> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, CloseFolder> entries(::opendir(folder.c_str()));
  if (entries == nullptr) return io_error(errno, "read folder", folder);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(entries.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

// "flights" of "flights.manifest.json", and of ".flights.manifest.json.headrace-1234.tmp".
std::string stem_of(const std::string& name, bool* temporary) {
  *temporary = false;
  if (name.ends_with(kManifestEnd)) return name.substr(0, name.size() - kManifestEnd.size());
  const size_t at = name.find(kTemporaryBegin);
  if (!name.starts_with('.') || at == std::string::npos || !name.ends_with(kTemporaryEnd)) return {};
  *temporary = true;
  return name.substr(1, at - 1);
}

// Holds the lock of a file; false when a running load does.
struct Lock {
  explicit Lock(const std::string& path)
      : fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC)),
        held(fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) {}
  ~Lock() {
    if (fd >= 0) ::close(fd);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  const int fd;
  const bool held;
};

void remove_leftover(const std::string& path, const char* detail, bool dry_run,
                     std::vector<Leftover>* leftovers) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  Leftover leftover;
  leftover.name = path;
  leftover.bytes = status.st_size;
  leftover.state = LeftoverState::kRemoved;
  leftover.detail = detail;
  if (!dry_run && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
    const Error error = io_error(errno, "remove", path);
    leftover.state = errno == EACCES || errno == EPERM ? LeftoverState::kNotPermitted
                                                       : LeftoverState::kFailed;
    leftover.detail = error.message;
  }
  leftovers->push_back(std::move(leftover));
}

std::set<std::string> files_of(const SetManifest& manifest) {
  std::set<std::string> files;
  for (const SetPart& part : manifest.parts) files.insert(part.file);
  return files;
}

// The script goes with the manifest: that of a dead load shows files that are about to go.
Status restore_script(const SetPlace& place, const SetManifest& current, bool dry_run) {
  if (dry_run) return {};
  if (current.generation == 0) {
    if (::unlink(place.script().c_str()) != 0 && errno != ENOENT) {
      return io_error(errno, "remove", place.script());
    }
    return {};
  }
  std::ofstream out(place.script(), std::ios::binary | std::ios::trunc);
  out << set_script_text(current);
  out.flush();
  if (!out) return io_error(EIO, "write", place.script());
  return {};
}

// REQUIRES: the lock of the temporary manifest at `path` is held.
Status settle_dead_load(const SetPlace& place, const std::string& path, bool dry_run,
                        std::vector<Leftover>* leftovers) {
  HEADRACE_ASSIGN(const SetManifest current, read_set_manifest(place.manifest()));
  const auto dead = read_set_manifest(path);
  if (dead.ok() && dead->generation > current.generation) {
    const std::set<std::string> kept = files_of(current);
    for (const std::string& file : files_of(*dead)) {
      if (kept.contains(file)) continue;
      remove_leftover(place.path(file), "its load is dead, and no manifest names it", dry_run,
                      leftovers);
    }
    HEADRACE_TRY(restore_script(place, current, dry_run));
  }
  remove_leftover(path, "its load is dead", dry_run, leftovers);
  return {};
}

}  // namespace

Status recover_sets(const std::string& folder, const SetPlace* place, bool dry_run,
                    std::vector<Leftover>* leftovers) {
  HEADRACE_ASSIGN(const auto names, names_in(folder));
  for (const std::string& name : names) {
    bool temporary = false;
    const std::string stem = stem_of(name, &temporary);
    if (stem.empty() || (place != nullptr && stem != place->stem)) continue;
    const SetPlace set{folder, stem, stem};
    const std::string path = set.path(name);
    if (temporary) {
      const Lock lock(path);
      if (lock.fd < 0) continue;
      if (lock.held) {
        HEADRACE_TRY(settle_dead_load(set, path, dry_run, leftovers));
      } else {
        leftovers->push_back({path, LeftoverState::kLive, "", -1, "its load is running"});
      }
      continue;
    }
    const auto manifest = read_set_manifest(path);
    if (!manifest.ok()) continue;  // of another program
    const std::set<std::string> kept = files_of(*manifest);
    for (const std::string& file : manifest->replaced) {
      if (kept.contains(file)) continue;
      remove_leftover(set.path(file), "the manifest has replaced it", dry_run, leftovers);
    }
  }
  return {};
}

}  // namespace headrace
