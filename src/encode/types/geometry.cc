// Text and binary into geometry and geography.
//
//   source       text: WKT, EWKT, or hex digits of WKB and EWKB; binary: WKB and EWKB
//   pg_binary    EWKB;  text: the same as hex digits
//   SRID         the value's own, else the option's, else the column's, else 4326. One that differs
//                from the column's is rejected
//   type, Z, M   those that the column declares; promote_to_multi makes a POINT, LINESTRING or
//                POLYGON a part of its MULTI... type where the column declares that
//   rejected     what PostGIS would not take; coordinates outside lon/lat in geography, which
//                PostGIS would move; empty text
//
// measure() renders: the EWKB of a value is known only when it was parsed. What it rendered is
// kept, so that rows that did not fit into a block are not parsed again for the next.
#include "encode/types/geometry.h"

#include <fmt/format.h>

#include <vector>

#include "encode/codec_helpers.h"
#include "encode/format/ewkb.h"
#include "encode/format/geometry_blob.h"
#include "encode/format/utf8.h"
#include "encode/format/wkb.h"
#include "encode/format/wkt.h"

namespace headrace {
namespace {

constexpr int32_t kDefaultSrid = 4326;

// What promotion puts in front: number of parts (1), and the part's byte order and type.
constexpr size_t kPromotedBytes = 9;

// What a column takes. PostGIS's type modifier:
//   bits 8..28 SRID, signed; 2..7 type, 0 any; 1 Z; 0 M
struct GeometryColumn {
  bool geography = false;
  bool declared = false;
  int32_t srid = 0;  // 0: any
  ewkb::Type type = ewkb::kAnyType;
  ewkb::Dims dims;
  int32_t default_srid = kDefaultSrid;
  bool srid_by_option = false;
  bool promotes = false;
  ValueOptions::Geometry sqlite = ValueOptions::Geometry::kNone;  // how SQLite holds it
};

Result<GeometryColumn> describe_column(const DataType& type, const TargetType& target,
                                       const ValueOptions& options) {
  GeometryColumn column;
  column.geography = target.base == "geography";
  column.declared = target.typmod >= 0;
  if (column.declared) {
    const auto bits = static_cast<uint32_t>(target.typmod);
    const uint32_t declared_type = (bits >> 2) & 0x3F;
    if (declared_type > ewkb::kCollection) return type_mismatch(type, target);
    column.srid = static_cast<int32_t>(bits << 3) >> 11;
    column.type = static_cast<ewkb::Type>(declared_type);
    column.dims = {(bits & 2) != 0, (bits & 1) != 0};
  }
  if (options.srid >= 0) {
    column.default_srid = options.srid;
    column.srid_by_option = true;
  } else if (column.srid > 0) {
    column.default_srid = column.srid;
  }
  column.sqlite = options.geometry;
  // A layer has one reference system.
  if (is_layer(column.sqlite)) column.srid = column.default_srid;
  column.promotes = options.promote_to_multi && ewkb::part_type(column.type) != ewkb::kAnyType;
  return column;
}

// A value as a person would recognise it in an error: its beginning.
std::string shown(std::string_view value, bool is_text) {
  constexpr size_t kTextBytes = 48, kBinaryBytes = 24;
  if (!is_text) {
    std::string out = "0x";
    for (const char c : value.substr(0, kBinaryBytes)) {
      out += fmt::format("{:02X}", static_cast<uint8_t>(c));
    }
    return out + (value.size() > kBinaryBytes ? "..." : "");
  }
  std::string_view head = value.substr(0, kTextBytes);
  head = head.substr(0, utf8::first_invalid(head));  // does not end within a character
  return fmt::format("'{}{}'", head, head.size() < value.size() ? "..." : "");
}

// The reason why a shape of a valid value does not fit the column; empty if it does.
std::string explain_misfit(const GeometryColumn& column, const ewkb::Parsed& parsed, int32_t srid) {
  if (column.srid > 0 && srid != column.srid) {
    const char* origin = parsed.has_srid ? "" : " (--srid)";
    return fmt::format("the SRID is {}{}, the column's {}", srid, origin, column.srid);
  }
  if (!column.declared) return {};
  const ewkb::Type promoted = column.promotes ? ewkb::part_type(column.type) : column.type;
  if (column.type != ewkb::kAnyType && parsed.type != column.type && parsed.type != promoted) {
    const bool would_promote = parsed.type == ewkb::part_type(column.type);
    return fmt::format("{} in a column of {}{}", ewkb::type_name(parsed.type),
                       ewkb::type_name(column.type),
                       would_promote ? "; --promote-to-multi stores it as one part" : "");
  }
  if (parsed.dims != column.dims) {
    return fmt::format("{}{} in a column of {}{}", ewkb::type_name(parsed.type),
                       parsed.dims.suffix(), ewkb::type_name(column.type), column.dims.suffix());
  }
  return {};
}

std::string_view trimmed(std::string_view v) {
  constexpr std::string_view kBlanks = " \t\n\r";
  v.remove_prefix(std::min(v.find_first_not_of(kBlanks), v.size()));
  return v.substr(0, v.find_last_not_of(kBlanks) + 1);
}

// One value to the column's EWKB.
class Renderer {
 public:
  Renderer(GeometryColumn column, bool is_text) : column_(column), is_text_(is_text) {}

  struct Rendered {
    size_t begin = 0;  // of the EWKB in `out`, which ends with it
    bool promoted = false;
    std::string problem;  // empty: it is stored
  };

  Rendered render(std::string_view value, Buffer* out) {
    Rendered rendered;
    rendered.begin = out->size();
    if (column_.promotes) out->extend(kPromotedBytes);
    const size_t begin = out->size();
    const ewkb::Parsed parsed = parse(value, out);
    const int32_t srid = parsed.has_srid ? parsed.srid : column_.default_srid;
    if (!parsed.ok()) {
      rendered.problem = fmt::format("{} at byte {}", parsed.problem, parsed.at + 1);
    } else {
      std::memcpy(out->data() + begin + ewkb::kSridOffset, &srid, 4);
      rendered.problem = explain_misfit(column_, parsed, srid);
      if (rendered.problem.empty() && column_.geography && !is_lon_lat(out->view().substr(begin))) {
        rendered.problem = "a coordinate outside longitude -180 to 180 and latitude -90 to 90";
      }
      if (rendered.problem.empty() && column_.sqlite == ValueOptions::Geometry::kSpatialite) {
        const char* problem = geometry_blob::spatialite_problem(out->view().substr(begin));
        if (problem != nullptr) rendered.problem = problem;
      }
    }
    if (!rendered.problem.empty()) {
      rendered.problem += ": " + shown(value, is_text_);
    } else if (column_.promotes && parsed.type != column_.type) {
      promote(parsed, begin, out, &rendered);
    } else {
      rendered.begin = begin;
    }
    if (rendered.problem.empty() && column_.sqlite != ValueOptions::Geometry::kNone) {
      put_for_sqlite(rendered.begin, srid, out);
    }
    return rendered;
  }

 private:
  // Puts the form of the column in the place of the EWKB that begins at `begin`.
  void put_for_sqlite(size_t begin, int32_t srid, Buffer* out) {
    bytes_.clear();
    bytes_.append(out->data() + begin, out->size() - begin);
    out->set_size(begin);
    if (column_.sqlite == ValueOptions::Geometry::kWkt) {
      geometry_blob::append_wkt(bytes_.view(), out);
    } else if (column_.sqlite == ValueOptions::Geometry::kWkb) {
      geometry_blob::append_wkb(bytes_.view(), out);
    } else if (column_.sqlite == ValueOptions::Geometry::kSpatialite) {
      geometry_blob::append_spatialite(bytes_.view(), srid, out);
    } else {
      geometry_blob::append_geopackage(bytes_.view(), srid, out);
    }
  }

  // Hex digits begin with 0, WKT with a letter.
  ewkb::Parsed parse(std::string_view value, Buffer* out) {
    if (!is_text_) return parse_wkb(value, out);
    const std::string_view text = trimmed(value);
    ewkb::Parsed prefix;
    if (text.empty()) {
      prefix.problem = "empty text";
      return prefix;
    }
    const size_t digits = parse_srid_prefix(text, &prefix);
    if (!prefix.ok() || digits >= text.size() || text[digits] != '0') return parse_wkt(value, out);
    ewkb::Parsed parsed = decode_hex(text.substr(digits), &bytes_);
    if (parsed.ok()) parsed = parse_wkb(bytes_.view(), out);
    if (parsed.ok() && prefix.has_srid) {
      if (parsed.has_srid && parsed.srid != prefix.srid) parsed.problem = "two different SRIDs";
      parsed.has_srid = true;
      parsed.srid = prefix.srid;
    }
    return parsed;
  }

  // The rendered head moves to the front, as that of the multi-geometry:
  //   before  [9 free][order type srid][body]
  //   after   [order type srid][1 part, order type][body]
  void promote(const ewkb::Parsed& parsed, size_t begin, Buffer* out, Rendered* rendered) const {
    uint8_t* at = out->data() + rendered->begin;
    std::memmove(at, out->data() + begin, ewkb::kHeadBytes);
    const uint32_t flags = parsed.dims.flags();
    ewkb::Writer::put_order_and_type(at, column_.type | flags | ewkb::kSridFlag);
    at += ewkb::kHeadBytes;
    const uint32_t parts = parsed.empty ? 0 : 1;
    std::memcpy(at, &parts, 4);
    if (parsed.empty) {  // as ST_Multi does: a multi-geometry without parts
      out->set_size(rendered->begin + ewkb::kHeadBytes + 4);
    } else {
      ewkb::Writer::put_order_and_type(at + 4, parsed.type | flags);
    }
    rendered->promoted = true;
  }

  GeometryColumn column_;
  bool is_text_;
  Buffer bytes_;  // of hex digits, or an EWKB on its way
};

// Rows that measure rendered: [begin, end) of the bound column.
class RenderedRows {
 public:
  struct Row {
    size_t begin = 0, bytes = 0;  // in the buffer; 0 bytes: NULL or rejected
    bool promoted = false;
    std::string problem;
  };

  void clear() {
    rows_.clear();
    bytes_.clear();
    begin_ = 0;
  }
  // Keeps what of [begin, end) is there: the rows from end_row() on are to be added.
  void keep(int64_t begin, int64_t end) {
    if (begin < begin_ || begin > end_row()) clear();
    if (rows_.empty()) begin_ = begin;
    if (end > end_row()) drop_before(begin);
  }
  int64_t end_row() const { return begin_ + static_cast<int64_t>(rows_.size()); }
  void add(Row row) { rows_.push_back(std::move(row)); }
  const Row& operator[](int64_t row) const { return rows_[static_cast<size_t>(row - begin_)]; }
  Buffer& bytes() { return bytes_; }
  const uint8_t* data(const Row& row) const { return bytes_.data() + row.begin; }

 private:
  void drop_before(int64_t begin) {
    const auto gone = static_cast<size_t>(begin - begin_);
    if (gone == 0) return;
    const size_t from = gone < rows_.size() ? rows_[gone].begin : bytes_.size();
    const size_t left = bytes_.size() - from;
    if (left > 0) std::memmove(bytes_.data(), bytes_.data() + from, left);
    bytes_.set_size(left);
    rows_.erase(rows_.begin(), rows_.begin() + static_cast<ptrdiff_t>(gone));
    for (Row& row : rows_) row.begin -= from;
    begin_ = begin;
  }

  std::vector<Row> rows_;
  Buffer bytes_;
  int64_t begin_ = 0;
};

uint8_t* put_hex(uint8_t* out, const uint8_t* bytes, size_t n) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < n; ++i) {
    *out++ = static_cast<uint8_t>(kDigits[bytes[i] >> 4]);
    *out++ = static_cast<uint8_t>(kDigits[bytes[i] & 15]);
  }
  return out;
}

// How a cell holds what was rendered.
enum class Form { kPgBinary, kHex, kSqliteText, kSqliteBlob };

template <typename Reader, Form kForm>
class GeometryCodec final : public Codec {
  static constexpr bool kHex = kForm == Form::kHex;
  using Cells = std::conditional_t<
      kHex, text::Cells,
      std::conditional_t<kForm == Form::kPgBinary, pg_binary::Cells, sqlite_record::Cells>>;

 public:
  GeometryCodec(const GeometryColumn& column, bool is_text)
      : renderer_(column, is_text),
        change_(column.promotes ? "promoted to multi (--promote-to-multi)" : nullptr) {}

  void bind(const ColumnView&) override { kept_.clear(); }

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const Reader values(column);
    const int64_t end = rows.begin + rows.count;
    kept_.keep(rows.begin, end);
    for (int64_t row = kept_.end_row(); row < end; ++row) {
      const RenderedRows::Row null{kept_.bytes().size()};
      kept_.add(column.is_null(row) ? null : render(values[row]));
    }
    for (int i = 0; i < rows.count; ++i) {
      const RenderedRows::Row& row = kept_[rows.begin + i];
      if (!row.problem.empty()) [[unlikely]] rejects.push_back({rows.begin + i, row.problem});
      cells[i] = row.bytes == 0 ? Cells::kNull : Cells::from_bytes(size_of(row));
    }
    return kCellsDiffer;
  }

  void write(const ColumnView&, RowSpan rows, const uint32_t*, uint8_t** cursors) override {
    for (int i = 0; i < rows.count; ++i) {
      const RenderedRows::Row& row = kept_[rows.begin + i];
      if (row.bytes == 0) {
        cursors[i] = Cells::put_null(cursors[i]);
        continue;
      }
      uint8_t* at = Cells::open(cursors[i], size_of(row));
      if constexpr (kHex) {
        at = put_hex(at, kept_.data(row), row.bytes);
      } else {
        std::memcpy(at, kept_.data(row), row.bytes);
        at += row.bytes;
      }
      cursors[i] = Cells::close(at);
      changed_ += row.promoted;
    }
  }

  const char* change() const override { return change_; }

 private:
  static uint32_t size_of(const RenderedRows::Row& row) {
    const auto bytes = static_cast<uint32_t>(row.bytes);
    if (kForm == Form::kSqliteText) return sqlite_record::serial_of_text(bytes);
    if (kForm == Form::kSqliteBlob) return sqlite_record::serial_of_blob(bytes);
    return static_cast<uint32_t>(kHex ? 2 * row.bytes : row.bytes);
  }

  RenderedRows::Row render(std::string_view value) {
    Buffer& out = kept_.bytes();
    const size_t before = out.size();
    Renderer::Rendered rendered = renderer_.render(value, &out);
    RenderedRows::Row row;
    row.begin = rendered.begin;
    row.bytes = out.size() - rendered.begin;
    row.promoted = rendered.promoted;
    if (rendered.problem.empty() && row.bytes > kMaxCellBytes / (kHex ? 2 : 1)) {
      rendered.problem = fmt::format("{} bytes of EWKB; the limit is 1 GiB", row.bytes);
    }
    if (!rendered.problem.empty()) {
      row = {before, 0, false, std::move(rendered.problem)};
      out.set_size(before);
    }
    return row;
  }

  Renderer renderer_;
  RenderedRows kept_;
  const char* change_;
};

template <typename Reader>
std::unique_ptr<Codec> make_for(const GeometryColumn& column, bool is_text, RowFormat format) {
  switch (format) {
    case RowFormat::kText:
      return std::make_unique<GeometryCodec<Reader, Form::kHex>>(column, is_text);
    case RowFormat::kPgBinary:
      return std::make_unique<GeometryCodec<Reader, Form::kPgBinary>>(column, is_text);
    default:
      if (column.sqlite == ValueOptions::Geometry::kWkt) {
        return std::make_unique<GeometryCodec<Reader, Form::kSqliteText>>(column, is_text);
      }
      return std::make_unique<GeometryCodec<Reader, Form::kSqliteBlob>>(column, is_text);
  }
}

}  // namespace

Result<std::unique_ptr<Codec>> geometry_codec(const DataType& type, const TargetType& target,
                                              RowFormat format, const ValueOptions& options) {
  HEADRACE_ASSIGN(const GeometryColumn column, describe_column(type, target, options));
  switch (type.id) {
    case TypeId::kUtf8:
      return make_for<BytesReader<int32_t>>(column, true, format);
    case TypeId::kLargeUtf8:
      return make_for<BytesReader<int64_t>>(column, true, format);
    case TypeId::kUtf8View:
      return make_for<ViewReader>(column, true, format);
    case TypeId::kBinary:
      return make_for<BytesReader<int32_t>>(column, false, format);
    case TypeId::kLargeBinary:
      return make_for<BytesReader<int64_t>>(column, false, format);
    case TypeId::kBinaryView:
      return make_for<ViewReader>(column, false, format);
    case TypeId::kFixedSizeBinary:
      return make_for<FixedBytesReader>(column, false, format);
    default:
      return type_mismatch(type, target);
  }
}

}  // namespace headrace
