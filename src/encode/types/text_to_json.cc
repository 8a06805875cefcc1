// Text into json and jsonb: checked here, so that a bad document is found with its row and place.
//
//   json    the text as it is
//   jsonb   OFFSET  SIZE  DESCRIPTION
//           0       1     version, 1
//           1       n     the text as it is
#include <fmt/format.h>

#include "encode/format/json_check.h"
#include "encode/format/utf8.h"
#include "encode/types/text_parsed.h"

namespace headrace {
namespace {

template <JsonCheck::Target kTarget>
struct TextToJson {
  using Parsed = std::string_view;
  static constexpr uint32_t kBytes = 0;
  static constexpr uint32_t kVersionBytes = kTarget == JsonCheck::Target::kJsonb ? 1 : 0;
  // jsonb counts the bytes of a string, array or object in 28 bits.
  static constexpr uint32_t kMostBytes =
      kTarget == JsonCheck::Target::kJsonb ? (1U << 28) - 1 : kMaxCellBytes;

  bool parse(std::string_view v, std::string_view* out) const {
    *out = v;
    return v.size() <= kMostBytes && utf8::is_valid(v) && JsonCheck(v, kTarget).run();
  }
  uint32_t bytes(std::string_view v) const {
    return static_cast<uint32_t>(v.size()) + kVersionBytes;
  }
  uint8_t* put(uint8_t* out, std::string_view v) const {
    if constexpr (kVersionBytes != 0) *out++ = 1;
    return put_bytes(out, v.data(), v.size());
  }
  std::string explain(std::string_view v) const {
    if (v.size() > kMostBytes) {
      return fmt::format("text of {} bytes; jsonb takes {}", v.size(), kMostBytes);
    }
    std::string reason = explain_pg_text(v);
    if (!reason.empty()) return reason;
    JsonCheck check(v, kTarget);
    check.run();
    return fmt::format("{} is not JSON that {} takes: {} at byte {}", quoted_value(v),
                       kVersionBytes != 0 ? "jsonb" : "json", check.problem(), check.place());
  }
};

}  // namespace

std::unique_ptr<Codec> make_text_to_json(TypeId text, const TargetType& target, RowFormat format) {
  if (target.base == "json") {
    return parsed_codec(text, format, TextToJson<JsonCheck::Target::kJson>{});
  }
  if (target.base == "jsonb") {
    return parsed_codec(text, format, TextToJson<JsonCheck::Target::kJsonb>{});
  }
  return nullptr;
}

}  // namespace headrace
