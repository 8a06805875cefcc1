#include "sink/sqlite/page_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sink/sqlite/key_merge.h"
#include "sink/sqlite/page_format.h"
#include "sink/sqlite/page_tree.h"
#include "sink/sqlite/page_writer.h"

namespace headrace {

using namespace sqlite_page;

namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;  // moves negative rowids before the others
constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kMergeBytes = 16 << 20;

// Whole cells out of leaf pages, their overflow chains read back.
class LeafReader {
 public:
  explicit LeafReader(const PageFile& file)
      : file_(file), page_(file.page_bytes()), chain_page_(file.page_bytes()) {}

  Status read(uint32_t leaf) { return file_.read_page(leaf, page_.data()); }
  uint32_t cells() const { return load_be16(&page_[3]); }

  Result<std::string_view> cell(uint32_t index) {
    const uint32_t usable = file_.page_bytes();
    const uint8_t* cell = &page_[load_be16(&page_[kLeafHeaderBytes + kCellPointerBytes * index])];
    const CellHead head = read_cell_head(cell);
    const uint32_t kept = head.head_bytes + local_payload(usable, head.payload_bytes);
    whole_.clear();
    whole_.append(cell, kept);
    uint64_t left = head.head_bytes + head.payload_bytes - kept;
    for (uint32_t next = left > 0 ? load_be32(cell + kept) : 0; left > 0;) {
      HEADRACE_TRY(file_.read_page(next, chain_page_.data()));
      const auto piece = std::min<uint64_t>(left, usable - kPageNumberBytes);
      whole_.append(&chain_page_[kPageNumberBytes], piece);
      next = load_be32(chain_page_.data());
      left -= piece;
    }
    return whole_.view();
  }

 private:
  const PageFile& file_;
  std::vector<uint8_t> page_;
  std::vector<uint8_t> chain_page_;
  Buffer whole_;
};

}  // namespace

void add_row_key(const uint8_t* cell, size_t bytes, int64_t row, KeyRun* run) {
  uint8_t* key = run->reserve(kRowKeyBytes + bytes);
  store_be64(key, static_cast<uint64_t>(read_cell_head(cell).rowid) ^ kSignBit);
  store_be64(key + 8, static_cast<uint64_t>(row));
  std::memcpy(key + kRowKeyBytes, cell, bytes);
  run->add(key + kRowKeyBytes + bytes);
}

PageTable::PageTable(PageFile* file, const Options& options)
    : file_(file),
      options_(options),
      first_page_(file->next_page()),
      runs_(options.spill, options.run_bytes) {
  claims_.emplace(file->page_bytes(), first_page_, options.writers, static_cast<ClaimOwner*>(this));
}

void PageTable::due(Claim* claim) {
  auto* block = static_cast<TableClaim*>(claim);
  const bool follows = leaves_.size() == 0 || block->first_rowid > leaves_.last().max_rowid;
  if (is_keyed() && block->rows > 0 && (!block->ascends || !follows)) sorting_ = true;
  block->placed = !sorting_;
  if (!block->placed) block->pages = 0;
}

Status PageTable::granted(const Claim& claim) {
  const auto& block = static_cast<const TableClaim&>(claim);
  row_count_ += static_cast<uint64_t>(block.rows);
  if (!block.placed) return {};
  placed_rows_ += block.rows;
  for (const Leaf& leaf : *block.leaves) {
    if (leaves_.append(block.range().number(leaf.page), leaf.max_rowid)) continue;
    return Error(
        ErrorCode::kInternal,
        fmt::format("rowid {} comes after rowid {}", leaf.max_rowid, leaves_.last().max_rowid));
  }
  return {};
}

Status PageTable::complete() {
  HEADRACE_TRY(claims_->finish());
  if (sorting_) HEADRACE_TRY(sort_rows());
  return write_interiors();
}

Status PageTable::write_interiors() {
  if (leaves_.size() == 1) {
    HEADRACE_TRY(file_->move_only_leaf_to_root(leaves_.last().page, options_.root, &*claims_));
  } else if (leaves_.size() > 1) {
    TreePages pages;
    pages.page_bytes = file_->page_bytes();
    pages.root = options_.root;
    pages.allocate = [this] { return claims_->allocate(); };
    pages.write = [this](uint32_t number, const uint8_t* page) {
      return file_->write_page(number, page);
    };
    HEADRACE_TRY(write_interior_pages(leaves_, pages));
  }
  file_->end_section(*claims_);
  return {};
}

Status PageTable::sort_rows() {
  HEADRACE_TRY(take_leaves_back());
  HEADRACE_TRY(file_->truncate(first_page_));
  leaves_ = ChildList();
  sorting_ = false;
  row_count_ = 0;
  claims_.emplace(file_->page_bytes(), first_page_, 1, static_cast<ClaimOwner*>(this));
  return write_sorted();
}

// The blocks before the first that did not ascend are the first rows of the load.
Status PageTable::take_leaves_back() {
  KeyRun run;
  LeafReader reader(*file_);
  int64_t row = 0;
  for (ChildList::Reader leaves(leaves_); leaves.left() > 0;) {
    HEADRACE_TRY(reader.read(leaves.next().page));
    for (uint32_t i = 0; i < reader.cells(); ++i) {
      HEADRACE_ASSIGN(const std::string_view cell, reader.cell(i));
      add_row_key(reinterpret_cast<const uint8_t*>(cell.data()), cell.size(), row++, &run);
    }
    if (runs_.is_full(run)) HEADRACE_TRY(runs_.spill(&run));
  }
  runs_.keep(std::move(run));
  return {};
}

Status PageTable::write_sorted() {
  PageWriter writer(this);
  KeyMerge rows(runs_, kMergeBytes);
  RowBlock block;
  block.last_in_batch = true;
  std::optional<std::pair<uint64_t, uint64_t>> last;  // rowid, row
  for (;;) {
    HEADRACE_ASSIGN(const uint8_t* key, rows.next());
    const size_t bytes = key == nullptr ? 0 : key_length(key) - kRowKeyBytes;
    if (key == nullptr || block.bytes.size() + bytes > kBlockBytes) {
      HEADRACE_TRY(writer.write(block));
      const int64_t batch = block.batch;
      block.clear();
      block.batch = batch + 1;
      block.last_in_batch = true;
    }
    if (key == nullptr) return writer.finish();
    const uint8_t* data = key_data(key);
    const std::pair row(load_be64(data), load_be64(data + 8));
    if (last && last->first == row.first) {
      return duplicate(static_cast<int64_t>(row.first ^ kSignBit),
                       static_cast<int64_t>(last->second), static_cast<int64_t>(row.second));
    }
    last = row;
    block.row_starts.push_back(static_cast<uint32_t>(block.bytes.size()));
    block.bytes.append(data + kRowKeyBytes, bytes);
    ++block.row_count;
  }
}

Error PageTable::duplicate(int64_t rowid, int64_t row, int64_t other) const {
  Error error(ErrorCode::kRejectedValue,
              fmt::format("primary key {} = {} is there twice: in {} and in {}", options_.key,
                          rowid, options_.origins->shown(row), options_.origins->shown(other)),
              "leave one of the rows out, or load without --primary-key");
  error.where = options_.origins->locate(other);
  error.where.column = options_.key;
  return error;
}

}  // namespace headrace
