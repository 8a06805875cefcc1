#include "sink/sqlite/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "sink/sqlite/file_io.h"

namespace headrace {
namespace {

constexpr size_t kMaxMemoryBytes = 8 << 20;
constexpr size_t kReadBytes = 256 << 10;

}  // namespace

SpillFile::~SpillFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status SpillFile::create() {
  const std::string folder = folder_of(target_);
  fd_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ >= 0) return {};
  // A file system without files that have no name: it is taken away at once.
  std::string name = folder + "/.headrace-sort-XXXXXX";
  fd_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) return io_error(errno, "create", name);
  ::unlink(name.c_str());
  return {};
}

Result<uint64_t> SpillFile::reserve(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  if (fd_ < 0) HEADRACE_TRY(create());
  const uint64_t offset = end_;
  end_ += bytes;
  return offset;
}

Status SpillFile::write(const uint8_t* bytes, size_t count, uint64_t offset) const {
  return write_at(fd_, bytes, count, offset, "a temporary file beside " + target_);
}

Status SpillFile::read(uint8_t* bytes, size_t count, uint64_t offset) const {
  return read_at(fd_, bytes, count, offset, "a temporary file beside " + target_);
}

Status Spool::append(const void* bytes, size_t count) {
  memory_.append(bytes, count);
  if (memory_.size() < kMaxMemoryBytes) return {};
  HEADRACE_ASSIGN(const uint64_t offset, file_->reserve(memory_.size()));
  HEADRACE_TRY(file_->write(memory_.data(), memory_.size(), offset));
  extents_.push_back({written_, offset, memory_.size()});
  written_ += memory_.size();
  memory_.clear();
  return {};
}

// REQUIRES: [at, at + count) was appended.
Status Spool::copy(uint64_t at, uint8_t* out, size_t count) const {
  while (count > 0) {
    if (at >= written_) {
      std::memcpy(out, memory_.data() + (at - written_), count);
      return {};
    }
    const auto after = std::upper_bound(extents_.begin(), extents_.end(), at,
                                        [](uint64_t v, const Extent& e) { return v < e.begin; });
    const Extent& extent = *(after - 1);
    const uint64_t within = at - extent.begin;
    const size_t piece = std::min<uint64_t>(count, extent.bytes - within);
    HEADRACE_TRY(file_->read(out, piece, extent.offset + within));
    at += piece;
    out += piece;
    count -= piece;
  }
  return {};
}

Result<const uint8_t*> Spool::Reader::next(size_t count) {
  const uint64_t at = at_;
  at_ += count;
  if (at >= spool_.written_) return spool_.memory_.data() + (at - spool_.written_);
  if (at < piece_at_ || at + count > piece_at_ + piece_.size()) {
    const uint64_t all = spool_.written_ + spool_.memory_.size();
    const size_t wanted = std::min<uint64_t>(std::max(count, kReadBytes), all - at);
    piece_.clear();
    HEADRACE_TRY(spool_.copy(at, piece_.extend(wanted), wanted));
    piece_at_ = at;
  }
  return static_cast<const uint8_t*>(piece_.data() + (at - piece_at_));
}

}  // namespace headrace
