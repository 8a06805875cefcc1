#include "sink/sqlite/tree_walk.h"

#include <fmt/format.h>

#include "base/endian.h"
#include "encode/format/sqlite_record.h"
#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

constexpr uint8_t kIndexInterior = 2;
constexpr uint8_t kIndexLeaf = 10;
constexpr uint32_t kFreeBlockHeader = 4;

Error damaged(Connection& db, int64_t page) {
  return Error(ErrorCode::kServer, fmt::format("page {} of {} is damaged", page, db.path()),
               "look at the file with PRAGMA integrity_check");
}

class Walk {
 public:
  Walk(Connection& db, uint32_t page_bytes, uint32_t reserved_bytes, int64_t page_count)
      : db_(db),
        page_bytes_(page_bytes),
        usable_(page_bytes - reserved_bytes),
        page_count_(page_count),
        page_(page_bytes) {}

  Result<TreePagesFound> run(int64_t root) {
    std::vector<int64_t> to_visit = {root};
    int64_t visited = 0;
    while (!to_visit.empty()) {
      const int64_t number = to_visit.back();
      to_visit.pop_back();
      // More pages than the file has: a page is its own descendant.
      if (number < 1 || number > page_count_ || ++visited > page_count_) return damaged(db_, number);
      HEADRACE_TRY(read(number));
      if (!look_at_page(number == 1 ? sqlite_page::kFileHeaderBytes : 0, &to_visit)) {
        return damaged(db_, number);
      }
    }
    return found_;
  }

 private:
  Status read(int64_t number) {
    sqlite3_file* file = nullptr;
    int rc = sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK && file != nullptr && file->pMethods != nullptr) {
      rc = file->pMethods->xRead(file, page_.data(), static_cast<int>(page_bytes_),
                                 (number - 1) * static_cast<int64_t>(page_bytes_));
    }
    if (rc != SQLITE_OK) return db_.error(rc);
    return {};
  }

  bool look_at_page(uint32_t at, std::vector<int64_t>* to_visit) {
    const uint8_t* header = page_.data() + at;
    const uint8_t type = header[0];
    const bool leaf = type == sqlite_page::kTableLeaf || type == kIndexLeaf;
    const bool interior = type == sqlite_page::kTableInterior || type == kIndexInterior;
    if (!leaf && !interior) return false;
    const uint32_t header_bytes =
        leaf ? sqlite_page::kLeafHeaderBytes : sqlite_page::kInteriorHeaderBytes;
    const uint32_t cells = load_be16(header + 3);
    const uint32_t pointers_end = at + header_bytes + cells * sqlite_page::kCellPointerBytes;
    uint32_t content = load_be16(header + 5);
    if (content == 0) content = 65536;
    if (pointers_end > content || content > usable_) return false;
    const int64_t free_blocks = sum_free_blocks(load_be16(header + 1));
    if (free_blocks < 0) return false;
    found_.used_bytes += usable_ - (content - pointers_end) - free_blocks - header[7];
    (leaf ? found_.leaf_pages : found_.interior_pages) += 1;
    if (interior) to_visit->push_back(load_be32(header + 8));
    for (uint32_t i = 0; i < cells; ++i) {
      const uint32_t cell = load_be16(header + header_bytes + i * sqlite_page::kCellPointerBytes);
      if (cell < pointers_end || cell + 4 > usable_) return false;
      look_at_cell(type, page_.data() + cell, to_visit);
    }
    return true;
  }

  void look_at_cell(uint8_t type, const uint8_t* cell, std::vector<int64_t>* to_visit) {
    if (type == sqlite_page::kTableInterior || type == kIndexInterior) {
      to_visit->push_back(load_be32(cell));
      cell += sqlite_page::kPageNumberBytes;
    }
    if (type == sqlite_page::kTableInterior) return;  // a key, which a leaf has too
    ++found_.entries;
    uint64_t payload;
    sqlite_record::get_varint(cell, &payload);
    found_.overflow_pages += static_cast<int64_t>(
        type == sqlite_page::kTableLeaf ? sqlite_page::overflow_pages(usable_, payload)
                                        : index_overflow_pages(payload));
  }

  // As in a table leaf, but for X, the largest payload that does not spill.
  uint64_t index_overflow_pages(uint64_t payload) const {
    const uint32_t most = (usable_ - 12) * 64 / 255 - 23;
    if (payload <= most) return 0;
    const uint32_t least = sqlite_page::min_local_payload(usable_);
    const uint32_t room = usable_ - sqlite_page::kPageNumberBytes;
    const uint64_t kept = least + (payload - least) % room;
    const uint64_t spilled = payload - (kept <= most ? kept : least);
    return (spilled + room - 1) / room;
  }

  // -1 when the chain leaves the page or runs backwards.
  int64_t sum_free_blocks(uint32_t at) const {
    int64_t sum = 0;
    for (uint32_t next; at != 0; at = next) {
      if (at + kFreeBlockHeader > usable_) return -1;
      next = load_be16(page_.data() + at);
      sum += load_be16(page_.data() + at + 2);
      if (next != 0 && next <= at) return -1;
    }
    return sum;
  }

  Connection& db_;
  const uint32_t page_bytes_;
  const uint32_t usable_;
  const int64_t page_count_;
  std::vector<uint8_t> page_;
  TreePagesFound found_;
};

}  // namespace

Result<TreePagesFound> walk_tree(Connection& db, int64_t root, uint32_t page_bytes,
                                 uint32_t reserved_bytes, int64_t page_count) {
  return Walk(db, page_bytes, reserved_bytes, page_count).run(root);
}

}  // namespace headrace
