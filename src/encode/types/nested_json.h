// JSON text of values of any Arrow type but union and run_end_encoded.
//
//   null                 null, also a NULL inside a list, struct or map
//   bool, integer        true, 1
//   float                the shortest digits that read back to the same value; NaN and infinities
//                        are rejected, for JSON has none; for SQLite, nan_as_null makes NaN null
//   decimal              a number with exactly its digits
//   text                 a string; invalid UTF-8 is rejected, and NUL where PostgreSQL reads it
//   binary               a string of \x and hex digits
//   date, time           a string, ISO 8601: "2000-02-29", "13:14:15.5"
//   timestamp            "2000-02-29T13:14:15.5", with a zone in UTC: "2000-02-29T13:14:15.5+00:00"
//   duration, interval   a string, ISO 8601: "P1Y2M3DT4H"
//   list                 an array
//   struct               an object, its fields in order. Two fields of one name: the type is
//                        refused
//   map                  an object; keys that are no text become it. A NULL key or two equal keys
//                        are rejected
//   dictionary           its value
//
// jsonb keeps numbers as numeric, so it shows 1e3 as 1000 and -0 as 0; json and SQLite keep the text.
//
// Strings for binary, dates and times are those that to_json of PostgreSQL gives for the same
// values, with all digits that a fraction has.
#pragma once

#include <memory>

#include "encode/codec.h"

namespace headrace {

// Whether values of this type have JSON text.
bool has_json(const DataType& type);

// Whether a target is filled with JSON text: json and jsonb, and every column of SQLite.
bool is_json_target(const TargetType& target, RowFormat format);

// The codec of a column that becomes JSON text. REQUIRES: has_json(type), and
// is_json_target(target, format).
Result<std::unique_ptr<Codec>> make_json_codec(const DataType& type, const TargetType& target,
                                               RowFormat format, const ValueOptions& options);

}  // namespace headrace
