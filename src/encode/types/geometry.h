// PostGIS's geometry and geography, and SQLite's geometry columns (base "geometry"), as targets of
// text and binary columns.
#pragma once

#include <memory>

#include "encode/codec.h"

namespace headrace {

inline bool is_geometry(const TargetType& target) {
  return target.base == "geometry" || target.base == "geography";
}

// `type` is a type of the text family (WKT, EWKT, hex digits) or of the binary family (WKB, EWKB).
// REQUIRES: is_geometry(target).
Result<std::unique_ptr<Codec>> geometry_codec(const DataType& type, const TargetType& target,
                                              RowFormat format, const ValueOptions& options);

}  // namespace headrace
