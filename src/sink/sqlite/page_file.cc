#include "sink/sqlite/page_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "sink/sqlite/connection.h"
#include "sink/sqlite/file_io.h"
#include "sink/sqlite/page_format.h"

namespace headrace {

using namespace sqlite_page;

namespace {

using FileHeader = std::array<uint8_t, kFileHeaderBytes>;

Result<Connection> make_empty_tables(const std::string& path, const PageFileOptions& options) {
  HEADRACE_ASSIGN(Connection db, Connection::open(path, Connection::kReadWrite, 0));
  // Builds of SQLite differ in their defaults, so each one that shapes the file is set. The file
  // is thrown away when anything fails: no journal.
  HEADRACE_TRY(
      db.run(fmt::format("PRAGMA page_size={}; PRAGMA auto_vacuum=NONE; "
                         "PRAGMA encoding='UTF-8'; PRAGMA journal_mode=OFF; "
                         "PRAGMA synchronous=OFF; PRAGMA user_version={}; "
                         "PRAGMA application_id={}; BEGIN",
                         options.page_bytes, options.user_version, options.application_id)));
  for (const std::string& statement : options.schema) HEADRACE_TRY(db.run_one(statement));
  HEADRACE_TRY(db.run("COMMIT"));
  return db;
}

// The header must be of the kind that the pages are written for.
Status check_header(const FileHeader& header, const PageFileOptions& options) {
  const bool fits = std::equal(kFileMagic.begin(), kFileMagic.end(), header.begin()) &&
                    page_size_of(header.data()) == options.page_bytes &&
                    header[kReservedBytesAt] == 0 && header[kWriteVersionAt] == 1 &&
                    header[kReadVersionAt] == 1 && load_be32(&header[kFreePagesAt]) == 0 &&
                    load_be32(&header[kSchemaFormatAt]) == 4 &&
                    load_be32(&header[kTextEncodingAt]) == 1;
  if (fits) return {};
  return Error(ErrorCode::kUnsupported,
               "this SQLite library makes files of a kind that cannot be written page by page",
               "use method api");
}

}  // namespace

Result<std::unique_ptr<PageFile>> PageFile::create(int fd, const std::string& path,
                                                   const PageFileOptions& options) {
  if (!is_page_size(options.page_bytes)) {
    return Error(ErrorCode::kUsage,
                 fmt::format("{} is not a page size of SQLite", options.page_bytes),
                 "give a power of two from 512 to 65536");
  }
  std::unique_ptr<PageFile> file(new PageFile(fd, path, options));
  {
    HEADRACE_ASSIGN(Connection db, make_empty_tables(path, options));
    file->max_payload_ = static_cast<uint64_t>(sqlite3_limit(db.get(), SQLITE_LIMIT_LENGTH, -1));
    HEADRACE_ASSIGN(Statement entry,
                    db.prepare("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0"));
    for (;;) {
      HEADRACE_ASSIGN(const bool found, entry.step());
      if (!found) break;
      file->roots_[entry.text(0)] = static_cast<uint32_t>(entry.integer(1));
    }
  }
  FileHeader header;
  HEADRACE_TRY(read_at(fd, header.data(), header.size(), 0, path));
  HEADRACE_TRY(check_header(header, options));
  file->next_page_ = uint64_t{load_be32(&header[kPageCountAt])} + 1;
  return file;
}

Result<uint32_t> PageFile::root_of(const std::string& name) const {
  for (const auto& [known, root] : roots_) {
    if (strcasecmp(known.c_str(), name.c_str()) == 0) return root;
  }
  return Error(ErrorCode::kInternal, fmt::format("{} is not in the new file", name));
}

Status PageFile::write(const PageRange& range, uint32_t index, const uint8_t* pages, size_t bytes) {
  while (bytes > 0) {
    const uint32_t first = range.number(index);
    const uint64_t offset = (uint64_t{first} - 1) * page_bytes_;
    // Pages up to the lock-byte page, and those after it, are each in one piece.
    size_t piece = bytes;
    if (first < range.lock_page) {
      piece = std::min(bytes, static_cast<size_t>(range.lock_page - first) * page_bytes_);
    }
    {
      // File systems let one thread at a time write to a file. Those that wait for their turn in the
      // kernel spin, and take the processor from the threads that decode and encode.
      std::lock_guard turn(write_mutex_);
      HEADRACE_TRY(write_at(fd_, pages, piece, offset, path_));
    }
    early_sync_.written(static_cast<int64_t>(piece));
    bytes_written_.fetch_add(static_cast<int64_t>(piece), std::memory_order_relaxed);
    pages += piece;
    bytes -= piece;
    index += static_cast<uint32_t>(piece / page_bytes_);
  }
  return {};
}

Status PageFile::write_page(uint32_t number, const uint8_t* page) {
  bytes_written_.fetch_add(page_bytes_, std::memory_order_relaxed);
  return write_at(fd_, page, page_bytes_, (uint64_t{number} - 1) * page_bytes_, path_);
}

Status PageFile::read_page(uint32_t number, uint8_t* page) const {
  return read_at(fd_, page, page_bytes_, (uint64_t{number} - 1) * page_bytes_, path_);
}

Status PageFile::move_only_leaf_to_root(uint32_t leaf, uint32_t root, PageClaims* claims) {
  std::vector<uint8_t> page(page_bytes_);
  HEADRACE_TRY(read_page(leaf, page.data()));
  HEADRACE_TRY(write_page(root, page.data()));
  claims->give_back_last();
  return truncate(claims->next_page());
}

Status PageFile::truncate(uint64_t first) {
  if (first - 1 == lock_byte_page(page_bytes_)) --first;
  if (::ftruncate(fd_, static_cast<off_t>((first - 1) * page_bytes_)) != 0) {
    return io_error(errno, "truncate", path_);
  }
  return {};
}

Status PageFile::close_pages() {
  FileHeader header;
  HEADRACE_TRY(read_at(fd_, header.data(), header.size(), 0, path_));
  uint64_t last = next_page_ - 1;
  if (last == lock_byte_page(page_bytes_)) --last;
  store_be32(&header[kPageCountAt], static_cast<uint32_t>(last));
  store_be32(&header[kVersionValidForAt], load_be32(&header[kChangeCounterAt]));
  return write_at(fd_, header.data(), header.size(), 0, path_);
}

Status PageFile::sync() { return early_sync_.finish(); }

}  // namespace headrace
