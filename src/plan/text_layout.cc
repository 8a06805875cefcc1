#include "plan/text_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace headrace {
namespace {

constexpr size_t kLabelWidth = 12;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Characters, not bytes; the width of most scripts on a terminal.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string scaled(int64_t bytes, double step, const char* const (&units)[5]) {
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= step && unit + 1 < std::size(units)) {
    value /= step;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} {}", bytes, units[0])
                   : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 to U+009F
      out += fmt::format("\\x{:02x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string printable_lines(std::string_view text, std::string_view indent) {
  std::string out;
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    out += printable(text.substr(0, end)) + "\n" + std::string(indent);
    text.remove_prefix(end + 1);
  }
  return out + printable(text);
}

std::string clipped(std::string_view text, size_t limit) {
  if (width_of(text) <= limit) return std::string(text);
  size_t end = 0;
  for (size_t width = 0; end < text.size(); ++end) {
    if (!is_continuation(text[end]) && ++width > limit - 3) break;
  }
  return std::string(text.substr(0, end)) + "...";
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, ",");
  }
  return digits;
}

std::string size_text(int64_t bytes) { return scaled(bytes, 1000, {"B", "kB", "MB", "GB", "TB"}); }

std::string memory_text(int64_t bytes) {
  return scaled(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB"});
}

std::string seconds_text(double seconds) {
  return seconds < 10 ? fmt::format("{:.3f} s", seconds) : fmt::format("{:.1f} s", seconds);
}

std::string count_text(int64_t count, const char* noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

void append_field(std::string* out, std::string_view label, std::string_view value) {
  while (!value.empty()) {
    const size_t end = std::min(value.find('\n'), value.size());
    *out += fmt::format("{:<{}}{}\n", label, kLabelWidth, value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    label = "";
  }
}

void TextTable::add_row(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::render() const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  const auto add_line = [&](const auto& cell_at) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string_view cell = cell_at(i);
      const size_t width = std::max(widths[i], width_of(columns_[i].title));
      const std::string blanks(width - width_of(cell), ' ');
      line += "  ";
      if (columns_[i].right_aligned) line += blanks;
      line += cell;
      if (!columns_[i].right_aligned) line += blanks;
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add_line([&](size_t i) { return std::string_view(columns_[i].title); });
  for (const auto& row : rows_) {
    add_line([&](size_t i) { return std::string_view(row[i]); });
  }
  return out;
}

std::string decisions_table(const std::vector<Decision>& decisions) {
  TextTable table({{"subject"}, {"choice"}, {"reason"}});
  for (const Decision& decision : decisions) {
    table.add_row(
        {printable(decision.subject), printable(decision.choice), printable(decision.reason)});
  }
  return table.render();
}

}  // namespace headrace
