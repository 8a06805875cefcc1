#include "sink/sqlite/page_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "sink/sqlite/connection.h"
#include "sink/sqlite/file_io.h"
#include "sink/sqlite/page_format.h"
#include "sink/sqlite/page_tree.h"

namespace headrace {

using namespace sqlite_page;

namespace {

using FileHeader = std::array<uint8_t, kFileHeaderBytes>;

// What SQLite said of the file it made.
struct MadeFile {
  uint32_t root = 0;
  uint64_t max_payload = 0;
};

Result<MadeFile> make_empty_table(const std::string& path, const PageFileOptions& options) {
  HEADRACE_ASSIGN(Connection db, Connection::open(path, Connection::kReadWrite, 0));
  // Builds of SQLite differ in their defaults, so each one that shapes the file is set. The file
  // is thrown away when anything fails: no journal.
  HEADRACE_TRY(
      db.run(fmt::format("PRAGMA page_size={}; PRAGMA auto_vacuum=NONE; "
                         "PRAGMA encoding='UTF-8'; PRAGMA journal_mode=OFF; "
                         "PRAGMA synchronous=OFF; PRAGMA user_version={}; "
                         "PRAGMA application_id={}",
                         options.page_bytes, options.user_version, options.application_id)));
  HEADRACE_TRY(db.run(options.create_table));
  MadeFile made;
  made.max_payload = static_cast<uint64_t>(sqlite3_limit(db.get(), SQLITE_LIMIT_LENGTH, -1));
  HEADRACE_ASSIGN(Statement root, db.prepare("SELECT rootpage FROM sqlite_master WHERE "
                                             "type='table' AND name=? COLLATE NOCASE"));
  root.bind_text(1, options.table);
  HEADRACE_ASSIGN(const bool found, root.step());
  if (!found) return Error(ErrorCode::kInternal, "the new table is not in its file");
  made.root = static_cast<uint32_t>(root.integer(0));
  return made;
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

PageFile::PageFile(int fd, std::string path, const PageFileOptions& options, uint32_t root,
                   uint32_t first_page, uint64_t max_payload)
    : fd_(fd),
      path_(std::move(path)),
      page_bytes_(options.page_bytes),
      root_(root),
      max_payload_(max_payload),
      claims_(options.page_bytes, first_page, options.writers) {}

Result<std::unique_ptr<PageFile>> PageFile::create(int fd, const std::string& path,
                                                   const PageFileOptions& options) {
  if (!is_page_size(options.page_bytes)) {
    return Error(ErrorCode::kUsage,
                 fmt::format("{} is not a page size of SQLite", options.page_bytes),
                 "give a power of two from 512 to 65536");
  }
  HEADRACE_ASSIGN(const MadeFile made, make_empty_table(path, options));
  FileHeader header;
  HEADRACE_TRY(read_at(fd, header.data(), header.size(), 0, path));
  HEADRACE_TRY(check_header(header, options));
  const uint32_t first_page = load_be32(&header[kPageCountAt]) + 1;
  return std::unique_ptr<PageFile>(
      new PageFile(fd, path, options, made.root, first_page, made.max_payload));
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
    HEADRACE_TRY(write_at(fd_, pages, piece, offset, path_));
    // The disk begins now, so that little is left to do when the file is synced. Not all file
    // systems can; the result does not matter.
    [[maybe_unused]] const int begun = ::sync_file_range(
        fd_, static_cast<off_t>(offset), static_cast<off_t>(piece), SYNC_FILE_RANGE_WRITE);
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

// A table of one leaf has it as its root. The leaf is the last page of the file, so it can be cut
// off where it was.
Status PageFile::move_only_leaf_to_root() {
  std::vector<uint8_t> page(page_bytes_);
  const uint64_t at = (uint64_t{claims_.leaves().last().page} - 1) * page_bytes_;
  HEADRACE_TRY(read_at(fd_, page.data(), page.size(), at, path_));
  HEADRACE_TRY(write_page(root_, page.data()));
  claims_.give_back_last();
  if (::ftruncate(fd_, static_cast<off_t>(uint64_t{claims_.page_count()} * page_bytes_)) != 0) {
    return io_error(errno, "truncate", path_);
  }
  return {};
}

Status PageFile::write_header() {
  FileHeader header;
  HEADRACE_TRY(read_at(fd_, header.data(), header.size(), 0, path_));
  store_be32(&header[kPageCountAt], claims_.page_count());
  store_be32(&header[kVersionValidForAt], load_be32(&header[kChangeCounterAt]));
  return write_at(fd_, header.data(), header.size(), 0, path_);
}

Status PageFile::complete() {
  HEADRACE_TRY(claims_.finish());
  if (claims_.leaves().size() == 1) {
    HEADRACE_TRY(move_only_leaf_to_root());
  } else if (claims_.leaves().size() > 1) {
    TreePages pages;
    pages.page_bytes = page_bytes_;
    pages.root = root_;
    pages.allocate = [this] { return claims_.allocate(); };
    pages.write = [this](uint32_t number, const uint8_t* page) { return write_page(number, page); };
    HEADRACE_TRY(write_interior_pages(claims_.leaves(), pages));
  }
  HEADRACE_TRY(write_header());
  return sync_file(fd_, path_);
}

}  // namespace headrace
