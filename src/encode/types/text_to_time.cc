// Text into date, timestamp, timestamptz, time, timetz and interval. Forms: format/datetime_parse.h
// and format/interval_parse.h. What the target would drop or round is rejected: a time of day in a
// date, a zone where the type keeps none, digits past the fraction's precision.
#include <fmt/format.h>

#include <limits>

#include "encode/format/datetime_parse.h"
#include "encode/format/interval_parse.h"
#include "encode/types/text_parsed.h"
#include "encode/types/time_unit.h"

namespace headrace {
namespace {

using datetime_text::kMicrosPerDay;
using datetime_text::Parts;

// Days from 1970-01-01 of PostgreSQL's first day, 4713-11-24 BC, and past its last ones.
constexpr int64_t kBeginDays = -2440588;
constexpr int64_t kDateEndDays = 2145042906;      // 5874898-01-01
constexpr int64_t kTimestampEndDays = 106762940;  // 294277-01-01

std::string no_such(std::string_view v, const char* what, const char* form) {
  if (datetime_text::is_ambiguous(v)) {
    return fmt::format("{} could mean several dates; write {}", quoted_value(v), form);
  }
  return fmt::format("{} is not {}; expected {}", quoted_value(v), what, form);
}

std::string out_of_range(std::string_view v, const char* type) {
  return fmt::format("{} is out of range for {}", quoted_value(v), type);
}

std::string too_fine(std::string_view v, const FractionLimit& limit) {
  return fmt::format("{} has digits past {}", quoted_value(v), limit.name());
}

std::string dropped_zone(std::string_view v, const char* type, const char* other) {
  return fmt::format("{} has a time zone, which {} does not keep; use a column of {}",
                     quoted_value(v), type, other);
}

struct TextToDate {
  using Parsed = int32_t;
  static constexpr uint32_t kBytes = 4;

  static bool in_range(int64_t days) { return days >= kBeginDays && days < kDateEndDays; }
  bool parse(std::string_view v, int32_t* out) const {
    Parts parts;
    if (!datetime_text::parse(v, &parts)) return false;
    *out = static_cast<int32_t>(parts.days - pg_binary::kEpochDays);
    if (parts.infinity != 0) {
      *out = parts.infinity > 0 ? std::numeric_limits<int32_t>::max()
                                : std::numeric_limits<int32_t>::min();
      return true;
    }
    return parts.has_date && parts.micros == 0 && !parts.is_finer && !parts.has_zone &&
           in_range(parts.days);
  }
  uint8_t* put(uint8_t* out, int32_t days) const {
    store_be32(out, static_cast<uint32_t>(days));
    return out + 4;
  }
  std::string explain(std::string_view v) const {
    Parts parts;
    if (!datetime_text::parse(v, &parts) || !parts.has_date) {
      return no_such(v, "a date", "YYYY-MM-DD");
    }
    if (parts.has_zone) return dropped_zone(v, "date", "timestamptz");
    if (!in_range(parts.days)) return out_of_range(v, "date");
    return fmt::format("{} has a time of day, which date does not keep", quoted_value(v));
  }
};

struct TextToTimestamp {
  using Parsed = int64_t;
  static constexpr uint32_t kBytes = 8;
  bool zoned;
  FractionLimit fraction;

  const char* type() const { return zoned ? "timestamptz" : "timestamp"; }
  // Microseconds from 2000-01-01, where the range ends within 64 bits.
  static bool to_micros(const Parts& parts, int64_t* out) {
    constexpr int64_t kSecond = datetime_text::kMicrosPerSecond;
    constexpr int64_t kBegin = (kBeginDays - pg_binary::kEpochDays) * kMicrosPerDay;
    constexpr int64_t kEnd = (kTimestampEndDays - pg_binary::kEpochDays) * kMicrosPerDay;
    if (parts.days < kBeginDays || parts.days >= kTimestampEndDays) return false;
    *out = (parts.days - pg_binary::kEpochDays) * kMicrosPerDay + parts.micros;
    if (*out >= kEnd) return false;
    *out -= parts.zone * kSecond;
    return *out >= kBegin && *out < kEnd;
  }
  bool parse(std::string_view v, int64_t* out) const {
    Parts parts;
    if (!datetime_text::parse(v, &parts)) return false;
    if (parts.infinity != 0) {
      *out = parts.infinity > 0 ? std::numeric_limits<int64_t>::max()
                                : std::numeric_limits<int64_t>::min();
      return true;
    }
    return parts.has_date && parts.has_zone == zoned && !parts.is_finer && to_micros(parts, out) &&
           fraction.keeps(parts.micros);
  }
  uint8_t* put(uint8_t* out, int64_t micros) const {
    store_be64(out, static_cast<uint64_t>(micros));
    return out + 8;
  }
  std::string explain(std::string_view v) const {
    Parts parts;
    if (!datetime_text::parse(v, &parts) || !parts.has_date) {
      return no_such(v, "a timestamp", zoned ? "YYYY-MM-DD HH:MM:SS+00" : "YYYY-MM-DD HH:MM:SS");
    }
    if (parts.has_zone && !zoned) return dropped_zone(v, "timestamp", "timestamptz");
    if (!parts.has_zone && zoned) {
      return fmt::format("{} has no time zone, so it is no instant; write one, as in {}",
                         quoted_value(v), "2024-01-31 12:34:56+00");
    }
    int64_t micros = 0;
    if (!to_micros(parts, &micros)) return out_of_range(v, type());
    return too_fine(v, fraction);
  }
};

struct TextToTime {
  using Parsed = int64_t;
  static constexpr uint32_t kBytes = 8;
  FractionLimit fraction;

  bool parse(std::string_view v, int64_t* out) const {
    Parts parts;
    if (!datetime_text::parse(v, &parts)) return false;
    *out = parts.micros;
    return parts.has_time && !parts.has_date && !parts.has_zone && !parts.is_finer &&
           fraction.keeps(parts.micros);
  }
  uint8_t* put(uint8_t* out, int64_t micros) const {
    store_be64(out, static_cast<uint64_t>(micros));
    return out + 8;
  }
  std::string explain(std::string_view v) const {
    Parts parts;
    const bool valid = datetime_text::parse(v, &parts) && parts.has_time;
    if (valid && parts.has_date) {
      return fmt::format("{} has a date, which time does not keep", quoted_value(v));
    }
    if (!valid) return fmt::format("{} is not a time; expected HH:MM:SS", quoted_value(v));
    if (parts.has_zone) return dropped_zone(v, "time", "timetz");
    return too_fine(v, fraction);
  }
};

//   OFFSET  SIZE  DESCRIPTION
//   0       8     microseconds from midnight, big-endian
//   8       4     zone: seconds west of UTC
struct ZonedTime {
  int64_t micros;
  int32_t zone;
};
struct TextToZonedTime {
  using Parsed = ZonedTime;
  static constexpr uint32_t kBytes = 12;
  FractionLimit fraction;

  bool parse(std::string_view v, ZonedTime* out) const {
    Parts parts;
    if (!datetime_text::parse(v, &parts)) return false;
    *out = {parts.micros, -parts.zone};
    return parts.has_time && !parts.has_date && parts.has_zone && !parts.is_finer &&
           fraction.keeps(parts.micros);
  }
  uint8_t* put(uint8_t* out, const ZonedTime& time) const {
    store_be64(out, static_cast<uint64_t>(time.micros));
    store_be32(out + 8, static_cast<uint32_t>(time.zone));
    return out + 12;
  }
  std::string explain(std::string_view v) const {
    Parts parts;
    const bool valid = datetime_text::parse(v, &parts) && parts.has_time;
    if (valid && parts.has_date) {
      return fmt::format("{} has a date, which timetz does not keep", quoted_value(v));
    }
    if (!valid) return fmt::format("{} is not a time; expected HH:MM:SS+00", quoted_value(v));
    if (!parts.has_zone) {
      return fmt::format("{} has no time zone; write one, as in 12:34:56+00", quoted_value(v));
    }
    return too_fine(v, fraction);
  }
};

struct TextToInterval {
  using Parsed = interval_text::Interval;
  static constexpr uint32_t kBytes = 16;
  FractionLimit fraction;

  bool parse(std::string_view v, Parsed* out) const {
    return interval_text::parse(v, out) == interval_text::Problem::kNone &&
           fraction.keeps(out->micros);
  }
  uint8_t* put(uint8_t* out, const Parsed& v) const {
    store_be64(out, static_cast<uint64_t>(v.micros));
    store_be32(out + 8, static_cast<uint32_t>(v.days));
    store_be32(out + 12, static_cast<uint32_t>(v.months));
    return out + 16;
  }
  std::string explain(std::string_view v) const {
    Parsed parsed;
    switch (interval_text::parse(v, &parsed)) {
      case interval_text::Problem::kSyntax:
        return fmt::format("{} is not an interval; expected P1Y2M3DT4H5M6S or 3 days 04:05:06",
                           quoted_value(v));
      case interval_text::Problem::kRange:
        return out_of_range(v, "interval");
      default:
        return too_fine(v, fraction);
    }
  }
};

// interval(p) and its fields as a type modifier: fields << 16 | p; all fields are 0x7FFF.
constexpr bool has_all_fields(int32_t typmod) { return typmod < 0 || (typmod >> 16) == 0x7FFF; }

}  // namespace

std::unique_ptr<Codec> make_text_to_time(TypeId text, const TargetType& target, RowFormat format) {
  const auto limit = [&](const char* type) { return FractionLimit(type, target.typmod); };
  if (target.base == "date") return parsed_codec(text, format, TextToDate{});
  if (target.base == "timestamp") {
    return parsed_codec(text, format, TextToTimestamp{false, limit("timestamp")});
  }
  if (target.base == "timestamptz") {
    return parsed_codec(text, format, TextToTimestamp{true, limit("timestamptz")});
  }
  if (target.base == "time") return parsed_codec(text, format, TextToTime{limit("time")});
  if (target.base == "timetz") return parsed_codec(text, format, TextToZonedTime{limit("timetz")});
  // A target such as "interval year to month" would drop the other fields.
  if (target.base == "interval" && has_all_fields(target.typmod)) {
    const int32_t precision = target.typmod < 0 ? -1 : target.typmod & 0xFFFF;
    return parsed_codec(text, format, TextToInterval{FractionLimit("interval", precision)});
  }
  return nullptr;
}

}  // namespace headrace
