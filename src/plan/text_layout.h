// Text for people: numbers, sizes and aligned tables, as plans, reports and inspections print them.
// All functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/plan.h"

namespace headrace {

// Control characters as \n, \t or \x1b: a name from a file must not steer the terminal.
std::string printable(std::string_view text);

// The same, but newlines are kept, with `indent` after each.
std::string printable_lines(std::string_view text, std::string_view indent = "");

// At most `limit` characters, the last three of them "..." when something was left out.
std::string clipped(std::string_view text, size_t limit);

std::string grouped(int64_t number);                      // "6,001,215"
std::string size_text(int64_t bytes);                     // "215.1 MB", by thousands
std::string memory_text(int64_t bytes);                   // "512.0 MiB", by 1024
std::string seconds_text(double seconds);                 // "23.1 s", "0.034 s"
std::string count_text(int64_t count, const char* noun);  // "1 partition", "49 partitions"

// Appends "label       value\n"; further lines of the value are aligned below. Nothing if empty.
void append_field(std::string* out, std::string_view label, std::string_view value);

class TextTable {
 public:
  struct Column {
    const char* title;
    bool right_aligned = false;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: one cell per column.
  void add_row(std::vector<std::string> cells);

  // A title line, then the rows, each after two blanks. Columns without a filled cell are left out.
  std::string render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Subject, choice and reason of each decision.
std::string decisions_table(const std::vector<Decision>& decisions);

}  // namespace headrace
