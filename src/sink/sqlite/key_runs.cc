#include "sink/sqlite/key_runs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/buffer.h"
#include "base/endian.h"

namespace headrace {
namespace {

using Item = KeyRun::Item;

constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kWriteBytes = 1 << 20;
// Fewer items are sorted by comparing whole keys, or prefixes.
constexpr size_t kFewItems = 12;
constexpr size_t kRadixItems = 256;

// Eight bytes of a key from `at` on, with zeros after its end.
uint64_t prefix_of(const uint8_t* key, size_t at) {
  const size_t length = key_length(key);
  const uint8_t* bytes = key_data(key) + at;
  if (at + 8 <= length) return load_be64(bytes);
  uint64_t prefix = 0;
  for (size_t i = at; i < length; ++i) prefix |= uint64_t{*bytes++} << (56 - 8 * (i - at));
  return prefix;
}

// How many bytes both keys have in common, from `at` on, up to `limit`.
size_t common_bytes(const uint8_t* a, const uint8_t* b, size_t at, size_t limit) {
  const uint8_t* x = key_data(a);
  const uint8_t* y = key_data(b);
  while (at + 8 <= limit && std::memcmp(x + at, y + at, 8) == 0) at += 8;
  while (at < limit && x[at] == y[at]) ++at;
  return at;
}

class Sorter {
 public:
  void sort(Item* items, size_t count, size_t depth) {
    if (count <= kFewItems) {
      std::sort(items, items + count,
                [](const Item& a, const Item& b) { return key_less(a.key, b.key); });
      return;
    }
    depth = common_depth(items, count, depth);
    for (size_t i = 0; i < count; ++i) {
      if (i + 8 < count) __builtin_prefetch(items[i + 8].key);
      items[i].prefix = prefix_of(items[i].key, depth);
    }
    sort_by_prefix(items, count);
    // Keys with one prefix differ after it.
    for (size_t begin = 0, end; begin < count; begin = end) {
      end = begin + 1;
      while (end < count && items[end].prefix == items[begin].prefix) ++end;
      if (end - begin > 1) sort(items + begin, end - begin, depth + 8);
    }
  }

 private:
  // All keys are alike up to here. Each step down parts the items, so there are not many.
  static size_t common_depth(const Item* items, size_t count, size_t depth) {
    size_t limit = key_length(items[0].key);
    for (size_t i = 1; i < count && limit > depth; ++i) {
      limit = std::min<size_t>(limit, key_length(items[i].key));
      limit = common_bytes(items[0].key, items[i].key, std::min(depth, limit), limit);
    }
    return limit;
  }

  void sort_by_prefix(Item* items, size_t count) {
    if (count < kRadixItems) {
      std::sort(items, items + count,
                [](const Item& a, const Item& b) { return a.prefix < b.prefix; });
      return;
    }
    uint64_t differing = 0;
    for (size_t i = 1; i < count; ++i) differing |= items[i].prefix ^ items[0].prefix;
    if (scratch_.size() < count) scratch_.resize(count);
    Item* from = items;
    Item* to = scratch_.data();
    for (int shift = 0; shift < 64; shift += 8) {
      if (((differing >> shift) & 0xFF) == 0) continue;
      scatter(from, count, shift, to);
      std::swap(from, to);
    }
    if (from != items) std::copy(from, from + count, items);
  }

  static void scatter(const Item* from, size_t count, int shift, Item* to) {
    std::array<size_t, 256> starts{};
    for (size_t i = 0; i < count; ++i) ++starts[(from[i].prefix >> shift) & 0xFF];
    size_t start = 0;
    for (size_t& s : starts) start += std::exchange(s, start);
    for (size_t i = 0; i < count; ++i) to[starts[(from[i].prefix >> shift) & 0xFF]++] = from[i];
  }

  std::vector<Item> scratch_;
};

}  // namespace

bool key_less(const uint8_t* a, const uint8_t* b) {
  const uint32_t a_length = key_length(a), b_length = key_length(b);
  const int order = std::memcmp(key_data(a), key_data(b), std::min(a_length, b_length));
  return order != 0 ? order < 0 : a_length < b_length;
}

uint8_t* KeyRun::reserve(size_t bytes) {
  bytes += kKeyLengthBytes;
  if (static_cast<size_t>(chunk_end_ - next_) < bytes) {
    // The chunks of an earlier run come first, those that are too small are left out.
    while (used_chunks_ < chunks_.size() && chunks_[used_chunks_].size < bytes) ++used_chunks_;
    if (used_chunks_ == chunks_.size()) {
      const size_t size = std::max(bytes, kChunkBytes);
      chunks_.push_back({std::unique_ptr<uint8_t[]>(new uint8_t[size]), size});
    }
    Chunk& chunk = chunks_[used_chunks_++];
    chunk_bytes_ += chunk.size;
    next_ = chunk.bytes.get();
    chunk_end_ = next_ + chunk.size;
  }
  return next_ + kKeyLengthBytes;
}

void KeyRun::add(const uint8_t* end) {
  const auto length = static_cast<uint32_t>(end - next_ - kKeyLengthBytes);
  std::memcpy(next_, &length, sizeof length);
  items_.push_back({0, next_});
  next_ += kKeyLengthBytes + length;
  key_bytes_ += kKeyLengthBytes + length;
}

void KeyRun::sort() { Sorter().sort(items_.data(), items_.size(), 0); }

void KeyRun::clear() {
  items_.clear();
  used_chunks_ = 0;
  chunk_bytes_ = 0;
  key_bytes_ = 0;
  next_ = chunk_end_ = nullptr;
}

Status KeyRuns::spill(KeyRun* run) {
  run->sort();
  HEADRACE_ASSIGN(const uint64_t begin, file_->reserve(run->key_bytes()));
  Buffer buffer;
  uint64_t offset = begin;
  const auto flush = [&]() -> Status {
    HEADRACE_TRY(file_->write(buffer.data(), buffer.size(), offset));
    offset += buffer.size();
    buffer.clear();
    return {};
  };
  for (const Item& item : run->items()) {
    buffer.append(item.key, kKeyLengthBytes + key_length(item.key));
    if (buffer.size() >= kWriteBytes) HEADRACE_TRY(flush());
  }
  HEADRACE_TRY(flush());
  std::lock_guard lock(mutex_);
  spilled_.push_back({begin, run->key_bytes()});
  count_ += run->items().size();
  key_bytes_ += run->key_bytes();
  run->clear();
  return {};
}

void KeyRuns::keep(KeyRun run) {
  if (run.items().empty()) return;
  run.sort();
  std::lock_guard lock(mutex_);
  count_ += run.items().size();
  key_bytes_ += run.key_bytes();
  kept_.push_back(std::move(run));
}

std::vector<size_t> KeyRuns::positions(uint64_t rank) const {
  const size_t runs = kept_.size();
  std::vector<size_t> low(runs, 0), high(runs), below(runs);
  for (size_t r = 0; r < runs; ++r) high[r] = kept_[r].items().size();
  for (;;) {
    // The middle key of the run that leaves most open; keys differ, so it has one place.
    size_t widest = 0;
    for (size_t r = 1; r < runs; ++r) {
      if (high[r] - low[r] > high[widest] - low[widest]) widest = r;
    }
    if (runs == 0 || high[widest] == low[widest]) return low;
    const size_t middle = (low[widest] + high[widest]) / 2;
    const uint8_t* pivot = kept_[widest].items()[middle].key;
    uint64_t total = 0;
    for (size_t r = 0; r < runs; ++r) {
      const Item* items = kept_[r].items().data();
      const Item* found =
          std::lower_bound(items + low[r], items + high[r], pivot,
                           [](const Item& a, const uint8_t* b) { return key_less(a.key, b); });
      below[r] = static_cast<size_t>(found - items);
      total += below[r];
    }
    if (total == rank) return below;
    if (total < rank) {
      low = below;
      low[widest] = middle + 1;
    } else {
      high = below;
    }
  }
}

}  // namespace headrace
