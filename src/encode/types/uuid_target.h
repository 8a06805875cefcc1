// Bytes into uuid: 16 of them are its binary form; in text 8-4-4-4-12 hex digits.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>

#include "encode/codec_helpers.h"
#include "encode/format/uuid_text.h"

namespace headrace {

struct PgUuid {
  using Value = std::string_view;
  static constexpr uint32_t kShared = uuid_text::kBytes;
  bool fits(std::string_view v) const { return v.size() == uuid_text::kBytes; }
  uint8_t* put(uint8_t* out, std::string_view v, uint32_t) const {
    std::memcpy(out, v.data(), uuid_text::kBytes);
    return out + uuid_text::kBytes;
  }
  std::string explain(std::string_view v) const {
    return fmt::format("{} bytes; a uuid has {}", v.size(), uuid_text::kBytes);
  }
};

struct UuidText {
  using Value = std::string_view;
  static constexpr int kMaxBytes = uuid_text::kTextBytes;
  char* format(char* out, std::string_view v) const {
    return uuid_text::put(out, reinterpret_cast<const uint8_t*>(v.data()));
  }
};

// For target "uuid". REQUIRES: format is kPgBinary or kText.
template <typename Reader>
std::unique_ptr<Codec> make_uuid_target(RowFormat format) {
  if (format == RowFormat::kPgBinary) return column_codec<Reader, pg_binary::Cells>(PgUuid{});
  return text_codec<Reader>(PgUuid{}, UuidText{});
}

}  // namespace headrace
