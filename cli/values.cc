#include "values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace headrace::cli {
namespace {

struct Unit {
  std::string_view name;  // lower case
  double factor;
};

constexpr Unit kSizes[] = {{"", 1},          {"b", 1},          {"k", 1e3},       {"kb", 1e3},
                           {"kib", 1 << 10}, {"m", 1e6},        {"mb", 1e6},      {"mib", 1 << 20},
                           {"g", 1e9},       {"gb", 1e9},       {"gib", 1 << 30}, {"t", 1e12},
                           {"tb", 1e12},     {"tib", 1LL << 40}};
constexpr Unit kTimes[] = {{"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"h", 36e5}};

Error bad_value(const std::string& option, const std::string& text, std::string hint) {
  return Error(ErrorCode::kUsage, fmt::format("{} '{}' is not understood", option, text),
               std::move(hint));
}

std::optional<double> with_unit(const std::string& text, std::span<const Unit> units) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string name(rest, end);
  name.erase(0, name.find_first_not_of(' ') == name.npos ? 0 : name.find_first_not_of(' '));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Unit& unit : units) {
    if (name == unit.name) return number * unit.factor;
  }
  return std::nullopt;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

Result<int64_t> parse_size(const std::string& option, const std::string& text) {
  const auto bytes = with_unit(text, kSizes);
  if (!bytes || *bytes > 9e18) {
    return bad_value(option, text, "write a size as 65536, 512KiB, 64MiB or 2GB");
  }
  return static_cast<int64_t>(*bytes);
}

Result<int> parse_milliseconds(const std::string& option, const std::string& text) {
  const auto time = with_unit(text, kTimes);
  if (!time || *time < 1 || *time > 2147483647.0) {
    return bad_value(option, text, "write a time with its unit: 500ms, 5s, 2min");
  }
  return static_cast<int>(*time);
}

Result<char> parse_delimiter(const std::string& text) {
  if (text == "\\t" || text == "tab") return '\t';
  if (text.size() == 1 && text != "\n" && text != "\r" && text != "\"") return text[0];
  return bad_value("--delimiter", text, "give one character, such as ';' or '|', or tab");
}

std::vector<std::string> split_names(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    std::string name;
    bool quoted = false;
    for (const char c : list) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        names.push_back(std::exchange(name, {}));
      } else {
        name += c;
      }
    }
    names.push_back(std::move(name));
  }
  return names;
}

std::string closest(const std::string& text, const std::vector<std::string>& names) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, text.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t distance = edit_distance(text, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace headrace::cli
