// PageFile: a new SQLite file of one table, whose rows arrive as finished pages.
//
// SQLite itself makes the file, with the table still empty: header, schema and root page are its
// own. The pages of the rows are appended, the interior pages after them; the root and three header
// fields come last. So there is no SQL parser here, and every file carries a schema that SQLite
// accepted.
//
//   create ─► claims().submit, write (any thread, any order) ─► complete
//
// A failed file is simply dropped: it has a temporary name until it is complete and synced.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "headrace/result.h"
#include "sink/sqlite/leaf_layout.h"
#include "sink/sqlite/page_claims.h"

namespace headrace {

struct PageFileOptions {
  std::string table;
  std::string create_table;  // the whole statement
  uint32_t page_bytes = 4096;
  int writers = 1;
  // Fields of the file header that belong to the user.
  int user_version = 0;
  int application_id = 0;
};

class PageFile {
 public:
  // `fd` is an empty file at `path`, and stays the caller's.
  static Result<std::unique_ptr<PageFile>> create(int fd, const std::string& path,
                                                  const PageFileOptions& options);

  PageClaims& claims() { return claims_; }
  uint32_t page_bytes() const { return page_bytes_; }
  uint64_t max_payload() const { return max_payload_; }
  int64_t bytes_written() const { return bytes_written_.load(std::memory_order_relaxed); }

  // Writes whole pages, the pages [index, ...) of `range`. Thread-safe.
  Status write(const PageRange& range, uint32_t index, const uint8_t* pages, size_t bytes);

  // Builds what is above the leaves, and syncs. After the last writer.
  Status complete();

 private:
  PageFile(int fd, std::string path, const PageFileOptions& options, uint32_t root,
           uint32_t first_page, uint64_t max_payload);
  Status write_page(uint32_t number, const uint8_t* page);
  Status move_only_leaf_to_root();
  Status write_header();

  const int fd_;
  const std::string path_;
  const uint32_t page_bytes_;
  const uint32_t root_;
  const uint64_t max_payload_;
  PageClaims claims_;
  std::atomic<int64_t> bytes_written_{0};
};

}  // namespace headrace
