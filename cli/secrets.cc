#include "secrets.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace headrace::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_postgres(std::string_view scheme) {
  return scheme.ends_with("postgresql://") || scheme.ends_with("postgres://");
}

// scheme://user:PASSWORD@host. `authority` is the place after "://". In a longer text a blank or a
// quote ends it.
void find_in_uri(std::string_view text, size_t authority, bool is_whole,
                 std::vector<TextRange>* found) {
  const size_t blank = is_whole ? text.npos : text.find_first_of(" \t\r\n\"'", authority);
  const size_t end = std::min(blank, text.size());
  const std::string_view uri = text.substr(0, end);
  // libpq ends the user's part at the first @ or /. A raw @ or / in a password moves that; then
  // the last @ before the path or the query is the safer guess.
  const size_t first = uri.find_first_of("@/", authority);
  if (first == std::string_view::npos) return;
  if (uri[first] == '/' && !is_postgres(text.substr(0, authority))) return;
  const char stop = uri[first] == '@' ? '/' : '?';
  const size_t limit = std::min(uri.find(stop, first), end);
  const size_t at = uri.substr(0, limit).rfind('@');
  const size_t colon = uri.find(':', authority);
  if (at == std::string_view::npos || at < authority) return;
  if (colon != std::string_view::npos && colon + 1 < at) found->push_back({colon + 1, at});
}

// password=PASSWORD. `value` is the place after "=" and blanks.
void find_value(std::string_view text, size_t value, bool in_query, std::vector<TextRange>* found) {
  size_t end = value;
  if (in_query) {
    end = std::min(text.find_first_of("& \t\r\n\"'", value), text.size());
  } else if (value < text.size() && text[value] == '\'') {
    for (++value, end = value; end < text.size() && text[end] != '\''; ++end) {
      if (text[end] == '\\') ++end;
    }
    end = std::min(end, text.size());
  } else {
    for (; end < text.size() && kBlanks.find(text[end]) == kBlanks.npos; ++end) {
      if (text[end] == '\\') ++end;
    }
    end = std::min(end, text.size());
  }
  if (end > value) found->push_back({value, end});
}

void find_keywords(std::string_view text, std::vector<TextRange>* found) {
  static constexpr std::string_view kWord = "password";
  for (size_t at = text.find(kWord); at != text.npos; at = text.find(kWord, at + 1)) {
    size_t place = text.find_first_not_of(kBlanks, at + kWord.size());
    if (place == text.npos || text[place] != '=') continue;
    place = text.find_first_not_of(kBlanks, place + 1);
    if (place == text.npos) continue;
    size_t word = at;  // sslpassword is one too
    while (word > 0 && is_word(text[word - 1])) --word;
    const bool in_query = word > 0 && (text[word - 1] == '?' || text[word - 1] == '&');
    find_value(text, place, in_query, found);
  }
}

// "p%61ssword" as libpq reads it.
std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const bool is_code = text[i] == '%' && i + 2 < text.size() &&
                         std::from_chars(&text[i + 1], &text[i + 3], value, 16).ptr == &text[i + 3];
    out += is_code ? static_cast<char>(value) : text[i];
    if (is_code) i += 2;
  }
  return out;
}

// An argument that is a URI as a whole, or that of an option after its "=": it ends where the argument ends.
void find_in_argument(std::string_view text, std::vector<TextRange>* found) {
  const size_t at = text.find("://");
  if (at == text.npos || !is_postgres(text.substr(0, at + 3))) return;
  find_in_uri(text, at + 3, true, found);
  for (size_t pair = text.find('?', at); pair != text.npos; pair = text.find('&', pair)) {
    const size_t end = std::min(text.find('&', ++pair), text.size());
    const size_t equals = text.find('=', pair);
    if (equals < end && decoded(text.substr(pair, equals - pair)).ends_with("password")) {
      found->push_back({equals + 1, end});
    }
  }
}

}  // namespace

std::vector<TextRange> find_passwords(std::string_view text) {
  std::vector<TextRange> found;
  for (size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
    find_in_uri(text, at + 3, false, &found);
  }
  find_keywords(text, &found);
  std::sort(found.begin(), found.end(),
            [](const TextRange& a, const TextRange& b) { return a.begin < b.begin; });
  return found;
}

std::string without_passwords(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (const TextRange& range : find_passwords(text)) {
    if (range.begin >= done) {
      out += text.substr(done, range.begin - done);
      out += "***";
    }
    done = std::max(done, range.end);
  }
  out += text.substr(done);
  return out;
}

bool hide_arguments(int argc, char** argv) {
  bool any = false;
  for (int i = 1; i < argc; ++i) {
    std::vector<TextRange> found = find_passwords(argv[i]);
    find_in_argument(argv[i], &found);
    for (const TextRange& range : found) {
      std::memset(argv[i] + range.begin, '*', range.end - range.begin);
      any = true;
    }
  }
  return any;
}

}  // namespace headrace::cli
