#include "sink/postgres/insert_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/endian.h"
#include "encode/format/pg_binary.h"

namespace headrace {
namespace {

constexpr size_t kArrayHeaderBytes = 20;
constexpr uint32_t kNullLength = 0xFFFFFFFF;

int64_t rows_that_fit(const InsertShape& shape, int64_t wanted) {
  if (shape.form == InsertForm::kArrays) return wanted;
  const auto columns = static_cast<int64_t>(shape.types.size());
  return std::max<int64_t>(1, std::min(wanted, kMaxParameters / columns));
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

}  // namespace

std::string range_text(const std::vector<RowRange>& ranges) {
  std::string text;
  for (const RowRange& range : ranges) {
    if (!text.empty()) text += " and ";
    const std::string first = grouped(range.first + 1);
    if (range.count == 1) {
      text += fmt::format("row {} (partition {})", first, range.partition);
    } else {
      text += fmt::format("rows {} to {} (partition {})", first, grouped(range.first + range.count),
                          range.partition);
    }
  }
  return text;
}

InsertBatch::InsertBatch(const InsertShape& shape, int64_t max_rows)
    : shape_(shape), max_rows_(rows_that_fit(shape, max_rows)) {
  if (shape.form == InsertForm::kArrays) columns_.resize(shape.types.size());
  clear();
}

void InsertBatch::clear() {
  rows_ = 0;
  bytes_ = 0;
  ranges_.clear();
  tuples_.clear();
  fields_.clear();
  for (Column& column : columns_) {
    column.array.clear();
    column.array.extend(kArrayHeaderBytes);
    column.has_null = false;
  }
}

void InsertBatch::add_range(const RowBlock& block, int64_t first, int64_t count) {
  const int64_t start = block.partition_row + first;
  if (!ranges_.empty()) {
    RowRange& last = ranges_.back();
    if (last.partition == block.partition && last.first + last.count == start) {
      last.count += count;
      return;
    }
  }
  ranges_.push_back({block.partition, start, count});
}

void InsertBatch::add_to_columns(const uint8_t* field) {
  for (Column& column : columns_) {
    const uint32_t length = load_be32(field);
    const bool null = length == kNullLength;
    const size_t bytes = null ? 4 : size_t{4} + length;
    column.has_null |= null;
    column.array.append(field, bytes);
    field += bytes;
  }
}

void InsertBatch::add_as_values(const uint8_t* row, size_t bytes) {
  size_t at = tuples_.size() + pg_binary::kTupleHeaderBytes;
  tuples_.append(row, bytes);
  for (size_t i = 0; i < shape_.types.size(); ++i) {
    const uint32_t length = load_be32(tuples_.data() + at);
    at += 4;
    fields_.push_back({static_cast<uint32_t>(at), static_cast<int32_t>(length)});
    if (length != kNullLength) at += length;
  }
}

int64_t InsertBatch::take(const RowBlock& block, int64_t row) {
  const int64_t first = row;
  for (; row < block.row_count && !full(); ++row, ++rows_) {
    const size_t start = block.row_starts[static_cast<size_t>(row)];
    const size_t end = row + 1 < block.row_count ? block.row_starts[static_cast<size_t>(row) + 1]
                                                 : block.bytes.size();
    const uint8_t* tuple = block.bytes.data() + start;
    assert(load_be16(tuple) == shape_.types.size());
    if (shape_.form == InsertForm::kArrays) {
      add_to_columns(tuple + pg_binary::kTupleHeaderBytes);
    } else {
      add_as_values(tuple, end - start);
    }
    bytes_ += end - start;
  }
  if (row > first) add_range(block, first, row - first);
  return row;
}

InsertParameters InsertBatch::parameters() {
  assert(!empty());
  const size_t columns = shape_.types.size();
  const bool arrays = shape_.form == InsertForm::kArrays;
  const size_t count = arrays ? columns : fields_.size();
  types_.resize(count);
  values_.resize(count);
  lengths_.resize(count);
  formats_.assign(count, 1);
  for (size_t i = 0; arrays && i < count; ++i) {
    Buffer& array = columns_[i].array;
    store_be32(array.data(), 1);
    store_be32(array.data() + 4, columns_[i].has_null ? 1 : 0);
    store_be32(array.data() + 8, shape_.types[i]);
    store_be32(array.data() + 12, static_cast<uint32_t>(rows_));
    store_be32(array.data() + 16, 1);
    types_[i] = shape_.array_types[i];
    values_[i] = reinterpret_cast<const char*>(array.data());
    lengths_[i] = static_cast<int>(array.size());
  }
  for (size_t i = 0; !arrays && i < count; ++i) {
    const Field& field = fields_[i];
    const auto* value = reinterpret_cast<const char*>(tuples_.data() + field.offset);
    types_[i] = shape_.types[i % columns];
    values_[i] = field.length < 0 ? nullptr : value;
    lengths_[i] = std::max(field.length, 0);
  }
  return {static_cast<int>(count), types_.data(), values_.data(), lengths_.data(), formats_.data()};
}

}  // namespace headrace
