#include "sink/sqlite/row_source.h"

#include <fmt/format.h>

#include <bit>
#include <new>

#include "encode/format/sqlite_record.h"
#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

int64_t read_integer(const uint8_t* body, uint32_t bytes) {
  // The first byte carries the sign.
  auto value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(body[0])));
  for (uint32_t i = 1; i < bytes; ++i) value = (value << 8) | body[i];
  return static_cast<int64_t>(value);
}

uint64_t value_bytes(uint64_t serial) {
  return serial < 12 ? sqlite_record::kSerialBytes[serial] : (serial - 12) / 2;
}

void give_value(sqlite3_context* to, uint64_t serial, const uint8_t* body) {
  // SQLite copies the bytes into its record before the next row is asked for.
  if (serial >= 12) {
    const uint64_t bytes = (serial - 12) / 2;
    if ((serial & 1) == 1) {
      sqlite3_result_text64(to, reinterpret_cast<const char*>(body), bytes, SQLITE_STATIC,
                            SQLITE_UTF8);
    } else {
      sqlite3_result_blob64(to, body, bytes, SQLITE_STATIC);
    }
    return;
  }
  switch (serial) {
    case 0:
      return sqlite3_result_null(to);
    case 7:
      return sqlite3_result_double(to, std::bit_cast<double>(load_be64(body)));
    case 8:
    case 9:
      return sqlite3_result_int64(to, static_cast<int64_t>(serial - 8));
    default:
      return sqlite3_result_int64(to, read_integer(body, sqlite_record::kSerialBytes[serial]));
  }
}

struct Table : sqlite3_vtab {
  RowSource* source;
};

struct Cursor : sqlite3_vtab_cursor {};

}  // namespace

// The functions that SQLite calls. There is one cursor at a time, so the source itself is its place.
struct RowSourceModule {
  static RowSource* source(sqlite3_vtab_cursor* cursor) {
    return static_cast<Table*>(cursor->pVtab)->source;
  }

  static int connect(sqlite3* db, void* context, int, const char* const*, sqlite3_vtab** out,
                     char**) {
    auto* of = static_cast<RowSource*>(context);
    const int rc =
        sqlite3_declare_vtab(db, fmt::format("CREATE TABLE x({})", of->column_list()).c_str());
    if (rc != SQLITE_OK) return rc;
    sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
    auto* table = new (std::nothrow) Table{};
    if (table == nullptr) return SQLITE_NOMEM;
    table->source = of;
    *out = table;
    return SQLITE_OK;
  }
  static int disconnect(sqlite3_vtab* table) {
    delete static_cast<Table*>(table);
    return SQLITE_OK;
  }
  static int best_index(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }
  static int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
    *out = new (std::nothrow) Cursor{};
    return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
  }
  static int close(sqlite3_vtab_cursor* cursor) {
    delete static_cast<Cursor*>(cursor);
    return SQLITE_OK;
  }
  static int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
    RowSource& rows = *source(cursor);
    rows.row_ = rows.first_;
    return rows.row_ >= rows.end_ || rows.decode() ? SQLITE_OK : SQLITE_CORRUPT;
  }
  static int next(sqlite3_vtab_cursor* cursor) {
    RowSource& rows = *source(cursor);
    ++rows.row_;
    return rows.row_ >= rows.end_ || rows.decode() ? SQLITE_OK : SQLITE_CORRUPT;
  }
  static int eof(sqlite3_vtab_cursor* cursor) {
    const RowSource& rows = *source(cursor);
    return rows.row_ >= rows.end_ ? 1 : 0;
  }
  static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* to, int index) {
    const RowSource::Value& value = source(cursor)->values_[static_cast<size_t>(index)];
    give_value(to, value.serial, value.body);
    return SQLITE_OK;
  }
  static int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
    *out = source(cursor)->rowid_;
    return SQLITE_OK;
  }
  static const sqlite3_module kModule;
};

// Without xCreate the table is there by its name alone, and no CREATE can put it into a file.
const sqlite3_module RowSourceModule::kModule = [] {
  sqlite3_module module{};
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xDestroy = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

Result<std::unique_ptr<RowSource>> RowSource::attach(Connection* db, int columns) {
  std::unique_ptr<RowSource> source(new RowSource(columns));
  const int rc =
      sqlite3_create_module_v2(db->get(), kTable, &RowSourceModule::kModule, source.get(), nullptr);
  if (rc != SQLITE_OK) return db->error(rc);
  return source;
}

void RowSource::set(const RowBlock* block, uint32_t first, uint32_t end) {
  block_ = block;
  first_ = row_ = first;
  end_ = end;
}

std::string RowSource::column_list() const {
  std::string list;
  for (int c = 0; c < columns_; ++c) list += fmt::format("{}c{}", c == 0 ? "" : ", ", c);
  return list;
}

bool RowSource::decode() {
  const uint8_t* cell = block_->bytes.data() + block_->row_starts[row_];
  const sqlite_page::CellHead head = sqlite_page::read_cell_head(cell);
  rowid_ = head.rowid;
  const uint8_t* record = cell + head.head_bytes;
  uint64_t header_bytes;
  const uint8_t* type = sqlite_record::get_varint(record, &header_bytes);
  const uint8_t* types_end = record + header_bytes;
  const uint8_t* body = types_end;
  for (Value& value : values_) {
    if (type >= types_end) return false;
    type = sqlite_record::get_varint(type, &value.serial);
    if (value.serial == 10 || value.serial == 11) return false;  // SQLite keeps these for itself
    value.body = body;
    body += value_bytes(value.serial);
  }
  return type == types_end;
}

}  // namespace headrace
