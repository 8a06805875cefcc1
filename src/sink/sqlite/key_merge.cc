#include "sink/sqlite/key_merge.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/endian.h"

namespace headrace {
namespace {

constexpr size_t kMinPieceBytes = 64 << 10;
constexpr size_t kMaxPieceBytes = 1 << 20;
constexpr int kItemsAhead = 8;

uint64_t first_bytes(const uint8_t* key) {
  const uint32_t length = key_length(key);
  if (length >= 8) return load_be64(key_data(key));
  uint64_t prefix = 0;
  for (uint32_t i = 0; i < length; ++i) prefix |= uint64_t{key_data(key)[i]} << (56 - 8 * i);
  return prefix;
}

}  // namespace

KeyMerge::KeyMerge(const KeyRuns& runs, size_t buffer_bytes) : file_(runs.file()) {
  const size_t count = std::max<size_t>(runs.spilled().size(), 1);
  piece_bytes_ = std::clamp(buffer_bytes / count, kMinPieceBytes, kMaxPieceBytes);
  for (const KeyRun& run : runs.kept()) {
    Source source;
    source.item = run.items().data();
    source.items_end = source.item + run.items().size();
    add(std::move(source));
  }
  for (const KeyRuns::Spilled& run : runs.spilled()) {
    Source source;
    source.on_disk = true;
    source.left = run;
    add(std::move(source));
  }
}

KeyMerge::KeyMerge(const KeyRuns& runs, const std::vector<size_t>& begin,
                   const std::vector<size_t>& end)
    : file_(runs.file()) {
  for (size_t r = 0; r < runs.kept().size(); ++r) {
    const KeyRun::Item* items = runs.kept()[r].items().data();
    Source source;
    source.item = items + begin[r];
    source.items_end = items + end[r];
    add(std::move(source));
  }
}

void KeyMerge::add(Source source) {
  sources_.push_back(std::make_unique<Source>(std::move(source)));
}

Result<const uint8_t*> KeyMerge::next() {
  if (!started_) {
    HEADRACE_TRY(start());
  } else if (!heap_.empty()) {
    HEADRACE_ASSIGN(const bool more, advance(heap_[0]));
    if (!more) {
      heap_[0] = heap_.back();
      heap_.pop_back();
    }
    sift_down(0);
  }
  return heap_.empty() ? nullptr : heap_[0]->key;
}

Status KeyMerge::start() {
  started_ = true;
  for (const auto& source : sources_) {
    HEADRACE_ASSIGN(const bool more, advance(source.get()));
    if (more) heap_.push_back(source.get());
  }
  for (size_t place = heap_.size(); place > 0; --place) sift_down(place - 1);
  return {};
}

bool KeyMerge::before(const Source* a, const Source* b) {
  return a->prefix != b->prefix ? a->prefix < b->prefix : key_less(a->key, b->key);
}

void KeyMerge::sift_down(size_t place) {
  for (size_t child; (child = 2 * place + 1) < heap_.size(); place = child) {
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], heap_[place])) return;
    std::swap(heap_[child], heap_[place]);
  }
}

Result<bool> KeyMerge::advance(Source* source) {
  if (source->on_disk) return advance_on_disk(source);
  if (source->item == source->items_end) return false;
  if (source->items_end - source->item > kItemsAhead) {
    __builtin_prefetch(source->item[kItemsAhead].key);
  }
  source->key = source->item++->key;
  source->prefix = first_bytes(source->key);
  return true;
}

Result<bool> KeyMerge::advance_on_disk(Source* source) {
  Buffer& buffer = source->buffer;
  const auto have = [&](size_t bytes) { return buffer.size() - source->at >= bytes; };
  // Makes at least `bytes` of the run ready, if it has them.
  const auto fill = [&](size_t bytes) -> Status {
    if (have(bytes)) return {};
    const size_t kept = buffer.size() - source->at;
    if (kept > 0) std::memmove(buffer.data(), buffer.data() + source->at, kept);
    buffer.set_size(kept);
    source->at = 0;
    const size_t more =
        std::min<uint64_t>(std::max(piece_bytes_, bytes - kept), source->left.bytes);
    uint8_t* to = buffer.extend(more);
    HEADRACE_TRY(file_->read(to, more, source->left.offset));
    source->left.offset += more;
    source->left.bytes -= more;
    return {};
  };
  HEADRACE_TRY(fill(kKeyLengthBytes));
  if (!have(kKeyLengthBytes)) return false;
  HEADRACE_TRY(fill(kKeyLengthBytes + key_length(buffer.data() + source->at)));
  source->key = buffer.data() + source->at;
  source->at += kKeyLengthBytes + key_length(source->key);
  source->prefix = first_bytes(source->key);
  return true;
}

}  // namespace headrace
