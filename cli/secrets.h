// Passwords inside connection strings: where they are, and the same text without them.
// All functions are pure but hide_arguments().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

// Passwords in `text`: scheme://user:PASSWORD@host and password=PASSWORD, wherever they stand.
// Takes too much rather than too little, as in a password with an unescaped @ or /.
std::vector<TextRange> find_passwords(std::string_view text);

// `text` with *** for each password.
std::string without_passwords(std::string_view text);

// Overwrites passwords in the arguments themselves, so that the process list does not show them
// any longer. True if there was one.
bool hide_arguments(int argc, char** argv);

}  // namespace headrace::cli
