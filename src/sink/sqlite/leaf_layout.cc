#include "sink/sqlite/leaf_layout.h"

#include <fmt/format.h>

#include <cassert>
#include <cstring>

#include "sink/sqlite/page_format.h"

namespace headrace {

using namespace sqlite_page;

namespace {

uint32_t end_of_row(const RowBlock& block, uint32_t row) {
  return row + 1 < block.row_starts.size() ? block.row_starts[row + 1]
                                           : static_cast<uint32_t>(block.bytes.size());
}

// Bytes that a cell takes in its leaf when its payload spills.
uint32_t spilled_cell_bytes(uint32_t usable, const CellHead& head) {
  return head.head_bytes + local_payload(usable, head.payload_bytes) + kPageNumberBytes;
}

Error row_too_large(const RowBlock& block, uint32_t row, uint64_t bytes, uint64_t limit) {
  Error error(ErrorCode::kRejectedValue,
              fmt::format("the row needs {} bytes; SQLite takes at most {} a row", bytes, limit));
  error.where.partition = block.partition;
  error.where.row = block.partition_row + row + 1;
  return error;
}

}  // namespace

Status LeafLayout::plan(const RowBlock& block) {
  assert(block.bytes.size() <= UINT32_MAX);
  leaves_.clear();
  page_count_ = 0;
  const auto rows = static_cast<uint32_t>(block.row_starts.size());
  const uint32_t most_local = max_local_payload(page_bytes_);
  for (uint32_t row = 0; row < rows;) {
    Leaf leaf;
    leaf.first_row = row;
    uint32_t used = kLeafHeaderBytes;
    uint64_t chain_pages = 0;
    uint32_t start = block.row_starts[row];
    while (row < rows) {
      const uint32_t end = end_of_row(block, row);
      uint32_t bytes = end - start;
      uint64_t chain = 0;
      // A cell is longer than its payload: one of at most X bytes never spills.
      if (bytes > most_local) [[unlikely]] {
        const CellHead head = read_cell_head(block.bytes.data() + start);
        if (head.payload_bytes > max_payload_) {
          return row_too_large(block, row, head.payload_bytes, max_payload_);
        }
        chain = overflow_pages(page_bytes_, head.payload_bytes);
        if (chain > 0) bytes = spilled_cell_bytes(page_bytes_, head);
      }
      if (used + bytes + kCellPointerBytes > page_bytes_) break;
      used += bytes + kCellPointerBytes;
      leaf.content_bytes += bytes;
      chain_pages += chain;
      start = end;
      ++row;
    }
    assert(row > leaf.first_row);
    leaf.end_row = row;
    leaf.chain_pages = static_cast<uint32_t>(chain_pages);
    leaf.page = static_cast<uint32_t>(page_count_ + chain_pages);
    leaf.max_rowid = read_cell_head(block.bytes.data() + block.row_starts[row - 1]).rowid;
    page_count_ += chain_pages + 1;
    leaves_.push_back(leaf);
  }
  return {};
}

uint32_t PageComposer::cell_bytes(uint32_t row) const {
  return end_of_row(block_, row) - block_.row_starts[row];
}

void PageComposer::compose(Buffer* out, size_t limit) {
  while (!done() && out->size() < limit) {
    const Leaf& leaf = layout_.leaves()[leaf_];
    if (next_page_ < leaf.page) {
      lay_chain(out, limit);
    } else {
      lay_leaf(leaf, out);
      row_ = leaf.end_row;
      ++leaf_;
      ++next_page_;
    }
  }
}

void PageComposer::lay_leaf(const Leaf& leaf, Buffer* out) {
  const uint32_t page_bytes = layout_.page_bytes();
  const uint32_t rows = leaf.end_row - leaf.first_row;
  const uint32_t content_at = page_bytes - leaf.content_bytes;
  const uint32_t pointers_end = kLeafHeaderBytes + kCellPointerBytes * rows;
  uint8_t* page = out->extend(page_bytes);
  put_page_header(page, kTableLeaf, rows, content_at);
  std::memset(page + pointers_end, 0, content_at - pointers_end);
  if (leaf.chain_pages > 0) {
    lay_spilling_cells(leaf, page, content_at, out);
    return;
  }
  const uint32_t* starts = block_.row_starts.data() + leaf.first_row;
  const uint32_t shift = content_at - starts[0];
  uint8_t* pointer = page + kLeafHeaderBytes;
  for (uint32_t i = 0; i < rows; ++i, pointer += kCellPointerBytes) {
    store_be16(pointer, static_cast<uint16_t>(starts[i] + shift));
  }
  std::memcpy(page + content_at, block_.bytes.data() + starts[0], leaf.content_bytes);
}

void PageComposer::lay_spilling_cells(const Leaf& leaf, uint8_t* page, uint32_t content_at,
                                      Buffer* out) {
  const uint32_t page_bytes = layout_.page_bytes();
  uint32_t chain_page = leaf.page - leaf.chain_pages;
  uint8_t* pointer = page + kLeafHeaderBytes;
  for (uint32_t row = leaf.first_row; row < leaf.end_row; ++row, pointer += kCellPointerBytes) {
    store_be16(pointer, static_cast<uint16_t>(content_at));
    const CellHead head = read_cell_head(cell(row));
    const uint64_t chain = overflow_pages(page_bytes, head.payload_bytes);
    const uint32_t bytes = chain == 0 ? cell_bytes(row) : spilled_cell_bytes(page_bytes, head);
    if (chain == 0) {
      std::memcpy(page + content_at, cell(row), bytes);
    } else {
      std::memcpy(page + content_at, cell(row), bytes - kPageNumberBytes);
      put_link(page + content_at + bytes - kPageNumberBytes, chain_page, *out);
      chain_page += static_cast<uint32_t>(chain);
    }
    content_at += bytes;
  }
}

// Lays the chain of row_, or of the next row that has one, as far as `limit` lets it.
void PageComposer::lay_chain(Buffer* out, size_t limit) {
  const uint32_t page_bytes = layout_.page_bytes();
  const uint32_t room = page_bytes - kPageNumberBytes;
  CellHead head = read_cell_head(cell(row_));
  while (overflow_pages(page_bytes, head.payload_bytes) == 0) {
    ++row_;
    head = read_cell_head(cell(row_));
  }
  const uint32_t kept = local_payload(page_bytes, head.payload_bytes);
  const uint8_t* spilled = cell(row_) + head.head_bytes + kept;
  const uint64_t total = head.payload_bytes - kept;
  while (chain_done_ < total && out->size() < limit) {
    const uint64_t left = total - chain_done_;
    const auto bytes = static_cast<uint32_t>(left < room ? left : room);
    uint8_t* page = out->extend(page_bytes);
    ++next_page_;
    if (left > room) {
      put_link(page, next_page_, *out);
    } else {
      store_be32(page, 0);
    }
    std::memcpy(page + kPageNumberBytes, spilled + chain_done_, bytes);
    std::memset(page + kPageNumberBytes + bytes, 0, room - bytes);
    chain_done_ += bytes;
  }
  if (chain_done_ == total) {
    chain_done_ = 0;
    ++row_;
  }
}

void PageComposer::put_link(uint8_t* at, uint32_t page, const Buffer& out) {
  if (range_.first == 0) {
    links_.push_back({static_cast<size_t>(at - out.data()), page});
  } else {
    store_be32(at, range_.number(page));
  }
}

void set_links(const std::vector<PageComposer::Link>& links, const PageRange& range,
               uint8_t* bytes) {
  for (const PageComposer::Link& link : links) {
    store_be32(bytes + link.at, range.number(link.page));
  }
}

}  // namespace headrace
