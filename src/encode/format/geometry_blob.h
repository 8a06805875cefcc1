// Geometry as SQLite files hold it, made from the EWKB of format/ewkb.h.
//
// WKB: as EWKB, without SRID, Z and M by thousands: 1001 POINT Z, 2001 POINT M, 3001 POINT ZM.
//
// GeoPackage (OGC 12-128r18, 2.1.3):
//   OFFSET  SIZE  DESCRIPTION
//   0       2     "GP"
//   2       1     version: 0
//   3       1     flags: bit 0 little-endian, bits 1-3 envelope: 0 none, 1 [min x, max x, min y,
//                 max y], bit 4 empty
//   4       4     id of the spatial reference system
//   8       0,32  envelope; points have none, they are one
//   then          WKB
//
// SpatiaLite 4 and 5 (BLOB-Geometry):
//   OFFSET  SIZE  DESCRIPTION
//   0       2     0, 1: little-endian
//   2       4     SRID
//   6       32    envelope: min x, min y, max x, max y
//   38      1     0x7C
//   39      4     type, Z and M by thousands
//   43            counts and coordinates as in WKB; a part begins with 0x69 and its type
//   end     1     0xFE
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/buffer.h"
#include "encode/format/ewkb.h"

namespace headrace::geometry_blob {

// Of X and Y; empty as long as nothing was added.
struct Envelope {
  double min_x = std::numeric_limits<double>::infinity(), max_x = -min_x;
  double min_y = min_x, max_y = -min_x;

  bool is_empty() const { return !(min_x <= max_x); }
  void add(double x, double y) {
    min_x = x < min_x ? x : min_x;
    max_x = x > max_x ? x : max_x;
    min_y = y < min_y ? y : min_y;
    max_y = y > max_y ? y : max_y;
  }
};

// REQUIRES, of all: an EWKB that one of the parsers wrote. They append to `out`.
Envelope append_wkb(std::string_view ewkb, Buffer* out);
void append_geopackage(std::string_view ewkb, int32_t srid, Buffer* out);
void append_spatialite(std::string_view ewkb, int32_t srid, Buffer* out);
// Why SpatiaLite has no such geometry; nullptr: it has.
const char* spatialite_problem(std::string_view ewkb);
// "POINT Z (1 2 3)"; each number in the fewest digits that give it back.
void append_wkt(std::string_view ewkb, Buffer* out);

// What a blob says of itself.
struct BlobFacts {
  Envelope envelope;
  ewkb::Type type = ewkb::kAnyType;
  ewkb::Dims dims;
};
// REQUIRES: append_geopackage() or append_spatialite() wrote it.
BlobFacts read_geopackage(const uint8_t* blob);
BlobFacts read_spatialite(const uint8_t* blob);

}  // namespace headrace::geometry_blob
