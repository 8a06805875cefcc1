#include "conformance/samples.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "encode/codec.h"
#include "support/arrays.h"
#include "support/nested_types.h"

namespace headrace::test {
namespace {

DataType simple(TypeId id) {
  DataType t;
  t.id = id;
  return t;
}

DataType with_unit(TypeId id, TimeUnit unit, std::string zone = {}) {
  DataType t = simple(id);
  t.unit = unit;
  t.timezone = std::move(zone);
  return t;
}

DataType decimal(int bits, int precision, int scale) {
  DataType t = simple(TypeId::kDecimal);
  t.bit_width = bits;
  t.precision = precision;
  t.scale = scale;
  return t;
}

DataType dictionary(TypeId index, DataType value) {
  DataType t = simple(TypeId::kDictionary);
  t.index_id = index;
  t.children = {{"", std::move(value), true}};
  return t;
}

// A decimal's unscaled value, two's complement, little-endian.
std::string unscaled(int bits, __int128 value) {
  std::string out(static_cast<size_t>(bits / 8), value < 0 ? '\xff' : '\0');
  std::memcpy(out.data(), &value, std::min<size_t>(out.size(), 16));
  return out;
}

std::string interval(int32_t months, int32_t days, int64_t nanos) {
  return raw(months) + raw(days) + raw(nanos);
}

constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();

// The same number for every integer type that holds it.
template <typename T>
TypeSamples integers(const char* name, TypeId id) {
  TypeSamples s{name, simple(id), {}};
  for (const T v : {T{0}, T{1}, T{100}, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()}) {
    const std::string text = std::to_string(v);
    const bool too_large = std::is_unsigned_v<T> && sizeof(T) == 8 && v > static_cast<T>(kMax64);
    s.values.push_back({raw(v), text, too_large ? kRejected : text});
  }
  return s;
}

std::vector<SampleValue> texts() {
  const std::string long_text(70000, 'x');
  return {{"", "", "''"},
          {"a", "a", "'a'"},
          {"twelve bytes", "twelve bytes", "'twelve bytes'"},
          {"thirteen byte", "thirteen byte", "'thirteen byte'"},
          {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
           "'gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80'"},
          {"tab\t quote' back\\slash\nline", "tab\t quote' back\\slash\nline",
           "'tab\t quote'' back\\slash\nline'"},
          {"\\N", "\\N", "'\\N'"},
          {long_text, long_text, "'" + long_text + "'"},
          {std::string("nul\0byte", 8), kRejected, ""},  // SQLite keeps it; quote() cannot show it
          {"bad\xff", kRejected, kRejected}};
}

std::vector<SampleValue> blobs() {
  return {{"", "\\x", "X''"},
          {std::string("\0\xff\x10", 3), "\\x00ff10", "X'00FF10'"},
          {"abcdefghijklmnop", "\\x6162636465666768696a6b6c6d6e6f70",
           "X'6162636465666768696A6B6C6D6E6F70'"}};
}

void add_plain(std::vector<TypeSamples>* all) {
  all->push_back({"bool", simple(TypeId::kBool), {{std::string(1, '\0'), "false", "0"}, {"\1", "true", "1"}}});
  all->push_back(integers<int8_t>("int8", TypeId::kInt8));
  all->push_back(integers<int16_t>("int16", TypeId::kInt16));
  all->push_back(integers<int32_t>("int32", TypeId::kInt32));
  all->push_back(integers<int64_t>("int64", TypeId::kInt64));
  all->push_back(integers<uint8_t>("uint8", TypeId::kUint8));
  all->push_back(integers<uint16_t>("uint16", TypeId::kUint16));
  all->push_back(integers<uint32_t>("uint32", TypeId::kUint32));
  all->push_back(integers<uint64_t>("uint64", TypeId::kUint64));
  all->push_back({"float16", simple(TypeId::kFloat16),
                  {{raw<uint16_t>(0x3E00), "1.5", "1.5"}, {raw<uint16_t>(0xC000), "-2", "-2.0"},
                   {raw<uint16_t>(0x7E00), "NaN", kRejected}}});
  all->push_back({"float32", simple(TypeId::kFloat32),
                  {{raw(1.5f), "1.5", "1.5"}, {raw(-0.25f), "-0.25", "-0.25"}, {raw(3.0f), "3", "3.0"},
                   {raw(std::nanf("")), "NaN", kRejected}}});
  all->push_back({"float64", simple(TypeId::kFloat64),
                  {{raw(1.5), "1.5", "1.5"}, {raw(0.1), "0.1", "0.1"}, {raw(-1e300), "-1e+300", "-1.0e+300"},
                   {raw(7.0), "7", "7.0"}, {raw(std::nan("")), "NaN", kRejected},
                   {raw(std::numeric_limits<double>::infinity()), "Infinity", "Inf"}}});
  all->push_back({"null", simple(TypeId::kNull), {}});
}

void add_decimals(std::vector<TypeSamples>* all) {
  for (int bits : {64, 128}) {
    all->push_back({"decimal" + std::to_string(bits) + "_15_2", decimal(bits, 15, 2),
                    {{unscaled(bits, 0), "0.00", "0"}, {unscaled(bits, 1700), "17.00", "17"},
                     {unscaled(bits, 5), "0.05", "0.05"}, {unscaled(bits, -123450), "-1234.50", "-1234.5"},
                     {unscaled(bits, 10000000), "100000.00", "100000"},
                     {unscaled(bits, 999999999999999), "9999999999999.99", "9999999999999.99"}}});
  }
  all->push_back({"decimal32_9_4", decimal(32, 9, 4),
                  {{unscaled(32, 1), "0.0001", "0.0001"}, {unscaled(32, -999999999), "-99999.9999", "-99999.9999"}}});
  const __int128 big = static_cast<__int128>(1234567890123456789LL) * 1000000000000000000LL + 987654321987654321LL;
  all->push_back({"decimal128_38_9", decimal(128, 38, 9),
                  {{unscaled(128, 0), "0.000000000", "'0.000000000'"},
                   {unscaled(128, -1), "-0.000000001", "'-0.000000001'"},
                   {unscaled(128, big), "1234567890123456789987654321.987654321",
                    "'1234567890123456789987654321.987654321'"}}});
  all->push_back({"decimal256_60_10", decimal(256, 60, 10),
                  {{unscaled(256, 15000000000), "1.5000000000", "'1.5000000000'"},
                   {unscaled(256, -big), "-123456789012345678998765432.1987654321",
                    "'-123456789012345678998765432.1987654321'"}}});
  all->push_back({"decimal128_5_minus_2", decimal(128, 5, -2), {{unscaled(128, 12345), "1234500", "1234500"}}});
}

void add_bytes(std::vector<TypeSamples>* all) {
  all->push_back({"utf8", simple(TypeId::kUtf8), texts()});
  all->push_back({"large_utf8", simple(TypeId::kLargeUtf8), texts()});
  all->push_back({"utf8_view", simple(TypeId::kUtf8View), texts()});
  all->push_back({"binary", simple(TypeId::kBinary), blobs()});
  all->push_back({"large_binary", simple(TypeId::kLargeBinary), blobs()});
  all->push_back({"binary_view", simple(TypeId::kBinaryView), blobs()});
  DataType fixed = simple(TypeId::kFixedSizeBinary);
  fixed.byte_width = 3;
  all->push_back({"fixed_size_binary", fixed, {{std::string("\0\xff\x10", 3), "\\x00ff10", "X'00FF10'"}}});
}

void add_extensions(std::vector<TypeSamples>* all) {
  DataType uuid = simple(TypeId::kFixedSizeBinary);
  uuid.byte_width = 16;
  uuid.extension = "arrow.uuid";
  all->push_back({"arrow_uuid", uuid,
                  {{"\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11",
                    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
                   {std::string(16, '\0'), "00000000-0000-0000-0000-000000000000",
                    "'00000000-0000-0000-0000-000000000000'"}}});
  for (const TypeId id : {TypeId::kUtf8, TypeId::kLargeUtf8, TypeId::kUtf8View}) {
    DataType json = simple(id);
    json.extension = "arrow.json";
    all->push_back({"arrow_json_" + type_name(simple(id)), json,
                    {{"{}", "{}", "'{}'"},
                     {"{\"b\":1,\"a\":[1.50,null]}", "{\"a\": [1.50, null], \"b\": 1}",
                      "'{\"b\":1,\"a\":[1.50,null]}'"},
                     {" \"it's \\u00e4\" ", "\"it's \xc3\xa4\"", "' \"it''s \\u00e4\" '"},
                     {"\"\\u0000\"", kRejected, "'\"\\u0000\"'"},
                     {"{\"a\":}", kRejected, kRejected}}});
  }
}

void add_times(std::vector<TypeSamples>* all) {
  all->push_back({"date32", simple(TypeId::kDate32),
                  {{raw<int32_t>(0), "1970-01-01", "'1970-01-01'"}, {raw<int32_t>(11016), "2000-02-29", "'2000-02-29'"},
                   {raw<int32_t>(-719162), "0001-01-01", "'0001-01-01'"},
                   {raw<int32_t>(2932896), "9999-12-31", "'9999-12-31'"}}});
  all->push_back({"date64", simple(TypeId::kDate64),
                  {{raw<int64_t>(86400000), "1970-01-02", "'1970-01-02'"}, {raw<int64_t>(1), kRejected, kRejected}}});
  all->push_back({"time32_s", with_unit(TypeId::kTime32, TimeUnit::kSecond),
                  {{raw<int32_t>(0), "00:00:00", "'00:00:00'"}, {raw<int32_t>(86399), "23:59:59", "'23:59:59'"}}});
  all->push_back({"time32_ms", with_unit(TypeId::kTime32, TimeUnit::kMilli),
                  {{raw<int32_t>(1500), "00:00:01.5", "'00:00:01.500'"}, {raw<int32_t>(-1), kRejected, kRejected}}});
  all->push_back({"time64_us", with_unit(TypeId::kTime64, TimeUnit::kMicro),
                  {{raw<int64_t>(86399999999), "23:59:59.999999", "'23:59:59.999999'"}}});
  all->push_back({"time64_ns", with_unit(TypeId::kTime64, TimeUnit::kNano),
                  {{raw<int64_t>(1000), "00:00:00.000001", "'00:00:00.000001000'"},
                   {raw<int64_t>(1), kRejected, "'00:00:00.000000001'"}}});
  const struct { const char* name; TimeUnit unit; int64_t second; } units[] = {
      {"s", TimeUnit::kSecond, 1}, {"ms", TimeUnit::kMilli, 1000}, {"us", TimeUnit::kMicro, 1000000},
      {"ns", TimeUnit::kNano, 1000000000}};
  for (const auto& u : units) {
    const std::vector<std::pair<int64_t, std::string>> seconds = {
        {0, "1970-01-01 00:00:00"}, {979397760, "2001-01-13 14:56:00"}, {-86401, "1969-12-30 23:59:59"}};
    TypeSamples plain{std::string("timestamp_") + u.name, with_unit(TypeId::kTimestamp, u.unit), {}};
    TypeSamples zoned{plain.name + "_utc", with_unit(TypeId::kTimestamp, u.unit, "UTC"), {}};
    TypeSamples span{std::string("duration_") + u.name, with_unit(TypeId::kDuration, u.unit), {}};
    for (const auto& [value, text] : seconds) {
      plain.values.push_back({raw(value * u.second), text, "'" + text + "'"});
      zoned.values.push_back({raw(value * u.second), text + "+00", "'" + text + "Z'"});
    }
    span.values = {{raw<int64_t>(0), "PT0S", "'PT0S'"}, {raw(90 * u.second), "PT1M30S", "'PT1M30S'"}};
    all->push_back(plain);
    all->push_back(zoned);
    all->push_back(span);
  }
  (*all)[all->size() - 3].values.push_back(
      {raw<int64_t>(1), kRejected, "'1970-01-01 00:00:00.000000001'"});  // timestamp_ns
  all->push_back({"timestamp_us_berlin", with_unit(TypeId::kTimestamp, TimeUnit::kMicro, "Europe/Berlin"),
                  {{raw<int64_t>(1500000), "1970-01-01 00:00:01.5+00", "'1970-01-01 00:00:01.500000Z'"}}});
  all->push_back({"timestamp_s_out_of_range", with_unit(TypeId::kTimestamp, TimeUnit::kSecond),
                  {{raw(kMax64), kRejected, kRejected}, {raw(kMin64), kRejected, kRejected}}});
  all->push_back({"interval_months", simple(TypeId::kIntervalMonths), {{raw<int32_t>(14), "P1Y2M", "'P1Y2M'"}}});
  all->push_back({"interval_day_time", simple(TypeId::kIntervalDayTime),
                  {{raw<int32_t>(3) + raw<int32_t>(1500), "P3DT1.5S", "'P3DT1.5S'"}}});
  all->push_back({"interval_month_day_nano", simple(TypeId::kIntervalMonthDayNano),
                  {{interval(1, 2, 3000000000), "P1M2DT3S", "'P1M2DT3S'"}, {interval(0, 0, 1), kRejected, "'PT0.000000001S'"}}});
}

void add_dictionaries(std::vector<TypeSamples>* all) {
  all->push_back({"dictionary_int8_utf8", dictionary(TypeId::kInt8, simple(TypeId::kUtf8)), texts()});
  all->push_back({"dictionary_int32_utf8_view", dictionary(TypeId::kInt32, simple(TypeId::kUtf8View)), texts()});
  all->push_back({"dictionary_int16_int64", dictionary(TypeId::kInt16, simple(TypeId::kInt64)),
                  integers<int64_t>("", TypeId::kInt64).values});
  all->push_back({"dictionary_int64_date32", dictionary(TypeId::kInt64, simple(TypeId::kDate32)),
                  {{raw<int32_t>(11016), "2000-02-29", "'2000-02-29'"}}});
}

void add_lists(std::vector<TypeSamples>* all) {
  const auto ints = [](std::vector<std::optional<int32_t>> values) {
    std::vector<Raw> items;
    for (const auto& v : values) items.push_back(v ? Raw(raw(*v)) : Raw());
    return raw_items(items);
  };
  const DataType int32 = simple(TypeId::kInt32);
  const std::vector<SampleValue> lists = {{ints({}), "{}", "'[]'"},
                                          {ints({7}), "{7}", "'[7]'"},
                                          {ints({1, {}, -3}), "{1,NULL,-3}", "'[1,null,-3]'"}};
  all->push_back({"list_int32", list_of(int32), lists});
  all->push_back({"large_list_int32", list_of(int32, TypeId::kLargeList), lists});
  all->push_back({"list_view_int32", list_of(int32, TypeId::kListView), lists});
  all->push_back({"large_list_view_int32", list_of(int32, TypeId::kLargeListView), lists});
  all->push_back({"fixed_size_list_float32", fixed_list_of(simple(TypeId::kFloat32), 2),
                  {{raw_items({raw(1.5f), raw(-0.25f)}), "{1.5,-0.25}", "'[1.5,-0.25]'"},
                   {raw_items({raw(3.0f), {}}), "{3,NULL}", "'[3,null]'"},
                   {raw_items({raw(1.0f), raw(std::nanf(""))}), "{1,NaN}", kRejected}}});
  all->push_back({"list_of_texts", list_of(simple(TypeId::kUtf8)),
                  {{raw_items({"a", "", {}, "b c"}), "{a,\"\",NULL,\"b c\"}", "'[\"a\",\"\",null,\"b c\"]'"},
                   {raw_items({"x\"y\\z", "{1,2}", "null", "t\tn\n"}), "{\"x\\\"y\\\\z\",\"{1,2}\",\"null\",\"t\tn\n\"}",
                    "'[\"x\\\"y\\\\z\",\"{1,2}\",\"null\",\"t\\tn\\n\"]'"},
                   {raw_items({"a", "bad\xff"}), kRejected, kRejected}}});
  all->push_back({"list_of_decimals", list_of(decimal(128, 15, 2)),
                  {{raw_items({unscaled(128, 150), unscaled(128, -5)}), "{1.50,-0.05}", "'[1.50,-0.05]'"}}});
  all->push_back({"list_of_timestamps", list_of(with_unit(TypeId::kTimestamp, TimeUnit::kMilli)),
                  {{raw_items({raw<int64_t>(500)}), "{\"1970-01-01 00:00:00.5\"}", "'[\"1970-01-01T00:00:00.5\"]'"}}});
  all->push_back({"list_of_binary", list_of(simple(TypeId::kBinary)),
                  {{raw_items({std::string("\0\xff", 2)}), "{\"\\\\x00ff\"}", "'[\"\\\\x00ff\"]'"}}});
  all->push_back({"list_of_dictionary", list_of(dictionary(TypeId::kInt8, simple(TypeId::kUtf8))),
                  {{raw_items({"red", {}, "red"}), "{red,NULL,red}", "'[\"red\",null,\"red\"]'"}}});
  all->push_back({"list_of_lists", list_of(list_of(int32)),
                  {{raw_items({}), "{}", "'[]'"},
                   {raw_items({ints({1, 2}), ints({3, {}})}), "{{1,2},{3,NULL}}", "'[[1,2],[3,null]]'"},
                   {raw_items({ints({1}), ints({2, 3})}), kRejected, "'[[1],[2,3]]'"},
                   {raw_items({ints({1}), {}}), kRejected, "'[[1],null]'"}}});
  all->push_back({"list_of_structs", list_of(struct_of({{"a", int32}})),
                  {{raw_items({raw_items({raw<int32_t>(1)}), {}}), "{\"{\\\"a\\\": 1}\",NULL}", "'[{\"a\":1},null]'"}}});
}

void add_objects(std::vector<TypeSamples>* all) {
  const DataType utf8 = simple(TypeId::kUtf8), int64 = simple(TypeId::kInt64);
  all->push_back({"struct", struct_of({{"z", int64}, {"a", utf8}, {"l", list_of(simple(TypeId::kFloat64))}}),
                  {{raw_items({raw<int64_t>(-7), "it's \"x\" \\ y\n", raw_items({raw(1.5), {}})}),
                    "{\"a\": \"it's \\\"x\\\" \\\\ y\\n\", \"l\": [1.5, null], \"z\": -7}",
                    "'{\"z\":-7,\"a\":\"it''s \\\"x\\\" \\\\ y\\n\",\"l\":[1.5,null]}'"},
                   {raw_items({{}, {}, {}}), "{\"a\": null, \"l\": null, \"z\": null}",
                    "'{\"z\":null,\"a\":null,\"l\":null}'"},
                   {raw_items({{}, "bad\xff", {}}), kRejected, kRejected},
                   {raw_items({{}, std::string("nul\0", 4), {}}), kRejected,
                    "'{\"z\":null,\"a\":\"nul\\u0000\",\"l\":null}'"}}});
  all->push_back({"map", map_of(utf8, int64),
                  {{raw_items({}), "{}", "'{}'"},
                   {raw_items({"k", raw<int64_t>(1), "j", {}}), "{\"j\": null, \"k\": 1}", "'{\"k\":1,\"j\":null}'"},
                   {raw_items({"k", raw<int64_t>(1), "k", raw<int64_t>(2)}), kRejected, kRejected}}});
}

}  // namespace

const std::vector<TypeSamples>& all_samples() {
  static const std::vector<TypeSamples> samples = [] {
    std::vector<TypeSamples> all;
    add_plain(&all);
    add_decimals(&all);
    add_bytes(&all);
    add_extensions(&all);
    add_times(&all);
    add_dictionaries(&all);
    add_lists(&all);
    add_objects(&all);
    return all;
  }();
  return samples;
}

// A type family without samples would pass unseen.
TEST(Samples, EveryRegisteredFamilyHasSamples) {
  std::set<std::string> covered;
  for (const TypeSamples& s : all_samples()) {
    const TypeFamily* family = find_type_family(s.type);
    ASSERT_NE(family, nullptr) << s.name;
    covered.insert(family->name);
  }
  for (const TypeFamily* family : type_families()) EXPECT_EQ(covered.count(family->name), 1u) << family->name;
}

}  // namespace headrace::test
