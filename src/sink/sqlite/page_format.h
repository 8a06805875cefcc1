// Pages of a SQLite file: the parts that a table b-tree is made of.
// Source: SQLite documentation, "Database File Format", sections 1.3, 1.4, 1.6 and 1.7.
// Integers are big-endian. Page numbers count from 1; page 1 begins with the file header.
//
// File header, the fields that a page writer reads or sets:
//   OFFSET  SIZE  DESCRIPTION
//   0       16    "SQLite format 3" and a NUL
//   16      2     page size; 1 stands for 65536
//   18      1     write version: 1 rollback journal, 2 WAL
//   19      1     read version: likewise
//   20      1     bytes reserved at the end of each page
//   24      4     change counter
//   28      4     page count; holds only while 24 equals 92
//   36      4     number of free pages
//   44      4     schema format
//   56      4     text encoding: 1 is UTF-8
//   92      4     change counter when 28 was written
//
// Page header of a table b-tree:
//   OFFSET  SIZE  DESCRIPTION
//   0       1     13 leaf, 5 interior
//   1       2     first free block, 0: none
//   3       2     number of cells
//   5       2     where the cell content begins; 0 stands for 65536
//   7       1     free bytes in fragments
//   8       4     interior only: rightmost child
//   then          2 bytes a cell: its offset in the page, in key order
//
// Leaf page as laid out here; the gap is zeroed:
//   | header 8 | pointers 2 x n | gap | cell 0 | cell 1 | ... | cell n-1 |
//
// Table leaf cell:
//   varint payload bytes | varint rowid | payload kept in the page | page number of the chain, 4
//                                                                    (only if the payload spills)
// Table interior cell: its child holds the rowids up to this one:
//   page number of the child, 4 | varint rowid
//
// Overflow page:
//   OFFSET  SIZE  DESCRIPTION
//   0       4     next page of the chain, 0: last
//   4       rest  payload
//
// Index b-trees: type 10 leaf, 2 interior; their cells have no rowid, the record ends with it, and
// interior cells hold entries of their own, not copies:
//   leaf      varint payload bytes | payload kept in the page | page number of the chain, 4
//   interior  page number of the child, 4 | the same
//
// U is the page size less the reserved bytes (none here). A payload of P bytes spills when
// P > X = U - 35, in an index X = ((U - 12) * 64 / 255) - 23. With M = ((U - 12) * 32 / 255) - 23
// and K = M + (P - M) % (U - 4), the page keeps K bytes if K <= X, otherwise M.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/endian.h"
#include "encode/format/sqlite_record.h"

namespace headrace::sqlite_page {

inline constexpr std::string_view kFileMagic{"SQLite format 3\0", 16};
inline constexpr uint32_t kFileHeaderBytes = 100;
inline constexpr uint32_t kPageSizeAt = 16;
inline constexpr uint32_t kWriteVersionAt = 18;
inline constexpr uint32_t kReadVersionAt = 19;
inline constexpr uint32_t kReservedBytesAt = 20;
inline constexpr uint32_t kChangeCounterAt = 24;
inline constexpr uint32_t kPageCountAt = 28;
inline constexpr uint32_t kFreePagesAt = 36;
inline constexpr uint32_t kSchemaFormatAt = 44;
inline constexpr uint32_t kTextEncodingAt = 56;
inline constexpr uint32_t kVersionValidForAt = 92;

inline constexpr uint8_t kTableLeaf = 13;
inline constexpr uint8_t kTableInterior = 5;
inline constexpr uint8_t kIndexLeaf = 10;
inline constexpr uint8_t kIndexInterior = 2;
inline constexpr uint32_t kLeafHeaderBytes = 8;
inline constexpr uint32_t kInteriorHeaderBytes = 12;
inline constexpr uint32_t kCellPointerBytes = 2;
inline constexpr uint32_t kPageNumberBytes = 4;

// Page numbers end here.
inline constexpr uint64_t kMaxPageNumber = 0xFFFFFFFE;
// File locks are taken on bytes from here on; the page that holds this byte is never used.
inline constexpr uint64_t kLockByte = 1ULL << 30;

constexpr bool is_page_size(int64_t bytes) {
  return bytes >= 512 && bytes <= 65536 && (bytes & (bytes - 1)) == 0;
}

constexpr uint32_t lock_byte_page(uint32_t page_bytes) {
  return static_cast<uint32_t>(kLockByte / page_bytes) + 1;
}

// X: the largest payload that does not spill.
constexpr uint32_t max_local_payload(uint32_t usable) { return usable - 35; }

constexpr uint32_t max_local_index_payload(uint32_t usable) {
  return (usable - 12) * 64 / 255 - 23;
}

// M: the least that a page keeps of a payload that spills.
constexpr uint32_t min_local_payload(uint32_t usable) { return (usable - 12) * 32 / 255 - 23; }

// Bytes of a payload that its page keeps, when it may keep up to `most`.
constexpr uint32_t local_payload_of(uint32_t usable, uint64_t payload, uint32_t most) {
  if (payload <= most) return static_cast<uint32_t>(payload);
  const uint32_t least = min_local_payload(usable);
  const auto kept = static_cast<uint32_t>(least + (payload - least) % (usable - 4));
  return kept <= most ? kept : least;
}

constexpr uint32_t local_payload(uint32_t usable, uint64_t payload) {
  return local_payload_of(usable, payload, max_local_payload(usable));
}

// Pages of the overflow chain of a payload; 0 when it does not spill.
constexpr uint64_t overflow_pages(uint32_t usable, uint64_t payload) {
  const uint64_t spilled = payload - local_payload(usable, payload);
  const uint32_t room = usable - kPageNumberBytes;
  return (spilled + room - 1) / room;
}

// What stands before the payload of a leaf cell.
struct CellHead {
  uint64_t payload_bytes = 0;
  int64_t rowid = 0;
  uint32_t head_bytes = 0;
};

// REQUIRES: a whole leaf cell is at `cell`.
inline CellHead read_cell_head(const uint8_t* cell) {
  CellHead head;
  uint64_t rowid;
  const uint8_t* at = sqlite_record::get_varint(cell, &head.payload_bytes);
  at = sqlite_record::get_varint(at, &rowid);
  head.rowid = static_cast<int64_t>(rowid);
  head.head_bytes = static_cast<uint32_t>(at - cell);
  return head;
}

constexpr uint32_t interior_cell_bytes(int64_t rowid) {
  return kPageNumberBytes + sqlite_record::varint_bytes(static_cast<uint64_t>(rowid));
}

// Writes an interior cell; returns its end.
inline uint8_t* put_interior_cell(uint8_t* out, uint32_t child, int64_t rowid) {
  store_be32(out, child);
  return sqlite_record::put_varint(out + kPageNumberBytes, static_cast<uint64_t>(rowid));
}

// Writes the 8 bytes that leaf and interior pages share.
inline void put_page_header(uint8_t* page, uint8_t type, uint32_t cells, uint32_t content_at) {
  page[0] = type;
  store_be16(page + 1, 0);
  store_be16(page + 3, static_cast<uint16_t>(cells));
  store_be16(page + 5, static_cast<uint16_t>(content_at));  // 65536 becomes 0
  page[7] = 0;
}

constexpr uint16_t page_size_field(uint32_t page_bytes) {
  return page_bytes == 65536 ? 1 : static_cast<uint16_t>(page_bytes);
}

// Page size of a file by its header; 0 when the field is not valid.
inline uint32_t page_size_of(const uint8_t* header) {
  const uint32_t field = load_be16(header + kPageSizeAt);
  const uint32_t bytes = field == 1 ? 65536 : field;
  return is_page_size(bytes) ? bytes : 0;
}

}  // namespace headrace::sqlite_page
