// TemporaryFile: a file beside its target, under a name that tells what it is and whose:
//   .<name>.headrace-<first 8 characters of the load id>.tmp
//
// The descriptor holds a flock(), so a file without that lock was left by a process that died and
// may be removed. Owned by the sink; writers use fd() from their threads. The descriptor stays open
// after remove(): a thread that writes late must never hit another file under the same number.
#pragma once

#include <string>

#include "headrace/result.h"

namespace headrace {

class TemporaryFile {
 public:
  TemporaryFile() = default;
  TemporaryFile(TemporaryFile&& o) noexcept;
  TemporaryFile& operator=(TemporaryFile&& o) noexcept;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  // An empty file. Replaces one that a dead load of the same id left behind.
  static Result<TemporaryFile> create(const std::string& target, const std::string& load_id);

  // False once it was published or removed.
  bool is_there() const { return !path_.empty(); }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  // Renames to `target`, unless something is there (kTargetExists).
  Status publish_new(const std::string& target);
  // Renames over `target`.
  Status publish_over(const std::string& target);
  // Takes over the permission bits and, where allowed, the owner of `target`.
  Status take_permissions_of(const std::string& target);

  // Unlinks the file and SQLite's companions of it, unless it was published.
  void remove() noexcept;

 private:
  void close_published();

  int fd_ = -1;
  std::string path_;  // empty: published, removed, or never made
};

std::string temporary_path(const std::string& target, const std::string& load_id);

}  // namespace headrace
