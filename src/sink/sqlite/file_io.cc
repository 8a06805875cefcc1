#include "sink/sqlite/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace headrace {
namespace {

const char* advice_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "free some space there, or write to another file system; nothing was changed";
    case EDQUOT:
      return "the disk quota is used up: free some space or write elsewhere; nothing was changed";
    case EFBIG:
      return "the file system or the limit of this process (ulimit -f) allows no larger file";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the permissions of the file and its folder";
    default:
      return "";
  }
}

}  // namespace

Error io_error(int error_number, const char* what, const std::string& path) {
  const std::string reason = std::generic_category().message(error_number);
  return Error(error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
               fmt::format("cannot {} {}: {}", what, path, reason), advice_for(error_number));
}

Status write_at(int fd, const uint8_t* bytes, size_t count, uint64_t offset,
                const std::string& path) {
  while (count > 0) {
    const ssize_t written = ::pwrite(fd, bytes, count, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return io_error(errno, "write", path);
    }
    bytes += written;
    offset += static_cast<uint64_t>(written);
    count -= static_cast<size_t>(written);
  }
  return {};
}

Status read_at(int fd, uint8_t* bytes, size_t count, uint64_t offset, const std::string& path) {
  while (count > 0) {
    const ssize_t got = ::pread(fd, bytes, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(errno, "read", path);
    if (got == 0) return Error(ErrorCode::kIo, fmt::format("{} is shorter than expected", path));
    bytes += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
  return {};
}

Status sync_file(int fd, const std::string& path) {
  if (::fsync(fd) != 0) return io_error(errno, "sync", path);
  return {};
}

Status sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_error(errno, "open folder", folder);
  const int failed = ::fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
  ::close(fd);
  if (failed != 0) return io_error(failed, "sync folder", folder);
  return {};
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool path_exists(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace headrace
