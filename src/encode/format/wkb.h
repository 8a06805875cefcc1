// WKB and EWKB to the EWKB that format/ewkb.h draws.
//
// Read are both byte orders, also mixed, EWKB's flags, and ISO's types with Z and M by thousands:
// 1001 POINT Z, 2001 POINT M, 3001 POINT ZM. All of the input must be one geometry that PostGIS
// takes: counts fit into what is left, parts have the type and dimensions of their whole, a ring
// has four tuples or more and ends where it begins, a line has two or more.
#pragma once

#include <string_view>

#include "base/buffer.h"
#include "encode/format/ewkb.h"

namespace headrace {

// Appends the EWKB to `out`; what was appended before a problem does not matter.
ewkb::Parsed parse_wkb(std::string_view bytes, Buffer* out);

// The bytes of hex digits, in either case, into `out`, which is cleared first.
ewkb::Parsed decode_hex(std::string_view digits, Buffer* out);

// Whether every tuple of an EWKB that one of the parsers wrote lies within lon/lat: X within 180, Y
// within 90 degrees. Empty points do.
bool is_lon_lat(std::string_view ewkb);

}  // namespace headrace
