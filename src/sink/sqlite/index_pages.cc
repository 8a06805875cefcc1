#include "sink/sqlite/index_pages.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "sink/sqlite/page_format.h"

namespace headrace {

using namespace sqlite_page;

IndexPages::IndexPages(uint32_t page_bytes) : page_bytes_(page_bytes) { clear(); }

void IndexPages::clear() {
  pages_.clear();
  links_.clear();
  nodes_.clear();
  separators_.clear();
  cells_.clear();
  leaf_.clear();
  used_ = kLeafHeaderBytes;
}

void IndexPages::add(std::string_view record, bool is_last_leaf_entry) {
  const Cell cell = make_cell(record);
  const uint32_t bytes = cell.bytes + kCellPointerBytes;
  if (used_ + bytes > page_bytes_ && !is_last_leaf_entry) {
    finish_leaf();
    separate(cell);
    cells_.clear();
    return;
  }
  if (used_ + bytes > page_bytes_) {
    // A leaf of its own must follow, so the entry before goes up. A full page has four or more.
    const Cell up = leaf_.back();
    leaf_.pop_back();
    finish_leaf();
    separate(up);
  }
  leaf_.push_back(cell);
  used_ += bytes;
}

void IndexPages::end_with(std::string_view record) {
  finish_leaf();
  cells_.clear();
  separate(make_cell(record));
}

void IndexPages::end() { finish_leaf(); }

IndexPages::Cell IndexPages::make_cell(std::string_view record) {
  const uint32_t kept =
      local_payload_of(page_bytes_, record.size(), max_local_index_payload(page_bytes_));
  Cell cell;
  cell.begin = static_cast<uint32_t>(cells_.size());
  cell.has_chain = kept < record.size();
  uint8_t head[9];
  const uint8_t* head_end = sqlite_record::put_varint(head, record.size());
  cells_.append(head, static_cast<size_t>(head_end - head));
  cells_.append(record.data(), kept);
  if (cell.has_chain) {
    cell.chain_page = put_chain(record.substr(kept));
    std::memset(cells_.extend(kPageNumberBytes), 0, kPageNumberBytes);
  }
  cell.bytes = static_cast<uint32_t>(cells_.size()) - cell.begin;
  return cell;
}

// Lays out a chain; returns its first page.
uint32_t IndexPages::put_chain(std::string_view spilled) {
  const uint32_t first = page_count();
  const size_t room = page_bytes_ - kPageNumberBytes;
  while (!spilled.empty()) {
    const std::string_view piece = spilled.substr(0, room);
    spilled.remove_prefix(piece.size());
    uint8_t* page = pages_.extend(page_bytes_);
    if (spilled.empty()) {
      store_be32(page, 0);
    } else {
      links_.push_back({static_cast<size_t>(page - pages_.data()), page_count()});
    }
    std::memcpy(page + kPageNumberBytes, piece.data(), piece.size());
    std::memset(page + kPageNumberBytes + piece.size(), 0, room - piece.size());
  }
  return first;
}

// Lays out the cells of leaf_ as the next page.
void IndexPages::finish_leaf() {
  assert(!leaf_.empty());
  uint32_t content = 0;
  for (const Cell& cell : leaf_) content += cell.bytes;
  uint32_t at = page_bytes_ - content;
  const auto cells = static_cast<uint32_t>(leaf_.size());
  nodes_.push_back({page_count(), 0, 0, 0, false});
  uint8_t* page = pages_.extend(page_bytes_);
  put_page_header(page, kIndexLeaf, cells, at);
  uint8_t* pointer = page + kLeafHeaderBytes;
  const uint32_t pointers_end = kLeafHeaderBytes + kCellPointerBytes * cells;
  std::memset(page + pointers_end, 0, at - pointers_end);
  // They lie in cells_ as they do in the page.
  std::memcpy(page + at, cells_.data() + leaf_.front().begin, content);
  for (const Cell& cell : leaf_) {
    store_be16(pointer, static_cast<uint16_t>(at));
    pointer += kCellPointerBytes;
    at += cell.bytes;
    if (cell.has_chain) {
      const auto place = static_cast<size_t>(page - pages_.data()) + at - kPageNumberBytes;
      links_.push_back({place, cell.chain_page});
    }
  }
  leaf_.clear();
  used_ = kLeafHeaderBytes;
}

// Keeps a cell as what follows the last leaf.
void IndexPages::separate(const Cell& cell) {
  Node& node = nodes_.back();
  node.separator_begin = static_cast<uint32_t>(separators_.size());
  node.separator_bytes = cell.bytes;
  node.chain_page = cell.chain_page;
  node.has_chain = cell.has_chain;
  separators_.append(cells_.data() + cell.begin, cell.bytes);
}

void IndexPages::place(const PageRange& range) {
  set_links(links_, range, pages_.data());
  for (Node& node : nodes_) {
    node.page = range.number(node.page);
    if (!node.has_chain) continue;
    uint8_t* end = separators_.data() + node.separator_begin + node.separator_bytes;
    store_be32(end - kPageNumberBytes, range.number(node.chain_page));
  }
}

}  // namespace headrace
