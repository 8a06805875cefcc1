#include "sink/sqlite/page_format.h"

#include <gtest/gtest.h>

#include <string>

#include "sink/sqlite/child_list.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

using namespace sqlite_page;

TEST(PageFormat, PageSizes) {
  for (const int bytes : {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536}) {
    EXPECT_TRUE(is_page_size(bytes)) << bytes;
    uint8_t header[kFileHeaderBytes] = {};
    store_be16(header + kPageSizeAt, page_size_field(static_cast<uint32_t>(bytes)));
    EXPECT_EQ(page_size_of(header), static_cast<uint32_t>(bytes));
  }
  for (const int bytes : {0, -4096, 256, 1000, 131072}) EXPECT_FALSE(is_page_size(bytes)) << bytes;
}

TEST(PageFormat, LockBytePageHoldsByteOfOneGiB) {
  EXPECT_EQ(lock_byte_page(512), 2097153u);
  EXPECT_EQ(lock_byte_page(4096), 262145u);
  EXPECT_EQ(lock_byte_page(65536), 16385u);
}

// U = 4096: X = 4061, M = 489, a chain page takes 4092.
TEST(PageFormat, LocalPayload) {
  EXPECT_EQ(max_local_payload(4096), 4061u);
  EXPECT_EQ(min_local_payload(4096), 489u);
  EXPECT_EQ(local_payload(4096, 1), 1u);
  EXPECT_EQ(local_payload(4096, 4061), 4061u);
  EXPECT_EQ(local_payload(4096, 4062), 489u);   // K = 4062 > X
  EXPECT_EQ(local_payload(4096, 4580), 489u);   // K = 4580 > X
  EXPECT_EQ(local_payload(4096, 4581), 489u);   // K = 489
  EXPECT_EQ(local_payload(4096, 4582), 490u);   // K = 490
  EXPECT_EQ(local_payload(4096, 8153), 4061u);  // K = X
  EXPECT_EQ(local_payload(4096, 8154), 489u);   // K = X + 1
  EXPECT_EQ(max_local_payload(512), 477u);
  EXPECT_EQ(min_local_payload(512), 39u);
  EXPECT_EQ(min_local_payload(65536), 8199u);
}

TEST(PageFormat, OverflowPages) {
  EXPECT_EQ(overflow_pages(4096, 4061), 0u);
  EXPECT_EQ(overflow_pages(4096, 4062), 1u);
  EXPECT_EQ(overflow_pages(4096, 4581), 1u);
  EXPECT_EQ(overflow_pages(4096, 8153), 1u);
  EXPECT_EQ(overflow_pages(4096, 8154), 2u);
  EXPECT_EQ(overflow_pages(512, 1'000'000'000), 1'968'503u);  // K = 476
}

TEST(PageFormat, CellHead) {
  const std::string cell = sqlite_test::make_cell(1234567, {std::string(300, 'x')});
  const CellHead head = read_cell_head(reinterpret_cast<const uint8_t*>(cell.data()));
  EXPECT_EQ(head.rowid, 1234567);
  EXPECT_EQ(head.payload_bytes, 303u);  // header length, 2 bytes of serial type, text
  EXPECT_EQ(head.head_bytes, 2u + 3u);
}

TEST(PageFormat, SmallestCellHasFourBytes) {
  EXPECT_EQ(sqlite_test::make_cell(1, {sqlite_test::kNull}).size(), 4u);
}

TEST(PageFormat, InteriorCell) {
  uint8_t bytes[16] = {};
  const uint8_t* end = put_interior_cell(bytes, 0x01020304, 300);
  EXPECT_EQ(end - bytes, 6);
  EXPECT_EQ(interior_cell_bytes(300), 6u);
  const uint8_t expected[] = {1, 2, 3, 4, 0x82, 0x2C};
  EXPECT_TRUE(std::equal(expected, expected + 6, bytes));
  EXPECT_EQ(interior_cell_bytes(127), 5u);
  EXPECT_EQ(interior_cell_bytes(INT64_MAX), 13u);
}

TEST(PageFormat, ContentStartOf65536IsZero) {
  uint8_t page[8];
  put_page_header(page, kTableLeaf, 0, 65536);
  const uint8_t expected[] = {13, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(std::equal(expected, expected + 8, page));
}

TEST(ChildList, KeepsPagesAndRowids) {
  ChildList list;
  EXPECT_TRUE(list.append(3, 10));
  EXPECT_TRUE(list.append(4, 20));
  EXPECT_TRUE(list.append(70000, int64_t{1} << 60));
  ChildList::Reader reader(list);
  EXPECT_EQ(reader.left(), 3u);
  EXPECT_EQ(reader.next().page, 3u);
  EXPECT_EQ(reader.next().max_rowid, 20);
  const Child last = reader.next();
  EXPECT_EQ(last.page, 70000u);
  EXPECT_EQ(last.max_rowid, int64_t{1} << 60);
  EXPECT_EQ(reader.left(), 0u);
}

TEST(ChildList, RefusesWhatDoesNotAscend) {
  ChildList list;
  EXPECT_TRUE(list.append(3, 10));
  EXPECT_FALSE(list.append(4, 10));
  EXPECT_FALSE(list.append(3, 11));
  EXPECT_EQ(list.size(), 1u);
}

}  // namespace
}  // namespace headrace
