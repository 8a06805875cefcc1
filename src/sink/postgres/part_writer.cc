#include "sink/postgres/part_writer.h"

#include <algorithm>
#include <utility>

#include "sink/postgres/load_parts.h"
#include "sink/postgres/pg_error.h"

namespace headrace {

// The others of this load hold what they inserted until the end: equal keys wait for each other.
Error PartWriter::explained(Error error) const {
  if (held_ != nullptr && error.sqlstate == kLockNotAvailable) {
    error.hint = "two rows of the source may have the same key, or another session holds a lock: use "
                 "--atomic strict, or raise --lock-timeout";
  }
  return error;
}

// Rows [begin, end) of the block.
Status PartWriter::pass(const RowBlock& block, int64_t begin, int64_t end) {
  if (begin >= end) return {};
  intervals_.push_back({block.first_row + begin, end - begin});
  if (intervals_.size() > 4096) intervals_ = merged(std::move(intervals_));
  const RowBlock* passed = &block;
  if (end - begin < block.row_count) {
    const auto first = static_cast<size_t>(begin), last = static_cast<size_t>(end);
    const size_t from = block.row_starts[first];
    const size_t to = last < block.row_starts.size() ? block.row_starts[last] : block.bytes.size();
    trimmed_.clear();
    trimmed_.bytes.append(block.bytes.data() + from, to - from);
    for (size_t i = first; i < last; ++i) {
      trimmed_.row_starts.push_back(block.row_starts[i] - static_cast<uint32_t>(from));
    }
    trimmed_.row_count = end - begin;
    trimmed_.first_row = block.first_row + begin;
    trimmed_.partition = block.partition;
    trimmed_.partition_row = block.partition_row + begin;
    passed = &trimmed_;
  }
  Status written = writer_->write(*passed);
  if (!written.ok()) return explained(std::move(written).error());
  return {};
}

Status PartWriter::write(const RowBlock& block) {
  const auto& committed = plan_.committed_rows;
  int64_t next = 0;  // of the block
  auto rows = std::ranges::upper_bound(committed, block.first_row, {}, &RowInterval::first);
  if (rows != committed.begin()) --rows;
  for (; rows != committed.end() && rows->first < block.first_row + block.row_count; ++rows) {
    const int64_t begin = std::max<int64_t>(rows->first - block.first_row, 0);
    const int64_t end = std::min(rows->first + rows->count - block.first_row, block.row_count);
    if (end <= next) continue;
    HEADRACE_TRY(pass(block, next, begin));
    next = end;
  }
  return pass(block, next, block.row_count);
}

Status PartWriter::finish() {
  Status finished = writer_->finish();
  if (!finished.ok()) return explained(std::move(finished).error());
  if (held_ == nullptr || intervals_.empty()) return {};
  Connection& connection = *held_->connection;
  HEADRACE_TRY(connection.run("SET CONSTRAINTS ALL IMMEDIATE", "checking deferred constraints"));
  return record_part(connection, plan_, load_id_, merged(std::move(intervals_)));
}

void PartWriter::abort(const std::string& reason) noexcept {
  writer_->abort(reason);
  if (held_ != nullptr) held_->connection.reset();
}

}  // namespace headrace
