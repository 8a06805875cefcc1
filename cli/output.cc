#include "output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "secrets.h"

namespace headrace::cli {
namespace {

// "  hint: ...\n"; further lines of the text are indented.
std::string detail(const char* label, std::string_view text) {
  if (text.empty()) return {};
  std::string out = fmt::format("  {}: ", label);
  for (char c : safe_text(text)) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out + "\n";
}

std::string place(const ErrorWhere& where) {
  std::string out;
  const auto add = [&](std::string part) { out += (out.empty() ? "" : ", ") + std::move(part); };
  if (!where.file.empty()) add("file " + where.file);
  if (where.partition >= 0 && where.row < 0) add(fmt::format("partition {}", where.partition));
  if (where.row >= 0) add(fmt::format("row {}", grouped(where.row)));
  if (!where.column.empty()) add("column " + where.column);
  return out;
}

}  // namespace

int print_result(std::string text) {
  if (text.empty() || text.back() != '\n') text += '\n';
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return 0;
  if (errno == EPIPE) return 0;
  print_error(Error(ErrorCode::kIo,
                    fmt::format("the result could not be written: {}", std::strerror(errno))));
  return 1;
}

void print_error(const Error& error) {
  std::string out =
      detail("error", error.message.empty() ? error_code_name(error.code) : error.message);
  out = "headrace:" + out.substr(1);
  out += detail("at", place(error.where));
  out += detail("hint", error.hint);
  out += detail("sqlstate", error.sqlstate);
  for (const std::string& line : error.context) out += detail("context", line);
  write_stderr(out);
}

void hide_passwords(Error* error) {
  error->message = without_passwords(error->message);
  error->hint = without_passwords(error->hint);
  for (std::string& line : error->context) line = without_passwords(line);
}

void hide_passwords(Report* report) {
  if (report->error) hide_passwords(&*report->error);
  for (std::string& warning : report->warnings) warning = without_passwords(warning);
}

void print_warning(const std::string& message) {
  write_stderr(fmt::format("headrace: warning: {}\n", safe_text(message)));
}

int fail(Error error, bool json) {
  hide_passwords(&error);
  int written = 0;
  if (json) {
    Report report;
    report.status = "failed";
    report.error = error;
    written = print_result(report.to_json());
  }
  print_error(error);
  const int code = exit_code(error.code);
  return code != 0 ? code : written;
}

void write_stderr(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stderr) == text.size()) std::fflush(stderr);
}

std::string safe_text(std::string_view text) {
  std::string out;
  for (char c : without_passwords(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte != 0x7F) || c == '\n' || c == '\t') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3 + (number < 0 ? 1U : 0U);) {
    i -= 3;
    digits.insert(i, ",");
  }
  return digits;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace headrace::cli
