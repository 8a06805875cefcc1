#include "sink/sqlite/set_writer.h"

#include <utility>

namespace headrace {

SetWriter::~SetWriter() {
  if (!ended_) abort("a writer ended early");
}

Status SetWriter::write(const RowBlock& block) {
  Status status = write_pieces(block);
  if (!status.ok()) router_->fail(status.error());
  return status;
}

Status SetWriter::write_pieces(const RowBlock& block) {
  pieces_.clear();
  HEADRACE_TRY(router_->route(block, &pieces_));
  for (const SetPiece& piece : pieces_) HEADRACE_TRY(write_piece(block, piece));
  return finish_closed(pieces_);
}

Status SetWriter::write_piece(const RowBlock& block, const SetPiece& piece) {
  piece_.clear();
  const auto append = [&](uint32_t first, uint32_t end) {
    const size_t begin = block.row_starts[first];
    const size_t stop =
        end < block.row_starts.size() ? block.row_starts[end] : block.bytes.size();
    const auto shift = static_cast<uint32_t>(piece_.bytes.size() - begin);
    for (uint32_t row = first; row < end; ++row) {
      piece_.row_starts.push_back(block.row_starts[row] + shift);
    }
    piece_.bytes.append(block.bytes.data() + begin, stop - begin);
  };
  for (const uint32_t row : piece.rows) append(row, row + 1);
  if (piece.rows.empty()) append(piece.first, piece.end);
  piece_.row_count = static_cast<int64_t>(piece_.row_starts.size());
  const int64_t skipped = piece.rows.empty() ? piece.first : piece.rows[0];
  piece_.first_row = block.first_row + skipped;
  piece_.partition = block.partition;
  piece_.partition_row = block.partition_row + skipped;
  piece_.batch = piece.number;
  piece_.index_in_batch = 0;
  piece_.last_in_batch = true;
  std::unique_ptr<SinkWriter>& writer = writers_[piece.file];
  if (writer == nullptr) writer = piece.file->pages->open_writer();
  return writer->write(piece_);
}

// Another thread may be writing to them still; of this one no more rows come.
Status SetWriter::finish_closed(const std::vector<SetPiece>& pieces) {
  if (pieces.empty()) return {};
  SetFile* const current = pieces.back().file;
  for (auto at = writers_.begin(); at != writers_.end();) {
    if (at->first == current || !at->first->closed) {
      ++at;
      continue;
    }
    HEADRACE_TRY(at->second->finish());
    at = writers_.erase(at);
  }
  return {};
}

Status SetWriter::finish() {
  for (auto& [file, writer] : writers_) {
    Status status = writer->finish();
    if (status.ok()) continue;
    router_->fail(status.error());
    return status;
  }
  writers_.clear();
  ended_ = true;
  return {};
}

void SetWriter::abort(const std::string& reason) noexcept {
  router_->fail(Error(ErrorCode::kCancelled, "the load was stopped: " + reason));
  for (auto& [file, writer] : writers_) writer->abort(reason);
  ended_ = true;
}

}  // namespace headrace
