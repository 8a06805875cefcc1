#include "encode/format/wkb.h"

#include <array>
#include <cmath>

namespace headrace {
namespace {

using ewkb::Dims;
using ewkb::Parsed;
using ewkb::Type;

constexpr char kTruncated[] = "the bytes end within the geometry";

double load_double(const uint8_t* at) {
  double v;
  std::memcpy(&v, at, 8);
  return v;
}

class Parser {
 public:
  Parser(std::string_view bytes, Buffer* out)
      : begin_(reinterpret_cast<const uint8_t*>(bytes.data())),
        p_(begin_),
        end_(begin_ + bytes.size()),
        out_(out),
        writer_(out) {}

  Parsed run() {
    if (!geometry(0, ewkb::kAnyType) ||
        (p_ != end_ && !fail("bytes follow the geometry"))) {
      parsed_.at = static_cast<size_t>(p_ - begin_);
    }
    return parsed_;
  }

 private:
  struct Head {
    Type type = ewkb::kAnyType;
    Dims dims;
    bool has_srid = false;
    int32_t srid = 0;
  };

  bool fail(const char* problem) {
    if (parsed_.problem == nullptr) parsed_.problem = problem;
    return false;
  }
  size_t left() const { return static_cast<size_t>(end_ - p_); }

  bool read32(uint32_t* v) {
    if (left() < 4) return fail(kTruncated);
    std::memcpy(v, p_, 4);
    if (swap_) *v = __builtin_bswap32(*v);
    p_ += 4;
    return true;
  }

  bool read_head(Head* head) {
    if (left() < 1) return fail(kTruncated);
    if (*p_ > 1) return fail("a byte order of 0 or 1 was expected");
    swap_ = *p_++ == 0;
    uint32_t word = 0;
    if (!read32(&word)) return false;
    const uint32_t code = word & 0x1FFFFFFF;
    const uint32_t thousands = code / 1000;
    if (thousands > 3) return fail("an unknown geometry type");
    head->dims.z = (word & ewkb::kZFlag) != 0 || thousands == 1 || thousands == 3;
    head->dims.m = (word & ewkb::kMFlag) != 0 || thousands >= 2;
    const uint32_t type = code % 1000;
    if (type >= 8 && type <= 17) return fail("curves, surfaces and triangles are not supported");
    if (type < ewkb::kPoint || type > ewkb::kCollection) return fail("an unknown geometry type");
    head->type = static_cast<Type>(type);
    head->has_srid = (word & ewkb::kSridFlag) != 0;
    if (!head->has_srid) return true;
    uint32_t srid = 0;
    if (!read32(&srid)) return false;
    if (srid > static_cast<uint32_t>(ewkb::kMaxSrid)) return fail("an SRID outside 0 to 999999");
    head->srid = static_cast<int32_t>(srid);
    return true;
  }

  // `wanted`: the type that a multi-geometry's part must have.
  bool geometry(int depth, Type wanted) {
    Head head;
    if (!read_head(&head)) return false;
    if (depth == 0) {
      parsed_.type = head.type;
      parsed_.dims = head.dims;
      parsed_.has_srid = head.has_srid;
      parsed_.srid = head.srid;
      writer_.root(head.type, head.dims);
    } else {
      if (wanted != ewkb::kAnyType && head.type != wanted) {
        return fail("a part of another type than its multi-geometry's");
      }
      if (head.dims != parsed_.dims) return fail("parts with different dimensions");
      if (head.has_srid && (!parsed_.has_srid || head.srid != parsed_.srid)) {
        return fail("a part with an SRID of its own");
      }
      writer_.part(head.type, head.dims);
    }
    return body(head.type, depth);
  }

  bool body(Type type, int depth) {
    if (type == ewkb::kPoint) return point(depth);
    uint32_t count = 0;
    if (!read32(&count)) return false;
    if (depth == 0) parsed_.empty = count == 0;
    if (type == ewkb::kLineString) {
      return tuples(count) && (count != 1 || fail("a line of one point"));
    }
    const bool is_polygon = type == ewkb::kPolygon;
    if (count > left() / (is_polygon ? 4 : 9)) return fail(kTruncated);
    writer_.put_count(count);
    if (type == ewkb::kCollection && depth + 1 > ewkb::kMaxDepth) {
      return fail("collections are nested too deeply");
    }
    for (uint32_t i = 0; i < count; ++i) {
      if (!(is_polygon ? ring() : geometry(depth + 1, ewkb::part_type(type)))) return false;
    }
    return true;
  }

  bool point(int depth) {
    const size_t at = out_->size();
    if (!copy_tuples(1)) return false;
    double values[4];
    std::memcpy(values, out_->data() + at, dims() * 8);
    if (!std::isnan(values[0]) || !std::isnan(values[1])) return true;
    for (size_t i = 2; i < dims(); ++i) {
      if (!std::isnan(values[i])) return fail("a point with Z or M, but without X and Y");
    }
    out_->set_size(at);  // NaN has many forms; PostGIS writes one
    writer_.empty_point(parsed_.dims);
    if (depth == 0) parsed_.empty = true;
    return true;
  }

  bool ring() {
    uint32_t count = 0;
    if (!read32(&count)) return false;
    const size_t first = out_->size() + 4;
    if (!tuples(count)) return false;
    if (count < 4) return fail("a ring of fewer than four points");
    return writer_.is_closed(first, count, static_cast<int>(dims())) ||
           fail("a ring that is not closed");
  }

  bool tuples(uint32_t count) {
    writer_.put_count(count);
    return copy_tuples(count);
  }

  size_t dims() const { return static_cast<size_t>(parsed_.dims.count()); }

  bool copy_tuples(size_t count) {
    if (count > left() / (8 * dims())) return fail(kTruncated);
    const size_t doubles = count * dims();
    uint8_t* to = out_->extend(doubles * 8);
    if (!swap_) {
      std::memcpy(to, p_, doubles * 8);
    } else {
      for (size_t i = 0; i < doubles; ++i) {
        uint64_t v;
        std::memcpy(&v, p_ + 8 * i, 8);
        v = __builtin_bswap64(v);
        std::memcpy(to + 8 * i, &v, 8);
      }
    }
    p_ += doubles * 8;
    return true;
  }

  const uint8_t* begin_;
  const uint8_t* p_;
  const uint8_t* end_;
  Buffer* out_;
  ewkb::Writer writer_;
  Parsed parsed_;
  bool swap_ = false;
};

// Walks an EWKB of our own; it needs no checks.
class LonLat {
 public:
  explicit LonLat(const uint8_t* p) : p_(p) {}

  bool holds() {
    const uint32_t word = read32(1);
    const auto type = static_cast<Type>(word & 0xFF);
    dims_ = 2 + ((word & ewkb::kZFlag) != 0) + ((word & ewkb::kMFlag) != 0);
    p_ += (word & ewkb::kSridFlag) != 0 ? ewkb::kHeadBytes : ewkb::kHeadBytes - 4;
    if (type == ewkb::kPoint) return point();
    if (type == ewkb::kLineString) return tuples(read_count());
    const uint32_t count = read_count();
    for (uint32_t i = 0; i < count; ++i) {
      if (!(type == ewkb::kPolygon ? tuples(read_count()) : holds())) return false;
    }
    return true;
  }

 private:
  uint32_t read32(size_t at) const {
    uint32_t v;
    std::memcpy(&v, p_ + at, 4);
    return v;
  }
  uint32_t read_count() {
    const uint32_t count = read32(0);
    p_ += 4;
    return count;
  }
  bool point() {
    if (!std::isnan(load_double(p_)) || !std::isnan(load_double(p_ + 8))) return tuples(1);
    p_ += dims_ * 8;
    return true;
  }
  bool tuples(uint32_t count) {
    bool inside = true;
    for (; count > 0; --count, p_ += dims_ * 8) {
      inside &= std::fabs(load_double(p_)) <= 180 && std::fabs(load_double(p_ + 8)) <= 90;
    }
    return inside;
  }

  const uint8_t* p_;
  size_t dims_ = 2;
};

constexpr std::array<int8_t, 256> kDigits = [] {
  std::array<int8_t, 256> digits{};
  digits.fill(-1);
  for (int i = 0; i < 10; ++i) digits[static_cast<size_t>('0' + i)] = static_cast<int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    digits[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
    digits[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
  }
  return digits;
}();

}  // namespace

Parsed parse_wkb(std::string_view bytes, Buffer* out) { return Parser(bytes, out).run(); }

Parsed decode_hex(std::string_view digits, Buffer* out) {
  out->clear();
  Parsed parsed;
  uint8_t* to = out->extend(digits.size() / 2);
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    const int byte = kDigits[static_cast<uint8_t>(digits[i])] * 16 |
                     kDigits[static_cast<uint8_t>(digits[i + 1])];
    if (byte < 0) {
      parsed.problem = "two hex digits were expected";
      parsed.at = i;
      return parsed;
    }
    *to++ = static_cast<uint8_t>(byte);
  }
  if (digits.size() % 2 != 0) {
    parsed.problem = "an odd number of hex digits";
    parsed.at = digits.size();
  }
  return parsed;
}

bool is_lon_lat(std::string_view ewkb) {
  return LonLat(reinterpret_cast<const uint8_t*>(ewkb.data())).holds();
}

}  // namespace headrace
