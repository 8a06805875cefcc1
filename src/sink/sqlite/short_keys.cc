#include "sink/sqlite/short_keys.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/endian.h"

namespace headrace {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr uint64_t kBlockRecords = 512;
constexpr uint64_t kPieceRecords = 8192;  // of a run in the file that is merged
constexpr size_t kDigits = 256;

ShortKey load_key(const uint8_t* at, int words) {
  ShortKey key;
  std::memcpy(key.words.data(), at, 8 * static_cast<size_t>(words));
  std::memcpy(&key.rowid_word, at + 8 * words, 8);
  return key;
}

// One word of all records, by its digits of eight bits that differ; `Words` and the rowid's word are
// moved. Stable.
template <int Words>
class Radix {
 public:
  struct Record {
    uint64_t words[Words + 1];
  };

  Radix(Buffer* records, Buffer* scratch) : count_(records->size() / sizeof(Record)) {
    scratch->clear();
    scratch->extend(records->size());
    from_ = reinterpret_cast<Record*>(records->data());
    to_ = reinterpret_cast<Record*>(scratch->data());
  }

  void sort_by(int word, uint64_t mask) {
    uint64_t differing = 0;
    for (size_t i = 1; i < count_; ++i) differing |= from_[i].words[word] ^ from_[0].words[word];
    differing &= mask;
    for (int shift = 0; shift < 64; shift += 8) {
      if ((differing >> shift & (kDigits - 1)) == 0) continue;
      scatter(word, shift);
      std::swap(from_, to_);
      swapped_ = !swapped_;
    }
  }
  // Whether the order is in the scratch.
  bool swapped() const { return swapped_; }

 private:
  void scatter(int word, int shift) {
    size_t starts[kDigits] = {};
    for (size_t i = 0; i < count_; ++i) ++starts[from_[i].words[word] >> shift & (kDigits - 1)];
    size_t start = 0;
    for (size_t& s : starts) start += std::exchange(s, start);
    for (size_t i = 0; i < count_; ++i) {
      to_[starts[from_[i].words[word] >> shift & (kDigits - 1)]++] = from_[i];
    }
  }

  size_t count_;
  Record* from_;
  Record* to_;
  bool swapped_ = false;
};

// The last byte of the columns is their length, which orders nothing.
constexpr uint64_t kNotLength = ~uint64_t{0xFF};

template <int Words>
void sort_records(Buffer* records, Buffer* scratch, bool in_rowid_order) {
  Radix<Words> radix(records, scratch);
  if (!in_rowid_order) radix.sort_by(Words, ~uint64_t{0});
  for (int word = Words - 1; word >= 0; --word) {
    radix.sort_by(word, word == Words - 1 ? kNotLength : ~uint64_t{0});
  }
  if (radix.swapped()) std::swap(*records, *scratch);
}

}  // namespace

size_t ShortKey::column_bytes() const {
  for (size_t word = kMaxShortWords; word > 0; --word) {
    if (words[word - 1] != 0) return words[word - 1] & 0xFF;
  }
  return 0;
}

void ShortKey::put_columns(uint8_t* out) const {
  for (const uint64_t word : words) {
    store_be64(out, word);
    out += 8;
  }
}

int short_words(size_t bytes) {
  const size_t words = std::max<size_t>(bytes / 8 + 1, 2);
  return words <= kMaxShortWords ? static_cast<int>(words) : 0;
}

void ShortRun::add(const uint8_t* columns, size_t bytes, int64_t rowid, int words) {
  uint8_t* at = records_.extend(record_bytes(words));
  for (int word = 0; word < words; ++word, at += 8) {
    uint64_t value = load_be64(columns + 8 * word);
    if (word == words - 1) value |= bytes;
    std::memcpy(at, &value, 8);
  }
  const uint64_t rowid_word = static_cast<uint64_t>(rowid) ^ kSignBit;
  std::memcpy(at, &rowid_word, 8);
  in_rowid_order_ &= rowid_word >= last_rowid_word_;
  last_rowid_word_ = rowid_word;
}

void ShortRun::sort(int words, Buffer* scratch) {
  if (words == 2) sort_records<2>(&records_, scratch, in_rowid_order_);
  if (words == 3) sort_records<3>(&records_, scratch, in_rowid_order_);
  if (words == 4) sort_records<4>(&records_, scratch, in_rowid_order_);
}

void ShortRun::clear() {
  records_.clear();
  last_rowid_word_ = 0;
  in_rowid_order_ = true;
}

Status ShortRuns::spill(ShortRun* run, Buffer* scratch) {
  if (run->memory_bytes() == 0) return {};
  run->sort(words_, scratch);
  Run spilled;
  spilled.count = run->count(words_);
  spilled.on_disk = true;
  HEADRACE_ASSIGN(spilled.offset, file_->reserve(run->memory_bytes()));
  HEADRACE_TRY(file_->write(run->records().data(), run->memory_bytes(), spilled.offset));
  const size_t bytes = ShortRun::record_bytes(words_);
  for (uint64_t i = 0; i < spilled.count; i += kBlockRecords) {
    spilled.samples.append(run->records().data() + i * bytes, bytes);
  }
  run->clear();
  take(std::move(spilled));
  return {};
}

void ShortRuns::keep(ShortRun run, Buffer* scratch) {
  if (run.memory_bytes() == 0) return;
  run.sort(words_, scratch);
  Run kept;
  kept.count = run.count(words_);
  kept.kept = std::move(run);
  take(std::move(kept));
}

void ShortRuns::clear() {
  runs_.clear();
  count_ = 0;
}

void ShortRuns::take(Run run) {
  std::lock_guard lock(mutex_);
  count_ += run.count;
  runs_.push_back(std::move(run));
}

ShortReader::ShortReader(const ShortRuns& runs) : runs_(runs), blocks_(runs.runs_.size()) {}

Result<const uint8_t*> ShortReader::record(size_t run, uint64_t index) {
  const ShortRuns::Run& r = runs_.runs_[run];
  const size_t bytes = ShortRun::record_bytes(runs_.words_);
  if (!r.on_disk) return r.kept.records().data() + index * bytes;
  Block& block = blocks_[run];
  if (block.index != index / kBlockRecords) {
    const uint64_t first = index / kBlockRecords * kBlockRecords;
    const size_t size = std::min(kBlockRecords, r.count - first) * bytes;
    block.records.clear();
    block.index = UINT64_MAX;
    HEADRACE_TRY(runs_.file_->read(block.records.extend(size), size, r.offset + first * bytes));
    block.index = index / kBlockRecords;
  }
  return block.records.data() + index % kBlockRecords * bytes;
}

// The first place in [low, high) whose record is not less than `key`, or high.
Result<uint64_t> ShortReader::lower_bound(size_t run, uint64_t low, uint64_t high,
                                          const ShortKey& key) {
  const ShortRuns::Run& r = runs_.runs_[run];
  if (r.on_disk) {
    // By the samples to the block that has the place.
    const size_t bytes = ShortRun::record_bytes(runs_.words_);
    uint64_t first = low / kBlockRecords + 1, last = (high + kBlockRecords - 1) / kBlockRecords;
    while (first < last) {
      const uint64_t middle = (first + last) / 2;
      if (load_key(r.samples.data() + middle * bytes, runs_.words_) < key) {
        low = middle * kBlockRecords;
        first = middle + 1;
      } else {
        high = middle * kBlockRecords;
        last = middle;
      }
    }
  }
  while (low < high) {
    const uint64_t middle = (low + high) / 2;
    HEADRACE_ASSIGN(const uint8_t* at, record(run, middle));
    if (load_key(at, runs_.words_) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<std::vector<uint64_t>> ShortReader::positions(uint64_t rank) {
  const size_t runs = runs_.runs_.size();
  std::vector<uint64_t> low(runs, 0), high(runs), below(runs);
  for (size_t r = 0; r < runs; ++r) high[r] = runs_.runs_[r].count;
  for (;;) {
    // The middle record of the run that leaves most open; records differ, so it has one place.
    size_t widest = 0;
    for (size_t r = 1; r < runs; ++r) {
      if (high[r] - low[r] > high[widest] - low[widest]) widest = r;
    }
    if (runs == 0 || high[widest] == low[widest]) return low;
    const uint64_t middle = (low[widest] + high[widest]) / 2;
    HEADRACE_ASSIGN(const uint8_t* at, record(widest, middle));
    const ShortKey pivot = load_key(at, runs_.words_);
    uint64_t total = 0;
    for (size_t r = 0; r < runs; ++r) {
      HEADRACE_ASSIGN(below[r], lower_bound(r, low[r], high[r], pivot));
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

Result<bool> ShortReader::record_before(const std::vector<uint64_t>& begin, ShortKey* key) {
  bool found = false;
  for (size_t r = 0; r < begin.size(); ++r) {
    if (begin[r] == 0) continue;
    HEADRACE_ASSIGN(const uint8_t* at, record(r, begin[r] - 1));
    const ShortKey before = load_key(at, runs_.words_);
    if (!found || *key < before) *key = before;
    found = true;
  }
  return found;
}

ShortMerge::ShortMerge(const ShortRuns& runs, const std::vector<uint64_t>& begin,
                       const std::vector<uint64_t>& end)
    : runs_(runs) {
  const size_t bytes = ShortRun::record_bytes(runs.words_);
  for (size_t r = 0; r < begin.size(); ++r) {
    if (begin[r] == end[r]) continue;
    const ShortRuns::Run& run = runs.runs_[r];
    auto source = std::make_unique<Source>();
    if (run.on_disk) {
      source->offset = run.offset + begin[r] * bytes;
      source->left = end[r] - begin[r];
    } else {
      source->at = run.kept.records().data() + begin[r] * bytes;
      source->end = run.kept.records().data() + end[r] * bytes;
    }
    sources_.push_back(std::move(source));
  }
}

bool ShortMerge::refill(Source* source) {
  if (source->left == 0) return false;
  const size_t bytes = ShortRun::record_bytes(runs_.words_);
  const uint64_t records = std::min(source->left, kPieceRecords);
  source->buffer.clear();
  uint8_t* to = source->buffer.extend(records * bytes);
  status_ = runs_.file_->read(to, records * bytes, source->offset);
  if (!status_.ok()) return false;
  source->offset += records * bytes;
  source->left -= records;
  source->at = to;
  source->end = to + records * bytes;
  return true;
}

bool ShortMerge::advance(Source* source) {
  if (source->at == source->end && !refill(source)) return false;
  source->key = load_key(source->at, runs_.words_);
  source->at += ShortRun::record_bytes(runs_.words_);
  return true;
}

void ShortMerge::start() {
  started_ = true;
  for (const auto& source : sources_) {
    if (advance(source.get())) heap_.push_back(source.get());
  }
  for (size_t place = heap_.size(); place > 0; --place) sift_down(place - 1);
}

const ShortKey* ShortMerge::next() {
  if (!started_) {
    start();
  } else if (!heap_.empty()) {
    if (!advance(heap_[0])) {
      heap_[0] = heap_.back();
      heap_.pop_back();
    }
    sift_down(0);
  }
  return heap_.empty() || !status_.ok() ? nullptr : &heap_[0]->key;
}

void ShortMerge::sift_down(size_t place) {
  for (size_t child; (child = 2 * place + 1) < heap_.size(); place = child) {
    if (child + 1 < heap_.size() && heap_[child + 1]->key < heap_[child]->key) ++child;
    if (!(heap_[child]->key < heap_[place]->key)) return;
    std::swap(heap_[child], heap_[place]);
  }
}

}  // namespace headrace
