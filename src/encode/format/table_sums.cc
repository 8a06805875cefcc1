#include "encode/format/table_sums.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "base/endian.h"
#include "encode/format/sqlite_record.h"

namespace headrace {
namespace {

constexpr uint64_t kIntegerSeed = 0xA0761D6478BD642F;
constexpr uint64_t kRealSeed = 0xE7037ED1A0B428DB;
constexpr uint64_t kTextSeed = 0x8EBC6AF09C88C6E3;
constexpr uint64_t kBlobSeed = 0x589965CC75374CC3;
constexpr uint64_t kStep = 0x1D8E4E27C47D124F;

// The halves of the product of two words, one over the other.
uint64_t fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load_word(const uint8_t* at, size_t count) {
  uint64_t word = 0;
  std::memcpy(&word, at, count);
  return word;
}

uint64_t hash_bytes(const uint8_t* at, size_t count, uint64_t seed) {
  uint64_t hash = seed ^ (count * kStep);
  for (; count >= 16; at += 16, count -= 16) {
    hash = fold(load_word(at, 8) ^ kStep, load_word(at + 8, 8) ^ hash);
  }
  const uint64_t low = load_word(at, count < 8 ? count : 8);
  const uint64_t high = count > 8 ? load_word(at + 8, count - 8) : 0;
  return fold(fold(low ^ kStep, high ^ hash) ^ seed, hash ^ kRealSeed);
}

uint64_t hash_integer(int64_t value) {
  return fold(fold(static_cast<uint64_t>(value) ^ kIntegerSeed, kStep) ^ kTextSeed, kBlobSeed);
}

int64_t read_integer(const uint8_t* body, uint32_t bytes) {
  auto value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(body[0])));
  for (uint32_t i = 1; i < bytes; ++i) value = (value << 8) | body[i];
  return static_cast<int64_t>(value);
}

std::string counted(int64_t found, int64_t wanted, const char* what) {
  return fmt::format("{} {} instead of {}", found, what, wanted);
}

}  // namespace

void TableSums::mix(size_t column, uint64_t hash) {
  row_hash_ = fold(row_hash_ ^ hash, kStep + 2 * column) + row_hash_;
}

void TableSums::add_integer(size_t column, int64_t value) {
  if (rules_[column] == SumRule::kNumbersAsText) {
    const fmt::format_int text(value);
    return add_bytes(column, text.data(), text.size(), true);
  }
  add_hash(column, hash_integer(value));
}

void TableSums::add_real(size_t column, double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (value >= -kLimit && value < kLimit && std::trunc(value) == value) {
    return add_hash(column, hash_integer(static_cast<int64_t>(value)));
  }
  add_hash(column, fold(std::bit_cast<uint64_t>(value) ^ kRealSeed, kStep));
}

void TableSums::add_bytes(size_t column, const void* bytes, size_t count, bool is_text) {
  add_hash(column, hash_bytes(static_cast<const uint8_t*>(bytes), count,
                              is_text ? kTextSeed : kBlobSeed));
}

bool TableSums::add_sqlite_cells(const RowBlock& block) {
  for (const uint32_t start : block.row_starts) {
    uint64_t payload, rowid, header, serial;
    const uint8_t* record = sqlite_record::get_varint(block.bytes.data() + start, &payload);
    record = sqlite_record::get_varint(record, &rowid);
    const uint8_t* type = sqlite_record::get_varint(record, &header);
    const uint8_t* const types_end = record + header;
    const uint8_t* body = types_end;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (type >= types_end) return false;
      type = sqlite_record::get_varint(type, &serial);
      const size_t bytes = serial < 12 ? sqlite_record::kSerialBytes[serial] : (serial - 12) / 2;
      if (serial == 0 && rules_[c] == SumRule::kRowid) {
        add_integer(c, static_cast<int64_t>(rowid));
      } else if (serial == 0) {
        add_null(c);
      } else if (serial == sqlite_record::kSerialReal) {
        add_real(c, std::bit_cast<double>(load_be64(body)));
      } else if (serial < 12) {
        add_integer(c, serial >= 8 ? static_cast<int64_t>(serial - 8)
                                   : read_integer(body, static_cast<uint32_t>(bytes)));
      } else {
        add_bytes(c, body, bytes, (serial & 1) == 1);
      }
      body += bytes;
    }
    if (type != types_end) return false;
    end_row();
  }
  return true;
}

// int16 number of fields | for each: int32 bytes, -1 is NULL | the bytes
bool TableSums::add_pg_tuples(const uint8_t* at, size_t count) {
  const uint8_t* const end = at + count;
  while (at < end) {
    if (end - at < 2 || load_be16(at) != columns_.size()) return false;
    at += 2;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (end - at < 4) return false;
      const auto bytes = static_cast<int32_t>(load_be32(at));
      at += 4;
      if (bytes < 0) {
        add_null(c);
        continue;
      }
      if (end - at < bytes) return false;
      add_bytes(c, at, static_cast<size_t>(bytes), false);
      at += bytes;
    }
    end_row();
  }
  return true;
}

void TableSums::add(const TableSums& other) {
  rows_ += other.rows_;
  row_sum_ += other.row_sum_;
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].values += other.columns_[c].values;
    columns_[c].sum += other.columns_[c].sum;
  }
}

void TableSums::subtract(const TableSums& other) {
  rows_ -= other.rows_;
  row_sum_ -= other.row_sum_;
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].values -= other.columns_[c].values;
    columns_[c].sum -= other.columns_[c].sum;
  }
}

std::string difference(const TableSums& found, const TableSums& wanted,
                       const std::vector<std::string>& names) {
  constexpr int kMostColumns = 20;
  const bool same_rows = found.rows() == wanted.rows();
  std::string text;
  const auto say = [&](std::string part) { text += (text.empty() ? "" : "; ") + part; };
  if (!same_rows) say(counted(found.rows(), wanted.rows(), "rows"));
  int columns = 0;
  for (size_t c = 0; c < names.size(); ++c) {
    const TableSums::Column &have = found.columns()[c], &want = wanted.columns()[c];
    const int64_t nulls = found.rows() - have.values, wanted_nulls = wanted.rows() - want.values;
    // With other rows all sums differ, and say nothing more.
    if (have == want || (!same_rows && nulls == wanted_nulls)) continue;
    if (++columns > kMostColumns) continue;
    say(fmt::format("column {}: {}", names[c],
                    nulls != wanted_nulls ? counted(nulls, wanted_nulls, "NULLs")
                                          : std::string("other values")));
  }
  if (columns > kMostColumns) say(fmt::format("{} more columns", columns - kMostColumns));
  if (text.empty() && found.row_sum() != wanted.row_sum()) {
    say("every column has the right values, but beside values of other rows");
  }
  return text;
}

}  // namespace headrace
