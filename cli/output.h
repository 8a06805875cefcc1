// What the commands say. stdout holds results only; everything else goes to stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/report.h"
#include "headrace/result.h"

namespace headrace::cli {

// Writes the result of a command, with a newline at its end. Returns 0, or 1 after telling on
// stderr that it could not be written. A reader that closed its pipe is no failure.
int print_result(std::string text);

// "headrace: error: ...", then place, hint, SQLSTATE and context where there are any.
void print_error(const Error& error);

// Takes connection passwords out of the texts.
void hide_passwords(Error* error);
void hide_passwords(Report* report);

void print_warning(const std::string& message);

// Says that a command failed: on stderr, and with `json` also as a report on stdout.
// Returns the exit code.
int fail(Error error, bool json);

// One write, so that lines of several processes do not mix. Errors are ignored.
void write_stderr(std::string_view text);

// Without passwords; control characters as \x1b, newlines kept.
std::string safe_text(std::string_view text);

std::string grouped(int64_t number);             // "6,001,215"
std::string json_string(std::string_view text);  // quoted and escaped

}  // namespace headrace::cli
