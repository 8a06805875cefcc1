// The column that is a table's rowid in SQLite (INTEGER PRIMARY KEY): its values stand in front of
// the record, which holds NULL in their place.
#pragma once

#include <memory>

#include "encode/codec.h"

namespace headrace {

class RowidCodec : public Codec {
 public:
  // Of the span measured last.
  const int64_t* rowids() const { return rowids_; }

  // Nothing: NULL has no body.
  void write(const ColumnView&, RowSpan, const uint32_t*, uint8_t**) override {}

 protected:
  int64_t rowids_[kMaxSpanRows] = {};
};

// Whether a column of this type can be the rowid: the plain integers.
bool can_be_rowid(const DataType& type);

// REQUIRES: can_be_rowid(type).
std::unique_ptr<RowidCodec> make_rowid_codec(const DataType& type);

}  // namespace headrace
