// Random texts that are nearly dates, numbers, documents, so that many are taken and many are not.
#pragma once

#include <cstring>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace headrace::test {

using Values = std::vector<std::string>;

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int below(int end) { return static_cast<int>(engine_() % static_cast<uint32_t>(end)); }
  const char* of(std::initializer_list<const char*> options) {
    return options.begin()[below(static_cast<int>(options.size()))];
  }
  std::string number(int end, int digits) { return fmt::format("{:0{}}", below(end), digits); }

  // Sometimes changes, drops or doubles a character.
  std::string damaged(std::string v, const char* alphabet) {
    while (!v.empty() && below(4) == 0) {
      const auto at = static_cast<size_t>(below(static_cast<int>(v.size())));
      const int kind = below(3);
      const auto letters = static_cast<int>(std::strlen(alphabet));
      if (kind == 0) v[at] = alphabet[below(letters)];
      if (kind == 1) v.erase(at, 1);
      if (kind == 2) v.insert(at, 1, alphabet[below(letters)]);
    }
    return v;
  }

  std::string moment() {
    const char* separator = of({"-", "-", "-", "-", "/", "", "."});
    std::string date = of({"", "", "", "0", "1"});
    date += number(10000, below(8) == 0 ? 3 : 4) + separator;
    date += number(14, below(8) == 0 ? 1 : 2) + separator + number(33, below(8) == 0 ? 1 : 2);
    std::string time = number(26, below(8) == 0 ? 1 : 2) + ":" + number(61, 2);
    if (below(4) > 0) time += ":" + number(61, 2);
    if (below(2) == 0) time += "." + number(1000000, 1 + below(7));
    std::string zone = of({"", "", "Z", "+", "-", " +", " UTC"});
    if (!zone.empty() && (zone.back() == '+' || zone.back() == '-')) {
      zone += number(17, 2) + of({"", "", ":00", ":30", "30", ":59:59"});
    }
    std::string out;
    switch (below(4)) {
      case 0:
        out = date;
        break;
      case 1:
        out = time + zone;
        break;
      default:
        out = date + of({" ", " ", "T", "  ", "t"}) + time + zone;
    }
    out += of({"", "", "", "", " BC", " bc", " AD"});
    return damaged(out, "0123456789-:+ TZBC./");
  }

  std::string decimal() {
    std::string out = of({"", "", "-", "+", " "});
    for (int i = below(25); i > 0; --i) out += number(10, 1);
    if (below(2) == 0) out += "." + std::string(of({"", "0", "00", "000"}));
    for (int i = below(12); i > 0; --i) out += number(10, 1);
    if (below(4) == 0) out += of({"e", "E", "e-", "e+"}) + number(400, 1);
    return damaged(out, "0123456789.e+- NaIf");
  }

  std::string document(int depth = 0) {
    const int kind = below(depth > 3 ? 5 : 8);
    if (kind < 2) return decimal();
    if (kind < 4) {
      std::string out = "\"";
      for (int i = below(20); i > 0; --i) {
        out += of({"a", "z", " ", "\\n", "\\u0041", "\\ud83d\\ude00", "\\\\", "\xc3\xa4", "\\ud800",
                   "b", "c", "\\\""});
      }
      return out + "\"";
    }
    if (kind == 4) return of({"null", "true", "false"});
    std::string out = kind == 5 ? "[" : "{";
    for (int i = below(4); i > 0; --i) {
      if (kind != 5) out += "\"k" + number(5, 1) + "\"" + of({":", " : "});
      out += document(depth + 1) + (i > 1 ? of({",", " ,\n"}) : "");
    }
    return out + (kind == 5 ? "]" : "}");
  }

  std::string interval() {
    std::string out;
    const auto part = [&] { return of({"", "", "-"}) + number(1000, 1); };
    if (below(2) == 0) {
      out = "P";
      for (const char* unit : {"Y", "M", "W", "D"}) {
        if (below(2) == 0) out += part() + unit;
      }
      if (below(3) > 0) {
        out += "T";
        for (const char* unit : {"H", "M", "S"}) {
          if (below(2) == 0) out += part() + (*unit == 'S' ? of({"", ".5", ".123456"}) : "") + unit;
        }
      }
    } else {
      if (below(2) == 0) out = part() + of({" day", " days", "days", " d"}) + of({"", " "});
      out +=
          of({"", "", "-", "+"}) + number(40, 1) + ":" + number(61, 2) + of({"", ":07", ":59.5"});
    }
    return damaged(out, "0123456789PTYMWDHS.-+: das");
  }

 private:
  std::mt19937 engine_;
};

template <typename Make>
Values many(int count, Make make) {
  Values values;
  for (int i = 0; i < count; ++i) values.push_back(make());
  return values;
}

}  // namespace headrace::test
