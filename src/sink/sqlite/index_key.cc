#include "sink/sqlite/index_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/endian.h"
#include "encode/format/sqlite_header.h"
#include "encode/format/sqlite_record.h"
#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

constexpr uint8_t kNull = 0x05;
constexpr uint8_t kNegativeZero = 0x20;
constexpr uint8_t kZero = 0x21;
constexpr uint8_t kBeyondPositive = 0x2A;
constexpr uint8_t kBeyondNegative = 0x17;
constexpr uint8_t kText = 0x40;
constexpr uint8_t kBlob = 0x50;
constexpr uint8_t kFraction = 0xFF;
constexpr double kTwoTo64 = 18446744073709551616.0;
// Tag, magnitude, fraction.
constexpr size_t kMaxNumberBytes = 1 + 8 + 9;
constexpr size_t kRowNumberBytes = 8;

uint64_t value_bytes(uint64_t serial) {
  return serial < 12 ? sqlite_record::kSerialBytes[serial] : (serial - 12) / 2;
}

int64_t read_integer(const uint8_t* body, uint64_t serial) {
  if (serial >= 8) return static_cast<int64_t>(serial - 8);
  auto value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(body[0])));
  for (uint32_t i = 1; i < sqlite_record::kSerialBytes[serial]; ++i) value = (value << 8) | body[i];
  return static_cast<int64_t>(value);
}

// `flip`: all ones for a negative number.
uint8_t* put_magnitude(bool negative, uint64_t magnitude, uint8_t* out) {
  const int bytes = (71 - std::countl_zero(magnitude)) / 8;
  *out++ = static_cast<uint8_t>(negative ? kNegativeZero - bytes : kZero + bytes);
  const uint64_t flip = negative ? ~uint64_t{0} : 0;
  store_be64(out, (magnitude ^ flip) << ((64 - 8 * bytes) & 63));
  return out + bytes;
}

uint8_t* put_word(uint64_t word, bool negative, uint8_t* out) {
  store_be64(out, negative ? ~word : word);
  return out + 8;
}

uint8_t* put_real(double value, uint8_t* out) {
  const bool negative = value < 0;
  const double size = std::fabs(value);
  if (!(size < kTwoTo64)) {
    *out++ = negative ? kBeyondNegative : kBeyondPositive;
    return put_word(std::bit_cast<uint64_t>(size), negative, out);
  }
  const double whole = std::trunc(size);
  const double fraction = size - whole;  // exact
  const auto magnitude = static_cast<uint64_t>(whole);
  if (fraction == 0 && magnitude == 0) {
    *out = kZero;
    return out + 1;
  }
  out = put_magnitude(negative, magnitude, out);
  if (fraction == 0) return out;
  *out++ = negative ? static_cast<uint8_t>(~kFraction) : kFraction;
  return put_word(std::bit_cast<uint64_t>(fraction), negative, out);
}

// The bytes with 00 as 00 FF, and the end.
uint8_t* put_escaped(const uint8_t* bytes, size_t count, uint8_t* out) {
  const uint8_t* const end = bytes + count;
  while (bytes < end) {
    const auto left = static_cast<size_t>(end - bytes);
    const auto* zero = static_cast<const uint8_t*>(std::memchr(bytes, 0, left));
    const size_t plain = zero == nullptr ? left : static_cast<size_t>(zero - bytes) + 1;
    std::memcpy(out, bytes, plain);
    out += plain;
    bytes += plain;
    if (zero != nullptr) *out++ = 0xFF;
  }
  out[0] = 0;
  out[1] = 1;
  return out + 2;
}

// A value as it stands in a key.
struct KeyValue {
  enum Kind { kIsNull, kInteger, kReal, kIsText, kIsBlob } kind = kIsNull;
  int64_t integer = 0;
  double real = 0;
};

const uint8_t* read_number(const uint8_t* at, const uint8_t* end, KeyValue* value) {
  const uint8_t tag = *at++;
  const bool negative = tag <= kNegativeZero;
  const uint64_t flip = negative ? ~uint64_t{0} : 0;
  value->kind = KeyValue::kReal;
  if (tag == kBeyondPositive || tag == kBeyondNegative) {
    const double size = std::bit_cast<double>(load_be64(at) ^ flip);
    value->real = negative ? -size : size;
    return at + 8;
  }
  const int bytes = negative ? kNegativeZero - tag : tag - kZero;
  uint64_t magnitude = 0;
  for (int i = 0; i < bytes; ++i) {
    magnitude = (magnitude << 8) | static_cast<uint8_t>(*at++ ^ static_cast<uint8_t>(flip));
  }
  const uint8_t fraction_tag = negative ? static_cast<uint8_t>(~kFraction) : kFraction;
  if (at < end && *at == fraction_tag) {
    const double size =
        static_cast<double>(magnitude) + std::bit_cast<double>(load_be64(at + 1) ^ flip);
    value->real = negative ? -size : size;
    return at + 9;
  }
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (magnitude < kLimit || (negative && magnitude == kLimit)) {
    value->kind = KeyValue::kInteger;
    value->integer = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
    return at;
  }
  value->real = static_cast<double>(magnitude) * (negative ? -1 : 1);
  return at;
}

// Appends the unescaped bytes.
const uint8_t* read_escaped(const uint8_t* at, const uint8_t* end, Buffer* out) {
  for (;;) {
    const auto* zero =
        static_cast<const uint8_t*>(std::memchr(at, 0, static_cast<size_t>(end - at)));
    const bool more = zero[1] == 0xFF;
    out->append(at, static_cast<size_t>(zero - at) + (more ? 1 : 0));
    at = zero + 2;
    if (!more) return at;
  }
}

// Reads one value; the bytes of texts and blobs are appended to `bytes`.
const uint8_t* read_value(const uint8_t* at, const uint8_t* end, KeyValue* value, Buffer* bytes) {
  switch (*at) {
    case kNull:
      value->kind = KeyValue::kIsNull;
      return at + 1;
    case kText:
    case kBlob:
      value->kind = *at == kText ? KeyValue::kIsText : KeyValue::kIsBlob;
      return read_escaped(at + 1, end, bytes);
    default:
      return read_number(at, end, value);
  }
}

// Puts a number's body; returns its serial type.
uint64_t put_number(const KeyValue& value, Buffer* body) {
  uint8_t* at = body->extend(8);
  if (value.kind == KeyValue::kReal) {
    sqlite_record::put_real(at, value.real);
    return sqlite_record::kSerialReal;
  }
  const uint32_t serial = sqlite_record::serial_of_integer(value.integer);
  const uint8_t* end = sqlite_record::put_integer(at, value.integer, serial);
  body->set_size(static_cast<size_t>(end - body->data()));
  return serial;
}

}  // namespace

uint8_t* put_key_integer(int64_t value, uint8_t* out) {
  const bool negative = value < 0;
  const auto bits = static_cast<uint64_t>(value);
  return put_magnitude(negative, negative ? 0 - bits : bits, out);
}

uint8_t* put_key_value(uint64_t serial, const uint8_t* body, uint8_t* out) {
  if (serial >= 12) {
    *out++ = (serial & 1) != 0 ? kText : kBlob;
    return put_escaped(body, value_bytes(serial), out);
  }
  if (serial == sqlite_record::kSerialNull) {
    *out = kNull;
    return out + 1;
  }
  if (serial == sqlite_record::kSerialReal) {
    return put_real(std::bit_cast<double>(load_be64(body)), out);
  }
  return put_key_integer(read_integer(body, serial), out);
}

IndexKeyMaker::IndexKeyMaker(std::vector<int> columns, bool with_row_number)
    : columns_(std::move(columns)), with_row_number_(with_row_number) {
  for (const int column : columns_) last_column_ = std::max(last_column_, column);
  values_.resize(static_cast<size_t>(last_column_ + 1));
  // A store of a number writes up to 8 bytes over.
  fixed_bytes_ = (columns_.size() + 2) * kMaxNumberBytes + kRowNumberBytes;
}

size_t IndexKeyMaker::read_values(const uint8_t* cell, int64_t* rowid) {
  const sqlite_page::CellHead head = sqlite_page::read_cell_head(cell);
  *rowid = head.rowid;
  const uint8_t* const record = cell + head.head_bytes;
  uint64_t header_bytes;
  const uint8_t* type = sqlite_record::get_varint(record, &header_bytes);
  const uint8_t* body = record + header_bytes;
  for (Value& value : values_) {
    value.serial = *type;
    type = value.serial < 0x80 ? type + 1 : sqlite_record::get_varint(type, &value.serial);
    value.body = body;
    body += value_bytes(value.serial);
  }
  size_t bytes = fixed_bytes_;
  for (const int column : columns_) {
    if (column != kRowid) bytes += 2 * value_bytes(values_[static_cast<size_t>(column)].serial);
  }
  return bytes;
}

uint8_t* IndexKeyMaker::put_columns(int64_t rowid, uint8_t* out) const {
  for (const int column : columns_) {
    if (column == kRowid) {
      out = put_key_integer(rowid, out);
    } else {
      const Value& value = values_[static_cast<size_t>(column)];
      out = put_key_value(value.serial, value.body, out);
    }
  }
  return out;
}

void IndexKeyMaker::add(const uint8_t* cell, int64_t row_number, KeyRun* run) {
  int64_t rowid;
  uint8_t* out = run->reserve(read_values(cell, &rowid));
  out = put_key_integer(rowid, put_columns(rowid, out));
  if (with_row_number_) {
    store_be64(out, static_cast<uint64_t>(row_number));
    out += kRowNumberBytes;
  }
  run->add(out);
}

void IndexKeyMaker::add(const uint8_t* cell, int64_t row_number, IndexRuns* runs, IndexRun* run) {
  constexpr size_t kMaxShortBytes = 256;
  const int words = runs->words();
  if (words == 0) return add(cell, row_number, &run->keys);
  int64_t rowid;
  if (read_values(cell, &rowid) <= kMaxShortBytes) {
    uint8_t columns[kMaxShortBytes];
    uint8_t* const end = put_columns(rowid, columns);
    const auto bytes = static_cast<size_t>(end - columns);
    if (bytes < 8 * static_cast<size_t>(words)) {
      // A number is stored with up to 8 bytes over.
      std::memset(end, 0, 8 * static_cast<size_t>(words) - bytes);
      return run->shorts.add(columns, bytes, rowid, words);
    }
  }
  runs->found_long_key();
  add(cell, row_number, &run->keys);
}

IndexKeyReader::IndexKeyReader(int columns, bool with_row_number)
    : columns_(columns), with_row_number_(with_row_number) {
  ends_.resize(static_cast<size_t>(columns));
  serials_.resize(static_cast<size_t>(columns) + 1);
}

void IndexKeyReader::read(const uint8_t* key, size_t bytes) {
  const uint8_t* end = key + bytes;
  if (with_row_number_) {
    end -= kRowNumberBytes;
    row_number_ = static_cast<int64_t>(load_be64(end));
  }
  KeyValue rowid;
  read_value(read_columns(key, end), end, &rowid, &body_);
  if (!with_row_number_) row_number_ = rowid.integer - 1;
  read_rowid(rowid.integer);
  make_record();
}

void IndexKeyReader::read(const uint8_t* columns, size_t bytes, int64_t rowid) {
  read_columns(columns, columns + bytes);
  row_number_ = rowid - 1;
  read_rowid(rowid);
  make_record();
}

const uint8_t* IndexKeyReader::read_columns(const uint8_t* key, const uint8_t* end) {
  body_.clear();
  has_null_ = false;
  type_bytes_ = 0;
  const uint8_t* at = key;
  for (size_t column = 0; column < ends_.size(); ++column) {
    KeyValue value;
    const size_t before = body_.size();
    at = read_value(at, end, &value, &body_);
    const uint64_t size = body_.size() - before;
    uint64_t serial = sqlite_record::kSerialNull;
    if (value.kind == KeyValue::kIsText) serial = 13 + 2 * size;
    if (value.kind == KeyValue::kIsBlob) serial = 12 + 2 * size;
    if (value.kind == KeyValue::kInteger || value.kind == KeyValue::kReal) {
      serial = put_number(value, &body_);
    }
    serials_[column] = serial;
    type_bytes_ += sqlite_record::varint_bytes(serial);
    ends_[column] = static_cast<uint32_t>(at - key);
    has_null_ |= value.kind == KeyValue::kIsNull;
  }
  return at;
}

void IndexKeyReader::read_rowid(int64_t rowid) {
  KeyValue value;
  value.kind = KeyValue::kInteger;
  value.integer = rowid;
  serials_.back() = put_number(value, &body_);
  ++type_bytes_;
}

void IndexKeyReader::make_record() {
  const uint32_t header = sqlite_record::header_bytes(type_bytes_);
  record_.clear();
  uint8_t* out = record_.extend(header + body_.size());
  out = sqlite_record::put_varint(out, header);
  for (const uint64_t serial : serials_) out = sqlite_record::put_varint(out, serial);
  std::memcpy(out, body_.data(), body_.size());
}

std::string IndexKeyReader::shown(const uint8_t* key, size_t bytes, int columns) {
  constexpr size_t kMaxShown = 60;
  std::string text = "(";
  const uint8_t* at = key;
  for (int column = 0; column < columns; ++column) {
    if (column > 0) text += ", ";
    KeyValue value;
    Buffer found;
    at = read_value(at, key + bytes, &value, &found);
    std::string_view shown = found.view().substr(0, kMaxShown);
    const char* dots = shown.size() < found.size() ? "..." : "";
    switch (value.kind) {
      case KeyValue::kIsNull:
        text += "NULL";
        break;
      case KeyValue::kInteger:
        text += fmt::format("{}", value.integer);
        break;
      case KeyValue::kReal:
        text += fmt::format("{}", value.real);
        break;
      case KeyValue::kIsText:
        while (!shown.empty() && dots[0] != 0 && (shown.back() & 0xC0) == 0x80) {
          shown.remove_suffix(1);  // does not end within a character
        }
        text += fmt::format("'{}{}'", shown, dots);
        break;
      case KeyValue::kIsBlob:
        text += "x'";
        for (const char c : shown.substr(0, kMaxShown / 2)) {
          text += fmt::format("{:02X}", static_cast<uint8_t>(c));
        }
        text += shown.size() > kMaxShown / 2 ? "...'" : "'";
        break;
    }
  }
  return text + ")";
}

}  // namespace headrace
