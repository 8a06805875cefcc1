// PageFile: a new SQLite file whose b-trees are written as finished pages.
//
// SQLite itself makes the file, with everything in its schema still empty: header, schema and root
// pages are its own. The pages of rows and index entries are appended; roots and three header
// fields come last. So there is no SQL parser here, and every file carries a schema that SQLite accepted.
//
// The file is a sequence of sections, one a b-tree: leaves and their overflow chains, then the
// interior pages, then the root where SQLite put it. A section is written by any number of threads
// under a PageClaims of its own, which numbers its pages in the order of its rows or keys; the next
// section begins where it ended. So the file is the same in every run.
//
//   | made by SQLite   | table                | index 1                | index 2 | ... R-tree
//   | 1, schema, roots | leaves..., interiors | leaves..., interiors   |
//                        ▲ PageTable: while     ▲ IndexBuilder: after the table,
//                          rows come              from the keys that were collected meanwhile
//
//   create ─► sections, one after another ─► close_pages ─► (SQLite fills small tables) ─► sync
//
// A failed file is simply dropped: it has a temporary name until it is complete and synced.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "sink/sqlite/early_sync.h"
#include "sink/sqlite/leaf_layout.h"
#include "sink/sqlite/page_claims.h"

namespace headrace {

struct PageFileOptions {
  std::vector<std::string> schema;  // statements, in their order
  uint32_t page_bytes = 4096;
  // Fields of the file header that belong to the user.
  int user_version = 0;
  int application_id = 0;
};

class PageFile {
 public:
  // `fd` is an empty file at `path`, and stays the caller's.
  static Result<std::unique_ptr<PageFile>> create(int fd, const std::string& path,
                                                  const PageFileOptions& options);

  uint32_t page_bytes() const { return page_bytes_; }
  uint64_t max_payload() const { return max_payload_; }
  int64_t bytes_written() const { return bytes_written_.load(std::memory_order_relaxed); }
  const std::string& path() const { return path_; }

  // Root page of a table or index, as sqlite_master names it.
  Result<uint32_t> root_of(const std::string& name) const;

  // Where the next section begins.
  uint64_t next_page() const { return next_page_; }
  void end_section(const PageClaims& claims) { next_page_ = claims.next_page(); }

  // Writes whole pages, the pages [index, ...) of `range`. Thread-safe.
  Status write(const PageRange& range, uint32_t index, const uint8_t* pages, size_t bytes);
  Status write_page(uint32_t number, const uint8_t* page);
  Status read_page(uint32_t number, uint8_t* page) const;

  // A b-tree of one leaf has it as its root. The leaf is the last page of the file, so it is cut
  // off where it was.
  Status move_only_leaf_to_root(uint32_t leaf, uint32_t root, PageClaims* claims);
  // Cuts off all pages from `first` on.
  Status truncate(uint64_t first);

  // After the last section: the file is one that SQLite opens.
  Status close_pages();
  Status sync();

 private:
  PageFile(int fd, std::string path, const PageFileOptions& options)
      : fd_(fd), path_(std::move(path)), page_bytes_(options.page_bytes), early_sync_(fd, path_) {}

  const int fd_;
  const std::string path_;
  const uint32_t page_bytes_;
  std::map<std::string, uint32_t> roots_;
  uint64_t max_payload_ = 0;
  uint64_t next_page_ = 0;
  std::atomic<int64_t> bytes_written_{0};
  std::mutex write_mutex_;
  EarlySync early_sync_;
};

}  // namespace headrace
