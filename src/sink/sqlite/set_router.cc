#include "sink/sqlite/set_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "encode/format/sqlite_record.h"

namespace headrace {
namespace {

// Names of files have three digits.
constexpr size_t kMaxFiles = 1000;
// Each of these is open for the whole load, and no SQLite attaches more.
constexpr size_t kMaxValues = 125;

struct Value {
  uint64_t serial = 0;
  const uint8_t* body = nullptr;
  size_t bytes = 0;
};

Value value_at(const uint8_t* cell, int column) {
  uint64_t skipped, header;
  const uint8_t* record = sqlite_record::get_varint(cell, &skipped);
  record = sqlite_record::get_varint(record, &skipped);
  const uint8_t* type = sqlite_record::get_varint(record, &header);
  Value value;
  value.body = record + header;
  for (int c = 0; c <= column; ++c) {
    value.body += value.bytes;
    type = sqlite_record::get_varint(type, &value.serial);
    value.bytes = value.serial < 12 ? sqlite_record::kSerialBytes[value.serial]
                                    : (value.serial - 12) / 2;
  }
  return value;
}

// nullopt is NULL; a blob as hexadecimal digits.
std::optional<std::string> text_of(const Value& value) {
  if (value.serial == 0) return std::nullopt;
  if (value.serial >= 12 && (value.serial & 1) == 1) {
    return std::string(reinterpret_cast<const char*>(value.body), value.bytes);
  }
  if (value.serial >= 12) {
    std::string hex;
    for (size_t i = 0; i < value.bytes; ++i) hex += fmt::format("{:02x}", value.body[i]);
    return hex;
  }
  if (value.serial == sqlite_record::kSerialReal) {
    return fmt::format("{}", std::bit_cast<double>(load_be64(value.body)));
  }
  if (value.serial >= 8) return std::to_string(value.serial - 8);
  auto integer = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(value.body[0])));
  for (size_t i = 1; i < value.bytes; ++i) integer = (integer << 8) | value.body[i];
  return std::to_string(static_cast<int64_t>(integer));
}

}  // namespace

Status SetRouter::route(const RowBlock& block, std::vector<SetPiece>* pieces) {
  const std::pair place(block.batch, block.index_in_batch);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || turn_ == place; });
  if (error_) return *error_;
  Status split = column_ < 0 ? split_by_count(block, pieces) : split_by_value(block, pieces);
  if (!split.ok()) {
    error_ = split.error();
  } else {
    turn_ = block.last_in_batch ? std::pair(turn_.first + 1, 0)
                                : std::pair(turn_.first, turn_.second + 1);
  }
  changed_.notify_all();
  return split;
}

Status SetRouter::split_by_count(const RowBlock& block, std::vector<SetPiece>* pieces) {
  const auto rows = static_cast<uint32_t>(block.row_starts.size());
  for (uint32_t first = 0; first < rows;) {
    if (files_.empty() || files_.back()->closed) HEADRACE_TRY(add_file());
    SetFile& file = *files_.back();
    const int64_t room = part_rows_ > 0 ? part_rows_ - file.rows : rows;
    const auto end = static_cast<uint32_t>(std::min<int64_t>(rows, first + room));
    pieces->push_back({&file, file.pieces++, {}, first, end});
    file.rows += end - first;
    file.closed = part_rows_ > 0 && file.rows == part_rows_;
    first = end;
  }
  return {};
}

Status SetRouter::split_by_value(const RowBlock& block, std::vector<SetPiece>* pieces) {
  std::map<SetFile*, size_t> of_file;  // its piece of this block
  std::string key, last_key;
  SetFile* file = nullptr;
  for (uint32_t row = 0; row < block.row_starts.size(); ++row) {
    const Value value = value_at(block.bytes.data() + block.row_starts[row], column_);
    key.assign(reinterpret_cast<const char*>(&value.serial), sizeof value.serial);
    key.append(reinterpret_cast<const char*>(value.body), value.bytes);
    if (file == nullptr || key != last_key) {
      const auto [at, is_new] = by_value_.try_emplace(key, nullptr);
      if (is_new) {
        if (files_.size() >= kMaxValues) {
          return Error(ErrorCode::kUnsupported,
                       fmt::format("column {} has more than {} values", column_name_, kMaxValues),
                       "use --max-records, or partition by a column with fewer values");
        }
        HEADRACE_ASSIGN(at->second, add_file());
        at->second->value = text_of(value);
      }
      file = at->second;
      last_key = key;
    }
    const auto [place, first_here] = of_file.try_emplace(file, pieces->size());
    if (first_here) pieces->push_back({file, file->pieces++, {}, 0, 0});
    (*pieces)[place->second].rows.push_back(row);
    ++file->rows;
  }
  return {};
}

Result<SetFile*> SetRouter::add_file() {
  if (files_.size() >= kMaxFiles) {
    return Error(ErrorCode::kUnsupported, fmt::format("a set has at most {} files", kMaxFiles),
                 "give --max-records a larger number");
  }
  HEADRACE_ASSIGN(auto file, make_file_(static_cast<int64_t>(files_.size())));
  files_.push_back(std::move(file));
  return files_.back().get();
}

Status SetRouter::make_first_file() {
  std::lock_guard lock(mutex_);
  if (files_.empty()) HEADRACE_TRY(add_file());
  return {};
}

void SetRouter::fail(Error error) {
  std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  for (const auto& file : files_) file->pages->fail(*error_);
  changed_.notify_all();
}

}  // namespace headrace
