// ShadowTable: a section of rows that headrace itself makes, one integer column being the rowid:
// the tables behind an R-tree. Rows come in ascending order. Belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "encode/row_block.h"
#include "headrace/result.h"
#include "sink/sqlite/page_file.h"
#include "sink/sqlite/page_table.h"
#include "sink/sqlite/page_writer.h"

namespace headrace {

class ShadowTable {
 public:
  // `root`: of a table whose second column is the only other one.
  ShadowTable(PageFile* file, uint32_t root);

  Status add(int64_t rowid, std::string_view blob);
  Status add(int64_t rowid, int64_t value);
  // The next row begins a page of its own.
  Status end_page();
  // Writes the section.
  Status finish();

 private:
  void add_cell(int64_t rowid, uint64_t serial, const uint8_t* body, size_t bytes);
  Status flush();

  PageTable table_;
  PageWriter writer_;
  RowBlock block_;
};

// A table leaf cell: NULL in the place of the rowid, then one value. Appends it.
void append_shadow_cell(int64_t rowid, uint64_t serial, const uint8_t* body, size_t bytes,
                        Buffer* out);

}  // namespace headrace
