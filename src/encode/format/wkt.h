// WKT and EWKT to EWKB.
//
//   geometry   = [ "SRID=" digits ";" ] shape
//   shape      = type [ "Z" | "M" | "ZM" ] ( "EMPTY" | body )
//   POINT      body = "(" tuple ")"
//   LINESTRING body = "(" tuple { "," tuple } ")"
//   POLYGON    body = "(" ring { "," ring } ")"      a ring is the body of a LINESTRING
//   MULTI...   body = "(" part { "," part } ")"      a part is EMPTY or the body of its type; in
//                                                    MULTIPOINT also a tuple alone
//   GEOMETRYCOLLECTION
//              body = "(" shape { "," shape } ")"
//   tuple      = number blanks number [ blanks number [ blanks number ] ]
//
// Words in any case; blanks (space, tab, line ends) between all of these, and none needed between a
// type and its Z. All of a geometry has the same dimensions. Without Z or M, three numbers are
// X Y Z, four X Y Z M, and what is EMPTY is X Y unless a shape around it says otherwise: as in
// PostGIS. A ring has four tuples or more and ends where it begins; a line has two or more.
#pragma once

#include <string_view>

#include "base/buffer.h"
#include "encode/format/ewkb.h"

namespace headrace {

// Appends the EWKB to `out`; what was appended before a problem does not matter.
ewkb::Parsed parse_wkt(std::string_view text, Buffer* out);

// Length of the "SRID=...;" in front of `text`, 0 if there is none; fills has_srid and srid, or the
// problem.
size_t parse_srid_prefix(std::string_view text, ewkb::Parsed* parsed);

}  // namespace headrace
