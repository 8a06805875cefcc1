#include "encode/format/geometry_blob.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace headrace::geometry_blob {
namespace {

using ewkb::Dims;
using ewkb::Type;

constexpr size_t kHeaderBytes = 8;
constexpr size_t kEnvelopeBytes = 32;
constexpr uint8_t kLittleEndian = 1;
constexpr uint8_t kHasEnvelope = 1 << 1;
constexpr uint8_t kEmpty = 1 << 4;

constexpr size_t kSpatialiteHeadBytes = 39;
constexpr uint8_t kSpatialiteHeadEnd = 0x7C;
constexpr uint8_t kSpatialitePart = 0x69;
constexpr uint8_t kSpatialiteEnd = 0xFE;

// ISO's number of a type, and SpatiaLite's.
uint32_t thousands_type(Type type, Dims dims) {
  return type + (dims.z ? 1000u : 0u) + (dims.m ? 2000u : 0u);
}

BlobFacts facts_of_type(uint32_t word) {
  BlobFacts facts;
  facts.type = static_cast<Type>(word % 1000);
  facts.dims = {(word / 1000) % 2 == 1, word / 1000 >= 2};
  return facts;
}

template <typename T>
T load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Walks the parts of an EWKB. Visitor:
//   begin(type, dims, is_root)   a geometry, after which counts, tuples and parts come
//   count(n)                     of tuples, rings or parts
//   tuples(at, n, dims)          n tuples
//   end()                        of a geometry
template <typename Visitor>
class Walk {
 public:
  Walk(std::string_view ewkb, Visitor* visitor)
      : at_(reinterpret_cast<const uint8_t*>(ewkb.data())), visitor_(visitor) {}

  void geometry(bool is_root) {
    const auto word = load<uint32_t>(at_ + 1);
    at_ += (word & ewkb::kSridFlag) != 0 ? 9 : 5;
    const auto type = static_cast<Type>(word & 0xFF);
    const Dims dims{(word & ewkb::kZFlag) != 0, (word & ewkb::kMFlag) != 0};
    visitor_->begin(type, dims, is_root);
    if (type == ewkb::kPoint) {
      tuples(1, dims);
    } else if (type == ewkb::kLineString) {
      tuples(count(), dims);
    } else {
      for (uint32_t left = count(); left > 0; --left) {
        if (type == ewkb::kPolygon) {
          visitor_->begin_ring();
          tuples(count(), dims);
          visitor_->end();
        } else {
          geometry(false);
        }
      }
    }
    visitor_->end();
  }

 private:
  uint32_t count() {
    const auto n = load<uint32_t>(at_);
    at_ += 4;
    visitor_->count(n);
    return n;
  }
  void tuples(uint32_t n, Dims dims) {
    visitor_->tuples(at_, n, dims.count());
    at_ += size_t{n} * static_cast<size_t>(dims.count()) * sizeof(double);
  }

  const uint8_t* at_;
  Visitor* visitor_;
};

// Counts and coordinates, which WKB and SpatiaLite have alike.
class BodyWriter {
 public:
  explicit BodyWriter(Buffer* out) : out_(out) {}

  void begin_ring() {}
  void count(uint32_t n) { out_->append(&n, sizeof n); }
  void tuples(const uint8_t* at, uint32_t n, int dims) {
    const size_t bytes = static_cast<size_t>(dims) * sizeof(double);
    out_->append(at, n * bytes);
    for (; n > 0; --n, at += bytes) {
      const auto x = load<double>(at), y = load<double>(at + 8);
      if (!std::isnan(x) && !std::isnan(y)) envelope.add(x, y);
    }
  }
  void end() {}

  Envelope envelope;

 protected:
  Buffer* const out_;
};

class WkbWriter : public BodyWriter {
 public:
  using BodyWriter::BodyWriter;

  void begin(Type type, Dims dims, bool) {
    ewkb::Writer::put_order_and_type(out_->extend(5), thousands_type(type, dims));
  }
};

class SpatialiteWriter : public BodyWriter {
 public:
  using BodyWriter::BodyWriter;

  void begin(Type type, Dims dims, bool is_root) {
    if (!is_root) out_->append(&kSpatialitePart, 1);
    const uint32_t word = thousands_type(type, dims);
    out_->append(&word, sizeof word);
  }
};

class SpatialiteCheck {
 public:
  void begin(Type type, Dims, bool is_root) {
    if (!is_root && type > ewkb::kPolygon) problem = "SpatiaLite has no multi-geometries within a collection";
  }
  void begin_ring() {}
  void count(uint32_t n) {
    if (n == 0) problem = kNoEmpty;
  }
  void tuples(const uint8_t* at, uint32_t n, int) {
    if (n == 1 && std::isnan(load<double>(at))) problem = kNoEmpty;
  }
  void end() {}

  const char* problem = nullptr;

 private:
  static constexpr const char* kNoEmpty = "SpatiaLite has no empty geometries";
};

class WktWriter {
 public:
  explicit WktWriter(Buffer* out) : out_(out) {}

  void begin(Type type, Dims dims, bool is_root) {
    separate();
    // Parts of a multi-geometry are told without their type, those of a collection with it.
    const bool named = is_root || types_[depth_ - 1] == ewkb::kCollection;
    if (named) {
      put(ewkb::type_name(type));
      put(dims.suffix());
      put(" ");
    }
    push(type);
  }
  void begin_ring() {
    separate();
    push(ewkb::kLineString);
  }
  void count(uint32_t n) {
    if (n == 0) close_as_empty();
  }
  void tuples(const uint8_t* at, uint32_t n, int dims) {
    if (n == 1 && types_[depth_ - 1] == ewkb::kPoint && std::isnan(load<double>(at))) {
      return close_as_empty();
    }
    for (uint32_t i = 0; i < n; ++i) {
      separate();
      for (int d = 0; d < dims; ++d, at += sizeof(double)) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, load<double>(at)).ptr;
        if (d > 0) put(" ");
        out_->append(digits, static_cast<size_t>(end - digits));
      }
    }
  }
  void end() {
    --depth_;
    if (!empty_[depth_]) put(")");
  }

 private:
  static constexpr int kDepth = ewkb::kMaxDepth + 4;

  void put(std::string_view text) { out_->append(text.data(), text.size()); }
  void push(Type type) {
    put("(");
    types_[depth_] = type;
    empty_[depth_] = false;
    first_[depth_] = true;
    ++depth_;
  }
  void separate() {
    if (depth_ == 0) return;
    if (!first_[depth_ - 1]) put(", ");
    first_[depth_ - 1] = false;
  }
  // Instead of "(".
  void close_as_empty() {
    out_->set_size(out_->size() - 1);
    put("EMPTY");
    empty_[depth_ - 1] = true;
  }

  Buffer* out_;
  int depth_ = 0;
  Type types_[kDepth] = {};
  bool empty_[kDepth] = {};
  bool first_[kDepth] = {};
};

}  // namespace

Envelope append_wkb(std::string_view ewkb, Buffer* out) {
  WkbWriter writer(out);
  Walk<WkbWriter>(ewkb, &writer).geometry(true);
  return writer.envelope;
}

void append_geopackage(std::string_view ewkb, int32_t srid, Buffer* out) {
  const size_t begin = out->size();
  const bool point = static_cast<uint8_t>(ewkb[1]) == ewkb::kPoint;
  out->extend(kHeaderBytes + (point ? 0 : kEnvelopeBytes));
  const Envelope envelope = append_wkb(ewkb, out);
  const bool empty = envelope.is_empty();
  if (empty && !point) {  // an empty one has no envelope
    uint8_t* wkb = out->data() + begin + kHeaderBytes;
    const size_t bytes = out->size() - begin - kHeaderBytes - kEnvelopeBytes;
    std::memmove(wkb, wkb + kEnvelopeBytes, bytes);
    out->set_size(out->size() - kEnvelopeBytes);
  }
  uint8_t* header = out->data() + begin;
  header[0] = 'G';
  header[1] = 'P';
  header[2] = 0;
  header[3] = static_cast<uint8_t>(kLittleEndian | (empty ? kEmpty : point ? 0 : kHasEnvelope));
  std::memcpy(header + 4, &srid, 4);
  if (empty || point) return;
  const double bounds[4] = {envelope.min_x, envelope.max_x, envelope.min_y, envelope.max_y};
  std::memcpy(header + kHeaderBytes, bounds, sizeof bounds);
}

void append_spatialite(std::string_view ewkb, int32_t srid, Buffer* out) {
  const size_t begin = out->size();
  out->extend(kSpatialiteHeadBytes);
  SpatialiteWriter writer(out);
  Walk<SpatialiteWriter>(ewkb, &writer).geometry(true);
  out->append(&kSpatialiteEnd, 1);
  uint8_t* head = out->data() + begin;
  head[0] = 0;
  head[1] = kLittleEndian;
  std::memcpy(head + 2, &srid, 4);
  const Envelope& box = writer.envelope;
  const double bounds[4] = {box.min_x, box.min_y, box.max_x, box.max_y};
  std::memcpy(head + 6, bounds, sizeof bounds);
  head[kSpatialiteHeadBytes - 1] = kSpatialiteHeadEnd;
}

const char* spatialite_problem(std::string_view ewkb) {
  SpatialiteCheck check;
  Walk<SpatialiteCheck>(ewkb, &check).geometry(true);
  return check.problem;
}

void append_wkt(std::string_view ewkb, Buffer* out) {
  WktWriter writer(out);
  Walk<WktWriter>(ewkb, &writer).geometry(true);
}

BlobFacts read_geopackage(const uint8_t* blob) {
  const uint8_t flags = blob[3];
  const uint8_t* wkb = blob + kHeaderBytes + ((flags & kHasEnvelope) != 0 ? kEnvelopeBytes : 0);
  BlobFacts facts = facts_of_type(load<uint32_t>(wkb + 1));
  if ((flags & kHasEnvelope) != 0) {
    const uint8_t* at = blob + kHeaderBytes;
    facts.envelope.add(load<double>(at), load<double>(at + 16));
    facts.envelope.add(load<double>(at + 8), load<double>(at + 24));
  } else if ((flags & kEmpty) == 0) {
    facts.envelope.add(load<double>(wkb + 5), load<double>(wkb + 13));
  }
  return facts;
}

BlobFacts read_spatialite(const uint8_t* blob) {
  BlobFacts facts = facts_of_type(load<uint32_t>(blob + kSpatialiteHeadBytes));
  facts.envelope.add(load<double>(blob + 6), load<double>(blob + 14));
  facts.envelope.add(load<double>(blob + 22), load<double>(blob + 30));
  return facts;
}

}  // namespace headrace::geometry_blob
