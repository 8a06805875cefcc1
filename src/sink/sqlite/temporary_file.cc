#include "sink/sqlite/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "sink/sqlite/file_io.h"

namespace headrace {
namespace {

// File names end at 255 bytes; SQLite appends "-journal" to ours.
constexpr size_t kMaxNameBytes = 200;
constexpr size_t kLoadIdCharacters = 8;

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_';
}

Error target_appeared(const std::string& target) {
  return Error(ErrorCode::kTargetExists, fmt::format("{} appeared during the load", target),
               "it was left as it is; load again with mode append or replace");
}

}  // namespace

std::string temporary_path(const std::string& target, const std::string& load_id) {
  std::string id = load_id.substr(0, kLoadIdCharacters);
  for (char& c : id) {
    if (!is_plain(c)) c = '_';
  }
  return fmt::format("{}/.{}.headrace-{}.tmp", folder_of(target),
                     name_of(target).substr(0, kMaxNameBytes), id);
}

TemporaryFile::TemporaryFile(TemporaryFile&& o) noexcept
    : fd_(std::exchange(o.fd_, -1)), path_(std::exchange(o.path_, {})) {}

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& o) noexcept {
  std::swap(fd_, o.fd_);
  std::swap(path_, o.path_);
  return *this;
}

TemporaryFile::~TemporaryFile() {
  remove();
  if (fd_ >= 0) ::close(fd_);
}

Result<TemporaryFile> TemporaryFile::create(const std::string& target, const std::string& load_id) {
  const std::string path = temporary_path(target, load_id);
  for (int attempt = 0; attempt < 2; ++attempt) {
    TemporaryFile file;
    file.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file.fd_ >= 0) {
      file.path_ = path;
      if (::flock(file.fd_, LOCK_EX | LOCK_NB) != 0 && errno != EOPNOTSUPP && errno != ENOLCK) {
        return io_error(errno, "lock", path);
      }
      return file;
    }
    if (errno != EEXIST) return io_error(errno, "create", path);
    TemporaryFile left;
    left.fd_ = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (left.fd_ < 0 && errno != ENOENT) return io_error(errno, "open", path);
    if (left.fd_ >= 0 && ::flock(left.fd_, LOCK_EX | LOCK_NB) != 0) break;
    if (left.fd_ >= 0) left.path_ = path;  // its load is dead: the destructor removes the file
  }
  return Error(ErrorCode::kTargetExists,
               fmt::format("another load with the id {} is writing {}", load_id, target),
               "wait for it to end, or give this load an id of its own");
}

Status TemporaryFile::publish_new(const std::string& target) {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
    close_published();
    return {};
  }
  if (errno == EEXIST) return target_appeared(target);
  if (errno != EINVAL && errno != ENOSYS) return io_error(errno, "rename to", target);
  // A file system without that flag: a hard link does not replace either.
  if (::link(path_.c_str(), target.c_str()) != 0) {
    if (errno == EEXIST) return target_appeared(target);
    return io_error(errno, "link to", target);
  }
  ::unlink(path_.c_str());
  close_published();
  return {};
}

Status TemporaryFile::publish_over(const std::string& target) {
  if (::rename(path_.c_str(), target.c_str()) != 0) return io_error(errno, "rename to", target);
  close_published();
  return {};
}

// At once: closing a descriptor drops the locks that SQLite, in this process, has on the same file.
void TemporaryFile::close_published() {
  path_.clear();
  ::close(fd_);
  fd_ = -1;
}

Status TemporaryFile::take_permissions_of(const std::string& target) {
  struct stat old_file, new_file;
  if (::stat(target.c_str(), &old_file) != 0) return io_error(errno, "look at", target);
  if (::fstat(fd_, &new_file) != 0) return io_error(errno, "look at", path_);
  if (old_file.st_uid != new_file.st_uid || old_file.st_gid != new_file.st_gid) {
    // Only root may give a file away; for others the file becomes theirs, as with any rewrite.
    [[maybe_unused]] const int given = ::fchown(fd_, old_file.st_uid, old_file.st_gid);
  }
  if (::fchmod(fd_, old_file.st_mode & 07777) != 0) {
    return io_error(errno, "set the permissions of", path_);
  }
  return {};
}

void TemporaryFile::remove() noexcept {
  if (path_.empty()) return;
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    ::unlink((path_ + suffix).c_str());
  }
  path_.clear();
}

}  // namespace headrace
