// EWKB, PostGIS's binary form of a geometry: what the binary receive functions of geometry and
// geography take, and, as hex digits, what their input functions take.
//
//   OFFSET  SIZE  DESCRIPTION
//   0       1     byte order of what follows: 1 little-endian, 0 big-endian
//   1       4     type 1..7, with flags: 0x80000000 Z, 0x40000000 M, 0x20000000 SRID follows
//   5       4     SRID, only with its flag, and only in the outermost geometry
//   then by type; a tuple is 2 to 4 doubles X Y [Z] [M]:
//   POINT               one tuple; POINT EMPTY is a tuple of NaN
//   LINESTRING          4: number of tuples, tuples
//   POLYGON             4: number of rings; each ring as a LINESTRING
//   MULTI..., GEOMETRYCOLLECTION
//                       4: number of parts; each a geometry of its own from byte order on
//
// Writer writes the little-endian form. The outermost geometry always has an SRID; 0 is PostGIS's
// value for "not known", and the same as none.
// Source: PostGIS documentation, "Geometry Data Model", and OGC 06-103r4.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/buffer.h"

namespace headrace::ewkb {

enum Type : uint8_t {
  kAnyType = 0,  // of a column: no type is declared
  kPoint = 1,
  kLineString,
  kPolygon,
  kMultiPoint,
  kMultiLineString,
  kMultiPolygon,
  kCollection,
};

inline constexpr uint32_t kZFlag = 0x80000000;
inline constexpr uint32_t kMFlag = 0x40000000;
inline constexpr uint32_t kSridFlag = 0x20000000;

// SRIDs that PostGIS keeps; it moves larger ones.
inline constexpr int32_t kMaxSrid = 999999;

// Collections within collections, in either input format. PostGIS takes about 200 levels.
inline constexpr int kMaxDepth = 32;

constexpr const char* type_name(Type type) {
  constexpr const char* kNames[] = {"GEOMETRY",     "POINT",           "LINESTRING",
                                    "POLYGON",      "MULTIPOINT",      "MULTILINESTRING",
                                    "MULTIPOLYGON", "GEOMETRYCOLLECTION"};
  return kNames[type];
}

// The type of a multi-geometry's parts; kAnyType for a collection.
constexpr Type part_type(Type type) {
  return type >= kMultiPoint && type <= kMultiPolygon ? static_cast<Type>(type - 3) : kAnyType;
}

struct Dims {
  bool z = false;
  bool m = false;

  int count() const { return 2 + z + m; }
  uint32_t flags() const { return (z ? kZFlag : 0) | (m ? kMFlag : 0); }
  const char* suffix() const { return z && m ? " ZM" : z ? " Z" : m ? " M" : ""; }
  bool operator==(const Dims&) const = default;
};

// A geometry that was read, or why it was not.
struct Parsed {
  const char* problem = nullptr;  // nullptr: it was read
  size_t at = 0;                  // of the problem, in bytes of the input
  Type type = kAnyType;
  Dims dims;
  bool empty = false;  // no part, ring or tuple at the outermost level
  bool has_srid = false;
  int32_t srid = 0;

  bool ok() const { return problem == nullptr; }
};

// Where the parts of an outermost geometry lie that Writer wrote.
inline constexpr size_t kSridOffset = 5;
inline constexpr size_t kHeadBytes = 9;

class Writer {
 public:
  explicit Writer(Buffer* out) : out_(out) {}

  void root(Type type, Dims dims) {
    put_order_and_type(out_->extend(kHeadBytes), type | dims.flags() | kSridFlag);
    std::memset(out_->data() + out_->size() - 4, 0, 4);
  }
  void part(Type type, Dims dims) { put_order_and_type(out_->extend(5), type | dims.flags()); }

  // A count that is not known yet: its place for set_count().
  size_t count() {
    const size_t place = out_->size();
    out_->extend(4);
    return place;
  }
  void set_count(size_t place, uint32_t n) { std::memcpy(out_->data() + place, &n, 4); }
  void put_count(uint32_t n) { set_count(count(), n); }

  void tuple(const double* values, int dims) {
    out_->append(values, static_cast<size_t>(dims) * sizeof(double));
  }
  void empty_point(Dims dims) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double values[4] = {nan, nan, nan, nan};
    tuple(values, dims.count());
  }

  static void put_order_and_type(uint8_t* at, uint32_t type) {
    at[0] = 1;
    std::memcpy(at + 1, &type, 4);
  }

  // Whether first and last of `count` tuples from `begin` of the output on have the same X and Y,
  // bit by bit as PostGIS compares them.
  bool is_closed(size_t begin, uint32_t count, int dims) const {
    const uint8_t* first = out_->data() + begin;
    const size_t last = (count - 1) * static_cast<size_t>(dims) * sizeof(double);
    return std::memcmp(first, first + last, 2 * sizeof(double)) == 0;
  }

 private:
  Buffer* out_;
};

}  // namespace headrace::ewkb
