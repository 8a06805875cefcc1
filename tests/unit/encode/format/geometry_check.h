// What the tests of WKT and WKB share.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "encode/format/ewkb.h"
#include "encode/format/wkb.h"
#include "encode/format/wkt.h"
#include "unit/encode/codec_check.h"

namespace headrace::test {

// A page that nobody may touch lies right after the copy: reading past its end is a crash.
class GuardedCopy {
 public:
  explicit GuardedCopy(std::string_view bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t room = (bytes.size() / page + 1) * page;
    size_ = room + page;
    memory_ = static_cast<char*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(memory_, MAP_FAILED);
    EXPECT_EQ(mprotect(memory_ + room, page, PROT_NONE), 0);
    char* at = memory_ + room - bytes.size();
    std::memcpy(at, bytes.data(), bytes.size());
    view_ = {at, bytes.size()};
  }
  ~GuardedCopy() { munmap(memory_, size_); }
  GuardedCopy(const GuardedCopy&) = delete;
  GuardedCopy& operator=(const GuardedCopy&) = delete;
  std::string_view view() const { return view_; }

 private:
  char* memory_ = nullptr;
  size_t size_ = 0;
  std::string_view view_;
};

using ParseGeometry = ewkb::Parsed (*)(std::string_view, Buffer*);

// The EWKB as hex digits, with the value's own SRID, or "problem at byte".
inline std::string ewkb_of(ParseGeometry parse, std::string_view input) {
  Buffer out;
  const GuardedCopy copy(input);
  const ewkb::Parsed parsed = parse(copy.view(), &out);
  if (!parsed.ok()) return std::string(parsed.problem) + " @" + std::to_string(parsed.at);
  std::memcpy(out.data() + ewkb::kSridOffset, &parsed.srid, 4);
  return hex(out.view());
}

inline std::string wkt(std::string_view text) { return ewkb_of(parse_wkt, text); }
inline std::string wkb(std::string_view digits) { return ewkb_of(parse_wkb, unhex(digits)); }

// What was accepted is a geometry that reads back as itself.
inline bool is_stable(ParseGeometry parse, std::string_view input) {
  Buffer once, twice;
  const GuardedCopy copy(input);
  if (!parse(copy.view(), &once).ok()) return false;
  EXPECT_TRUE(parse_wkb(once.view(), &twice).ok()) << hex(input);
  EXPECT_EQ(once.view(), twice.view()) << hex(input);
  is_lon_lat(once.view());
  return true;
}

// `valid`, cut at every byte, and with random bytes changed, left out and doubled.
inline void mutate(ParseGeometry parse, const std::string& valid, std::string_view alphabet,
                   std::mt19937_64& random) {
  ASSERT_TRUE(is_stable(parse, valid)) << valid;
  for (size_t n = 0; n < valid.size(); ++n) {
    EXPECT_FALSE(is_stable(parse, valid.substr(0, n))) << "cut after " << n << " of " << valid;
  }
  for (int i = 0; i < 500; ++i) {
    std::string mutant = valid;
    for (auto changes = random() % 3 + 1; changes > 0 && !mutant.empty(); --changes) {
      const size_t at = random() % mutant.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 4) {
        case 0: mutant.erase(at, random() % 9); break;
        case 1: mutant.insert(at, 1, c); break;
        case 2: mutant.insert(at, mutant.substr(at, random() % 40)); break;
        default: mutant[at] = c;
      }
    }
    is_stable(parse, mutant);
  }
}

}  // namespace headrace::test
