// Text into types whose binary form is text with a rule of its own, and into uuid.
//
//   enum   one of the target's labels, byte for byte
//   name   at most 63 bytes: the server would cut the rest
//   xml    valid UTF-8; whether it is well-formed says the server. A declaration of another
//   encoding
//          is rejected: in COPY BINARY the server would convert from that encoding
//   uuid   16 bytes; forms in format/uuid_text.h
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

#include "encode/format/datetime_parse.h"
#include "encode/format/utf8.h"
#include "encode/format/uuid_text.h"
#include "encode/types/text_parsed.h"

namespace headrace {
namespace {

// A value that is stored as its own bytes.
struct OwnBytes {
  using Parsed = std::string_view;
  static constexpr uint32_t kBytes = 0;
  uint32_t bytes(std::string_view v) const { return static_cast<uint32_t>(v.size()); }
  uint8_t* put(uint8_t* out, std::string_view v) const {
    return put_bytes(out, v.data(), v.size());
  }
};

class TextToEnum : public OwnBytes {
 public:
  explicit TextToEnum(const TargetType& target)
      : sql_(target.sql),
        labels_(std::make_shared<const Labels>(target.labels.begin(), target.labels.end())) {
    constexpr size_t kMostShown = 5;
    for (size_t i = 0; i < std::min(target.labels.size(), kMostShown); ++i) {
      shown_ += (i == 0 ? "" : ", ") + quoted_value(target.labels[i]);
    }
    if (target.labels.size() > kMostShown) shown_ += ", ...";
  }

  bool parse(std::string_view v, std::string_view* out) const {
    *out = v;
    return labels_->find(v) != labels_->end();
  }
  std::string explain(std::string_view v) const {
    return fmt::format("{} is not a label of {}, which has {}", quoted_value(v), sql_,
                       shown_.empty() ? "none" : shown_);
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Labels = std::unordered_set<std::string, Hash, std::equal_to<>>;

  std::string sql_, shown_;
  std::shared_ptr<const Labels> labels_;
};

struct TextToName : OwnBytes {
  static constexpr size_t kMostBytes = 63;
  bool parse(std::string_view v, std::string_view* out) const {
    *out = v;
    return v.size() <= kMostBytes && utf8::is_valid_without_nul(v);
  }
  std::string explain(std::string_view v) const {
    const std::string reason = explain_pg_text(v);
    if (!reason.empty()) return reason;
    return fmt::format("text of {} bytes is longer than {}, the most that name keeps", v.size(),
                       kMostBytes);
  }
};

struct TextToXml : OwnBytes {
  // The encoding that the declaration names, without its quotes; empty if it names none.
  static std::string_view declared_encoding(std::string_view v) {
    if (!v.starts_with("<?xml")) return {};
    v = v.substr(0, v.find("?>"));
    const size_t at = v.find("encoding");
    if (at == std::string_view::npos) return {};
    v.remove_prefix(at);
    const size_t quote = v.find_first_of("\"'");
    if (quote == std::string_view::npos) return {};
    const size_t end = v.find(v[quote], quote + 1);
    return end == std::string_view::npos ? std::string_view()
                                         : v.substr(quote + 1, end - quote - 1);
  }
  static bool is_utf8(std::string_view encoding) {
    return encoding.empty() || datetime_text::equals_word(encoding, "utf-8") ||
           datetime_text::equals_word(encoding, "utf8");
  }
  bool parse(std::string_view v, std::string_view* out) const {
    *out = v;
    return utf8::is_valid_without_nul(v) && is_utf8(declared_encoding(v));
  }
  std::string explain(std::string_view v) const {
    const std::string reason = explain_pg_text(v);
    if (!reason.empty()) return reason;
    return fmt::format("the XML declares the encoding {}, but text is UTF-8; leave it out",
                       quoted_value(declared_encoding(v)));
  }
};

struct TextToUuid {
  using Parsed = std::array<uint8_t, uuid_text::kBytes>;
  static constexpr uint32_t kBytes = uuid_text::kBytes;
  bool parse(std::string_view v, Parsed* out) const { return uuid_text::parse(v, out->data()); }
  uint8_t* put(uint8_t* out, const Parsed& v) const {
    std::memcpy(out, v.data(), v.size());
    return out + v.size();
  }
  std::string explain(std::string_view v) const {
    return fmt::format("{} is not a uuid", quoted_value(v));
  }
};

}  // namespace

std::unique_ptr<Codec> make_text_to_label(TypeId text, const TargetType& target, RowFormat format) {
  if (target.base == "enum") return parsed_codec(text, format, TextToEnum(target));
  if (target.base == "name") return parsed_codec(text, format, TextToName{});
  if (target.base == "xml") return parsed_codec(text, format, TextToXml{});
  if (target.base == "uuid") return parsed_codec(text, format, TextToUuid{});
  return nullptr;
}

}  // namespace headrace
