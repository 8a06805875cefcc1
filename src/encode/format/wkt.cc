#include "encode/format/wkt.h"

#include <charconv>

namespace headrace {
namespace {

using ewkb::Dims;
using ewkb::Parsed;
using ewkb::Type;

constexpr std::string_view kUnsupported[] = {
    "CIRCULARSTRING", "COMPOUNDCURVE",     "CURVEPOLYGON", "MULTICURVE",
    "MULTISURFACE",   "POLYHEDRALSURFACE", "TIN",          "TRIANGLE",
};

constexpr char kMixed[] = "tuples with different numbers of dimensions";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_letter(char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_number(char c) { return is_digit(c) || c == '-' || c == '.'; }

// Whether `word` begins with `name`, which is in upper case.
bool begins(std::string_view word, std::string_view name) {
  if (word.size() < name.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (upper(word[i]) != name[i]) return false;
  }
  return true;
}
bool is(std::string_view word, std::string_view name) {
  return word.size() == name.size() && begins(word, name);
}

// Dimensions by word.
struct Tag {
  bool given = false;
  Dims dims;
};

bool match_tag(std::string_view word, Tag* tag) {
  if (is(word, "Z")) *tag = {true, {true, false}};
  else if (is(word, "M")) *tag = {true, {false, true}};
  else if (is(word, "ZM")) *tag = {true, {true, true}};
  else return false;
  return true;
}

// A type's name, with or without Z, M or ZM at its end.
Type match_type(std::string_view word, Tag* tag) {
  for (int t = ewkb::kPoint; t <= ewkb::kCollection; ++t) {
    const auto type = static_cast<Type>(t);
    const std::string_view name = ewkb::type_name(type);
    if (!begins(word, name)) continue;
    const std::string_view rest = word.substr(name.size());
    if (rest.empty() || match_tag(rest, tag)) return type;
  }
  return ewkb::kAnyType;
}

class Parser {
 public:
  Parser(std::string_view text, Buffer* out)
      : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), out_(out), writer_(out) {}

  Parsed run() {
    skip_blanks();
    p_ += parse_srid_prefix({p_, static_cast<size_t>(end_ - p_)}, &parsed_);
    if (parsed_.ok()) find_dims();
    if (!parsed_.ok() || !shape(0, false) || !at_end()) {
      parsed_.at = static_cast<size_t>(p_ - begin_);
    }
    return parsed_;
  }

 private:
  bool fail(const char* problem) {
    if (parsed_.problem == nullptr) parsed_.problem = problem;
    return false;
  }

  void skip_blanks() {
    while (p_ < end_ && is_blank(*p_)) ++p_;
  }
  char peek() {
    skip_blanks();
    return p_ < end_ ? *p_ : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++p_;
    return true;
  }
  bool at_end() {
    skip_blanks();
    return p_ == end_ || fail("something follows the geometry");
  }
  std::string_view word_at(const char* p) const {
    const char* first = p;
    while (p < end_ && is_letter(*p)) ++p;
    return {first, static_cast<size_t>(p - first)};
  }
  std::string_view peek_word() {
    skip_blanks();
    return word_at(p_);
  }
  bool take_empty() {
    const std::string_view word = peek_word();
    if (!is(word, "EMPTY")) return false;
    p_ += word.size();
    return true;
  }

  // Dimensions are written before it is known how many numbers a tuple has: the first tag or, when
  // none stands before it, the first tuple tells. Only empty shapes: X Y.
  void find_dims() {
    const char* p = p_;
    while (p < end_ && !starts_number(*p)) {
      if (!is_letter(*p)) {
        ++p;
        continue;
      }
      const std::string_view word = word_at(p);
      Tag tag;
      if (match_tag(word, &tag) || (match_type(word, &tag) != ewkb::kAnyType && tag.given)) {
        parsed_.dims = tag.dims;
        return;
      }
      p += word.size();
    }
    int numbers = 0;
    while (p < end_ && *p != ',' && *p != ')' && numbers < 5) {
      if (is_blank(*p)) {
        ++p;
        continue;
      }
      ++numbers;
      while (p < end_ && !is_blank(*p) && *p != ',' && *p != ')') ++p;
    }
    parsed_.dims = {numbers >= 3, numbers >= 4};
  }

  // `tagged`: a shape around this one has a tag, which holds for its empty shapes too.
  bool shape(int depth, bool tagged) {
    const std::string_view word = peek_word();
    Tag tag;
    const Type type = match_type(word, &tag);
    if (type == ewkb::kAnyType) return unknown_type(word);
    p_ += word.size();
    if (!tag.given) {
      const std::string_view next = peek_word();
      if (match_tag(next, &tag)) p_ += next.size();
    }
    if (tag.given && tag.dims != parsed_.dims) return fail(kMixed);
    tagged |= tag.given;
    if (depth == 0) {
      parsed_.type = type;
      writer_.root(type, parsed_.dims);
    } else {
      writer_.part(type, parsed_.dims);
    }
    if (take_empty()) {
      if (depth == 0) parsed_.empty = true;
      return empty_body(type, tagged);
    }
    // X Y M must be said: three numbers alone are X Y Z.
    const bool only_m = parsed_.dims.m && !parsed_.dims.z;
    if (!tag.given && only_m && type != ewkb::kCollection) return fail(kMixed);
    return body(type, depth, tagged);
  }

  bool unknown_type(std::string_view word) {
    for (const std::string_view name : kUnsupported) {
      if (begins(word, name)) return fail("curves, surfaces and triangles are not supported");
    }
    return fail("a geometry type was expected");
  }

  // Without a tag, an empty shape is X Y.
  bool empty_body(Type type, bool tagged) {
    if (!tagged && parsed_.dims != Dims{}) return fail(kMixed);
    if (type == ewkb::kPoint) writer_.empty_point(parsed_.dims);
    else writer_.put_count(0);
    return true;
  }

  bool body(Type type, int depth, bool tagged) {
    switch (type) {
      case ewkb::kPoint:
        return open() && tuple() && close();
      case ewkb::kLineString:
        return line();
      case ewkb::kPolygon:
        return list([this] { return ring(); });
      case ewkb::kCollection:
        if (depth + 1 > ewkb::kMaxDepth) return fail("collections are nested too deeply");
        return list([&] { return shape(depth + 1, tagged); });
      default:
        return list([&] { return part(ewkb::part_type(type), tagged); });
    }
  }

  // A part of a multi-geometry.
  bool part(Type type, bool tagged) {
    writer_.part(type, parsed_.dims);
    if (take_empty()) return empty_body(type, tagged);
    if (type == ewkb::kPoint && peek() != '(') return tuple();
    return body(type, 0, tagged);
  }

  bool open() { return take('(') || fail("'(' was expected"); }
  bool close() {
    if (take(')')) return true;
    return fail(starts_number(peek()) ? kMixed : "',' or ')' was expected");
  }

  template <typename Item>
  bool list(Item item) {
    if (!open()) return false;
    const size_t place = writer_.count();
    uint32_t n = 0;
    do {
      if (!item()) return false;
      ++n;
    } while (take(','));
    writer_.set_count(place, n);
    return close();
  }

  // Tuples in brackets; count_ becomes their number, first_ the place of the first.
  bool tuples() {
    first_ = out_->size() + 4;
    if (!list([this] { return tuple(); })) return false;
    count_ = static_cast<uint32_t>((out_->size() - first_) / (8 * dims()));
    return true;
  }
  bool line() { return tuples() && (count_ >= 2 || fail("a line of one point")); }
  bool ring() {
    if (!tuples()) return false;
    if (count_ < 4) return fail("a ring of fewer than four points");
    return writer_.is_closed(first_, count_, static_cast<int>(dims())) ||
           fail("a ring that is not closed");
  }

  size_t dims() const { return static_cast<size_t>(parsed_.dims.count()); }

  bool tuple() {
    double values[4];
    const int n = parsed_.dims.count();
    for (int i = 0; i < n; ++i) {
      if (!number(&values[i])) return false;
    }
    writer_.tuple(values, n);
    return true;
  }

  bool number(double* value) {
    const char c = peek();
    const bool digits = is_digit(c) || (p_ + 1 < end_ && (c == '-' || c == '.') &&
                                        (is_digit(p_[1]) || p_[1] == '.'));
    if (!digits) return fail(c == ',' || c == ')' ? kMixed : "a number was expected");
    const auto [rest, error] = std::from_chars(p_, end_, *value);
    if (error == std::errc::result_out_of_range) {
      return fail("a number that double precision does not hold");
    }
    if (error != std::errc()) return fail("a number was expected");
    if (rest < end_ && !is_blank(*rest) && *rest != ',' && *rest != ')') {
      return fail("a number was expected");
    }
    p_ = rest;
    return true;
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  Buffer* out_;
  ewkb::Writer writer_;
  Parsed parsed_;
  size_t first_ = 0;
  uint32_t count_ = 0;
};

}  // namespace

size_t parse_srid_prefix(std::string_view text, Parsed* parsed) {
  constexpr std::string_view kPrefix = "SRID=";
  if (!begins(text, kPrefix)) return 0;
  const char* end = text.data() + text.size();
  int32_t srid = 0;
  auto [rest, error] = std::from_chars(text.data() + kPrefix.size(), end, srid);
  while (rest < end && is_blank(*rest)) ++rest;
  if (error != std::errc() || rest == end || *rest != ';') {
    parsed->problem = "SRID= and a number and ';' were expected";
  } else if (srid < 0 || srid > ewkb::kMaxSrid) {
    parsed->problem = "an SRID outside 0 to 999999";
  } else {
    parsed->has_srid = true;
    parsed->srid = srid;
  }
  return static_cast<size_t>(rest - text.data()) + (parsed->ok() ? 1 : 0);
}

Parsed parse_wkt(std::string_view text, Buffer* out) { return Parser(text, out).run(); }

}  // namespace headrace
