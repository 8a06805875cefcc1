// The file is written under a temporary name in its folder, synced and renamed; the folder is
// synced. One writer. Sink and writer share the open file; the sink outlives the writer.
#include "sink/pgcopy_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "base/phase_timer.h"
#include "encode/format/pg_binary.h"

namespace headrace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "pgcopy:";

Error io_error(const std::string& doing, const fs::path& path, int error) {
  std::string hint;
  if (error == ENOSPC || error == EDQUOT) hint = "free disk space, or write to another disk";
  if (error == ENOENT) hint = "create the folder first";
  if (error == EACCES || error == EPERM || error == EROFS)
    hint = "choose a folder that you may write to";
  return Error(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
               fmt::format("{} {}: {}", doing, path.string(), std::strerror(error)), hint);
}

class FileDescriptor {
 public:
  FileDescriptor() = default;
  ~FileDescriptor() { close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  void open(const fs::path& path, int flags, mode_t mode = 0) {
    close();
    fd_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  }
  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // An error that close() tells is that of a write the kernel had put off.
  bool close() {
    if (fd_ < 0) return true;
    return ::close(std::exchange(fd_, -1)) == 0;
  }

 private:
  int fd_ = -1;
};

Status write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("writing", path, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status sync_folder(const fs::path& folder) {
  FileDescriptor fd;
  fd.open(folder, O_RDONLY | O_DIRECTORY);
  if (!fd.is_open() || (::fsync(fd.get()) != 0 && errno != EINVAL)) {
    return io_error("syncing the folder", folder, errno);
  }
  return {};
}

struct FileState {
  fs::path temporary;
  FileDescriptor fd;
  bool is_text = false;
  bool finished = false;
  int64_t bytes = 0;
};

class PgcopyWriter final : public SinkWriter {
 public:
  PgcopyWriter(FileState& file, const std::atomic<bool>* cancel) : file_(file), cancel_(cancel) {}

  Status write(const RowBlock& block) override {
    if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
      return Error(ErrorCode::kCancelled, "the load was cancelled");
    }
    return put(block.bytes.view());
  }
  Status finish() override {
    if (!file_.is_text) HEADRACE_TRY(put(pg_binary::trailer()));
    file_.finished = true;
    return {};
  }
  void abort(const std::string&) noexcept override {}  // the sink removes the file

 private:
  Status put(std::string_view bytes) {
    file_.bytes += static_cast<int64_t>(bytes.size());
    return write_all(file_.fd.get(), bytes, file_.temporary);
  }

  FileState& file_;
  const std::atomic<bool>* cancel_;
};

class PgcopyFileSink final : public Sink {
 public:
  PgcopyFileSink(const LoadRequest& request, fs::path path, fs::path resolved)
      : target_(request.target),
        table_(request.table),
        cancel_(request.cancel),
        shown_path_(std::move(path)),
        path_(std::move(resolved)) {}
  ~PgcopyFileSink() override { abandon(); }

  Result<SinkFacts> facts() override;
  Status prepare(const Plan& plan, const std::string& load_id) override;
  Result<std::unique_ptr<SinkWriter>> open_writer(int index) override;
  Result<PublishStats> publish() override;
  void abandon() noexcept override;

 private:
  fs::path folder() const { return path_.has_parent_path() ? path_.parent_path() : fs::path("."); }
  Status rename_into_place();

  const std::string target_;
  const std::string table_;
  const std::atomic<bool>* const cancel_;
  const fs::path shown_path_;
  const fs::path path_;  // symbolic links followed, so that a link stays one
  Mode mode_ = Mode::kCreate;
  FileState file_;
};

Result<SinkFacts> PgcopyFileSink::facts() {
  SinkFacts facts;
  facts.dialect = Dialect::kPostgres;
  facts.target = target_;
  facts.server_kind = "file";
  facts.table = table_.empty() ? path_.stem().string() : table_;
  facts.relation_kind = "file";
  struct stat status{};
  if (::stat(path_.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      return Error(ErrorCode::kUnsupported,
                   fmt::format("{} is not a regular file", shown_path_.string()),
                   "name a file that can be replaced by a rename");
    }
    facts.file_exists = facts.table_exists = true;
    facts.table_is_empty = status.st_size == 0;
  } else if (errno != ENOENT) {
    return io_error("looking for", path_, errno);
  }
  std::error_code ignored;
  if (!fs::is_directory(folder(), ignored)) {
    return Error(ErrorCode::kNotFound, fmt::format("folder {} does not exist", folder().string()),
                 "create the folder first");
  }
  facts.can_create = ::access(folder().c_str(), W_OK) == 0;
  return facts;
}

Status PgcopyFileSink::prepare(const Plan& plan, const std::string& load_id) {
  HEADRACE_ASSIGN(const SinkFacts now, facts());
  mode_ = plan.mode;
  if (now.file_exists && mode_ == Mode::kCreate) {
    return Error(ErrorCode::kTargetExists,
                 fmt::format("file {} already exists", shown_path_.string()),
                 "use --mode replace to replace it");
  }
  if (now.file_exists && mode_ == Mode::kAppend) {
    return Error(ErrorCode::kUnsupported, "rows cannot be added to a COPY file",
                 "use --mode replace, or write to another file");
  }
  std::string id = load_id.substr(0, 8);
  for (char& c : id) {
    if (c == '/' || c == '\0') c = '_';
  }
  const fs::path temporary = folder() / fmt::format(".{}.{}.tmp", path_.filename().string(), id);
  file_.fd.open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file_.fd.is_open()) return io_error("creating", temporary, errno);
  file_.temporary = temporary;
  struct stat old{};
  if (now.file_exists && ::stat(path_.c_str(), &old) == 0)
    (void)!::fchmod(file_.fd.get(), old.st_mode & 07777);
  file_.is_text = plan.row_format == RowFormat::kText;
  if (file_.is_text) return {};
  file_.bytes = static_cast<int64_t>(pg_binary::header().size());
  return write_all(file_.fd.get(), pg_binary::header(), file_.temporary);
}

Result<std::unique_ptr<SinkWriter>> PgcopyFileSink::open_writer(int index) {
  if (index != 0 || !file_.fd.is_open()) {
    return Error(ErrorCode::kInternal, fmt::format("writer {} cannot be opened", index));
  }
  return std::unique_ptr<SinkWriter>(std::make_unique<PgcopyWriter>(file_, cancel_));
}

// A file that appeared since prepare() is replaced only if that was asked for.
Status PgcopyFileSink::rename_into_place() {
  if (mode_ != Mode::kReplace) {
    if (::renameat2(AT_FDCWD, file_.temporary.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) ==
        0) {
      return {};
    }
    if (errno == EEXIST || ::access(path_.c_str(), F_OK) == 0) {
      return Error(ErrorCode::kTargetExists,
                   fmt::format("file {} was created by someone else while the load ran",
                               shown_path_.string()),
                   "use --mode replace to replace it");
    }
    if (errno != EINVAL && errno != ENOSYS) return io_error("renaming to", path_, errno);
  }
  if (::rename(file_.temporary.c_str(), path_.c_str()) != 0)
    return io_error("renaming to", path_, errno);
  return {};
}

Result<PublishStats> PgcopyFileSink::publish() {
  if (!file_.finished) {
    return Error(ErrorCode::kInternal, "publish was called before the writer had finished");
  }
  const auto start = std::chrono::steady_clock::now();
  if (::fsync(file_.fd.get()) != 0) return io_error("syncing", file_.temporary, errno);
  if (!file_.fd.close()) return io_error("closing", file_.temporary, errno);
  HEADRACE_TRY(rename_into_place());
  file_.temporary.clear();
  PublishStats stats;
  Status synced = sync_folder(folder());
  if (!synced.ok()) stats.warnings.push_back(synced.error().message);
  stats.commit_seconds = seconds_since(start);
  stats.bytes_sent = file_.bytes;
  stats.files = {shown_path_.string()};
  return stats;
}

void PgcopyFileSink::abandon() noexcept {
  file_.fd.close();
  if (!file_.temporary.empty()) ::unlink(file_.temporary.c_str());
  file_.temporary = fs::path();
}

bool recognises(const std::string& target) {
  return target.compare(0, kScheme.size(), kScheme) == 0;
}

Result<std::unique_ptr<Sink>> open(const LoadRequest& request) {
  const fs::path path = request.target.substr(kScheme.size());
  if (path.empty() || !path.has_filename()) {
    return Error(ErrorCode::kUsage, "the target names no file", "give pgcopy:FILE");
  }
  std::error_code error;
  fs::path resolved = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
  if (error || resolved.empty()) resolved = path;
  return std::unique_ptr<Sink>(
      std::make_unique<PgcopyFileSink>(request, path, std::move(resolved)));
}

}  // namespace

const SinkKind kPgcopyFileSink = {"pgcopy", recognises, open};

}  // namespace headrace
