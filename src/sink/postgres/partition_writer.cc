#include "sink/postgres/partition_writer.h"

#include <algorithm>
#include <utility>

namespace headrace {
namespace {

constexpr size_t kSwitchBytes = 1 << 20;     // a COPY takes about 0.2 ms to begin and end
constexpr size_t kMaxBufferBytes = 32 << 20;

}  // namespace

PartitionWriter::PartitionWriter(WriterConnection connection, WriteJob job, WriterTotals& totals,
                                 PartitionStages& stages)
    : connection_(std::move(connection)),
      job_(std::move(job)),
      totals_(totals),
      stages_(stages),
      router_(stages.planned_nodes(), job_.columns),
      nodes_known_(stages.planned_nodes().size()) {
  totals_.opened += 1;
}

PartitionWriter::~PartitionWriter() { abort("headrace stopped"); }

PartitionWriter::Pending& PartitionWriter::pending_of(int32_t leaf) {
  const auto index = static_cast<size_t>(leaf);
  if (pending_.size() <= index) pending_.resize(index + 1);
  return pending_[index];
}

// A row that fits no partition: one is made for it, or the load ends.
Status PartitionWriter::place(const RowBlock& block, size_t row) {
  const uint8_t* bytes = block.bytes.data() + block.row_starts[row];
  const int32_t node = PartitionRouter::kNoChild - leaves_[row];
  auto made = stages_.partition_for(node, router_.key_values(bytes, node));
  if (!made.ok()) {
    Error error = std::move(made).error();
    error.where.partition = block.partition;
    error.where.row = block.partition_row + static_cast<int64_t>(row) + 1;
    return error;
  }
  // Others may have made some before.
  for (const auto& [index, added] : stages_.nodes_from(nodes_known_)) {
    router_.add_child(added, index);
    nodes_known_ = static_cast<size_t>(index) + 1;
  }
  for (size_t i = row; i < leaves_.size(); ++i) {
    if (leaves_[i] < 0) leaves_[i] = router_.route_row(block.bytes.data() + block.row_starts[i]);
  }
  if (leaves_[row] >= 0) return {};
  return Error(ErrorCode::kInternal, "a row does not fit the partition that was made for it");
}

Status PartitionWriter::write(const RowBlock& block) {
  router_.route(block, &leaves_);
  for (size_t begin = 0; begin < leaves_.size();) {
    if (leaves_[begin] < 0) HEADRACE_TRY(place(block, begin));
    size_t end = begin + 1;
    while (end < leaves_.size() && leaves_[end] == leaves_[begin]) ++end;
    HEADRACE_TRY(take(block, begin, end));
    begin = end;
  }
  return {};
}

// Rows [begin, end) of the block, all of one leaf.
Status PartitionWriter::take(const RowBlock& block, size_t begin, size_t end) {
  const int32_t leaf = leaves_[begin];
  const uint32_t from = block.row_starts[begin];
  const size_t to = end < block.row_starts.size() ? block.row_starts[end] : block.bytes.size();
  const RowRange rows{block.partition, block.partition_row + static_cast<int64_t>(begin),
                      static_cast<int64_t>(end - begin)};
  // The first leaf is opened at once: sorted rows are never copied.
  if (current_ < 0) HEADRACE_TRY(switch_to(leaf));
  if (leaf == current_) {
    segment_->note(rows);
    return segment_->send(block.bytes.view().substr(from, to - from));
  }
  Pending& pending = pending_of(leaf);
  pending.bytes.append(block.bytes.data() + from, to - from);
  pending_bytes_ += to - from;
  if (!pending.rows.empty() && pending.rows.back().partition == rows.partition &&
      pending.rows.back().first + pending.rows.back().count == rows.first) {
    pending.rows.back().count += rows.count;
  } else {
    pending.rows.push_back(rows);
  }
  if (pending.bytes.size() >= kSwitchBytes) return switch_to(leaf);
  if (pending_bytes_ < kMaxBufferBytes) return {};
  const auto largest = std::ranges::max_element(
      pending_, {}, [](const Pending& p) { return p.bytes.size(); });
  return switch_to(static_cast<int32_t>(largest - pending_.begin()));
}

Status PartitionWriter::end_copy() {
  if (!segment_) return {};
  HEADRACE_ASSIGN(const int64_t stored, segment_->end());
  rows_stored_ += stored;
  rows_sent_ += segment_->rows();
  bytes_sent_ += segment_->bytes_sent();
  segment_.reset();
  current_ = -1;
  return {};
}

Status PartitionWriter::switch_to(int32_t leaf) {
  HEADRACE_TRY(end_copy());
  HEADRACE_ASSIGN(const StageName stage, stages_.stage_of(leaf));
  segment_.emplace(connection_.get(), job_);
  HEADRACE_TRY(segment_->begin(stage.schema, stage.table));
  current_ = leaf;
  Pending& pending = pending_of(leaf);
  if (pending.rows.empty()) return {};
  for (const RowRange& rows : pending.rows) segment_->note(rows);
  HEADRACE_TRY(segment_->send(pending.bytes.view()));
  pending_bytes_ -= pending.bytes.size();
  pending.bytes.clear();
  pending.rows.clear();
  return {};
}

Status PartitionWriter::finish() {
  for (size_t leaf = 0; leaf < pending_.size(); ++leaf) {
    if (!pending_[leaf].rows.empty()) HEADRACE_TRY(switch_to(static_cast<int32_t>(leaf)));
  }
  HEADRACE_TRY(end_copy());
  HEADRACE_TRY(connection_.commit());
  done_ = true;
  totals_.bytes_sent += bytes_sent_;
  totals_.rows_sent += rows_sent_;
  totals_.rows_stored += rows_stored_;
  totals_.finished += 1;
  return {};
}

void PartitionWriter::abort(const std::string& reason) noexcept {
  if (done_) return;
  done_ = true;
  if (segment_) segment_->abort(reason);
  connection_.close();
}

}  // namespace headrace
