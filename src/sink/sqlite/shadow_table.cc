#include "sink/sqlite/shadow_table.h"

#include <utility>

#include "encode/format/sqlite_record.h"

namespace headrace {
namespace {

constexpr size_t kBlockBytes = 256 << 10;

PageTable::Options options_of(uint32_t root) {
  PageTable::Options options;
  options.root = root;
  return options;
}

}  // namespace

void append_shadow_cell(int64_t rowid, uint64_t serial, const uint8_t* body, size_t bytes,
                        Buffer* out) {
  using namespace sqlite_record;
  const uint32_t header = 2 + varint_bytes(serial);
  out->reserve_more(32 + bytes);
  uint8_t* at = out->data() + out->size();
  at = put_varint(at, header + bytes);
  at = put_varint(at, static_cast<uint64_t>(rowid));
  *at++ = static_cast<uint8_t>(header);
  *at++ = kSerialNull;
  at = put_varint(at, serial);
  if (bytes > 0) std::memcpy(at, body, bytes);
  out->set_size(static_cast<size_t>(at + bytes - out->data()));
}

ShadowTable::ShadowTable(PageFile* file, uint32_t root)
    : table_(file, options_of(root)), writer_(&table_) {
  block_.last_in_batch = true;
}

Status ShadowTable::add(int64_t rowid, std::string_view blob) {
  add_cell(rowid, 12 + 2 * blob.size(), reinterpret_cast<const uint8_t*>(blob.data()), blob.size());
  return block_.bytes.size() < kBlockBytes ? Status() : flush();
}

Status ShadowTable::add(int64_t rowid, int64_t value) {
  uint8_t body[8];
  const uint32_t serial = sqlite_record::serial_of_integer(value);
  const uint8_t* end = sqlite_record::put_integer(body, value, serial);
  add_cell(rowid, serial, body, static_cast<size_t>(end - body));
  return block_.bytes.size() < kBlockBytes ? Status() : flush();
}

void ShadowTable::add_cell(int64_t rowid, uint64_t serial, const uint8_t* body, size_t bytes) {
  block_.row_starts.push_back(static_cast<uint32_t>(block_.bytes.size()));
  append_shadow_cell(rowid, serial, body, bytes, &block_.bytes);
  ++block_.row_count;
}

Status ShadowTable::end_page() { return flush(); }

Status ShadowTable::flush() {
  HEADRACE_TRY(writer_.write(block_));
  const int64_t batch = block_.batch;
  block_.clear();
  block_.batch = batch + 1;
  block_.last_in_batch = true;
  return {};
}

Status ShadowTable::finish() {
  HEADRACE_TRY(flush());
  HEADRACE_TRY(writer_.finish());
  return table_.complete();
}

}  // namespace headrace
