// SetWriter: one thread that writes to the files of a set: a page writer for each file it has rows of.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sink/sink.h"
#include "sink/sqlite/page_writer.h"
#include "sink/sqlite/set_router.h"

namespace headrace {

class SetWriter : public SinkWriter {
 public:
  // `router` outlives the writer.
  explicit SetWriter(SetRouter* router) : router_(router) {}
  ~SetWriter() override;

  Status write(const RowBlock& block) override;
  Status finish() override;
  void abort(const std::string& reason) noexcept override;

 private:
  Status write_pieces(const RowBlock& block);
  Status write_piece(const RowBlock& block, const SetPiece& piece);
  // Ends the page writers of files that get no more rows: their buffers are not small.
  Status finish_closed(const std::vector<SetPiece>& pieces);

  SetRouter* const router_;
  std::map<SetFile*, std::unique_ptr<SinkWriter>> writers_;
  std::vector<SetPiece> pieces_;
  RowBlock piece_;
  bool ended_ = false;
};

}  // namespace headrace
