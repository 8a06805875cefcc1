#include "sink/sqlite/index_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>
#include <utility>

#include "sink/sqlite/page_format.h"

namespace headrace {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;
constexpr uint64_t kMaxPieceKeys = 1 << 16;
constexpr size_t kMergeBytes = 16 << 20;

size_t common_prefix(const Buffer& last, const uint8_t* key, size_t bytes) {
  const size_t limit = std::min(last.size(), bytes);
  size_t at = 0;
  while (at + 8 <= limit && std::memcmp(last.data() + at, key + at, 8) == 0) at += 8;
  while (at < limit && last.data()[at] == key[at]) ++at;
  return at;
}

void set(Buffer* buffer, const uint8_t* key, size_t bytes) {
  buffer->clear();
  buffer->append(key, bytes);
}

}  // namespace

IndexBuilder::Worker::Worker(const IndexBuilder& builder, uint32_t page_bytes)
    : reader(static_cast<int>(builder.options_.columns.size()), builder.options_.table_is_keyed),
      pages(page_bytes),
      distinct(builder.options_.columns.size()) {}

IndexBuilder::IndexBuilder(PageFile* file, SpillFile* spill, const RowOrigins* origins,
                           Options options)
    : file_(file),
      spill_(spill),
      origins_(origins),
      options_(std::move(options)),
      runs_(spill, options_.run_bytes, options_.short_words),
      leaves_(spill),
      distinct_(options_.columns.size()) {}

Status IndexBuilder::build() {
  if (runs_.count() == 0) return {};
  HEADRACE_TRY(runs_.make_uniform());
  // By count and bytes of all keys alone, so that it is the same in every run.
  const uint64_t key_bytes =
      is_short() ? ShortRun::record_bytes(runs_.shorts().words())
                 : std::max<uint64_t>(runs_.keys().key_bytes() / runs_.count(), 1);
  piece_keys_ = std::clamp<uint64_t>(kPieceBytes / key_bytes, 2, kMaxPieceKeys);
  pieces_ = (runs_.count() + piece_keys_ - 1) / piece_keys_;
  const bool by_place = is_short() || runs_.keys().spilled().empty();
  const int threads = by_place ? static_cast<int>(std::min<uint64_t>(
                                      static_cast<uint64_t>(options_.threads), pieces_))
                                : 1;
  claims_.emplace(file_->page_bytes(), file_->next_page(), threads, static_cast<ClaimOwner*>(this));
  HEADRACE_TRY(by_place ? build_in_threads() : build_from_file());
  HEADRACE_TRY(claims_->finish());
  return complete();
}

Status IndexBuilder::build_in_threads() {
  const auto count = static_cast<size_t>(
      std::min<uint64_t>(static_cast<uint64_t>(options_.threads), pieces_));
  std::atomic<uint64_t> next{0};
  std::vector<std::unique_ptr<Worker>> workers;
  for (size_t i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(*this, file_->page_bytes()));
  }
  // An error reaches the others through the claims.
  const auto run = [&](Worker* worker) {
    try {
      Status status = is_short() ? build_short_pieces(&next, worker) : build_pieces(&next, worker);
      if (!status.ok()) claims_->fail(std::move(status).error());
    } catch (const std::bad_alloc&) {
      claims_->fail(Error(ErrorCode::kInternal, "out of memory", "lower --memory"));
    }
    claims_->writer_done();
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i) threads.emplace_back(run, workers[i].get());
  run(workers[0].get());
  for (std::thread& thread : threads) thread.join();
  for (const auto& worker : workers) {
    for (size_t c = 0; c < distinct_.size(); ++c) distinct_[c] += worker->distinct[c];
  }
  return claims_->status();
}

Status IndexBuilder::build_pieces(std::atomic<uint64_t>* next, Worker* worker) {
  for (uint64_t piece; (piece = next->fetch_add(1)) < pieces_;) {
    const std::vector<size_t> begin = runs_.keys().positions(piece * piece_keys_);
    const std::vector<size_t> end =
        runs_.keys().positions(std::min((piece + 1) * piece_keys_, runs_.count()));
    HEADRACE_TRY(take_key_before(begin, worker));
    KeyMerge keys(runs_.keys(), begin, end);
    HEADRACE_TRY(claim_and_write(piece, lay_out(piece, &keys, worker), worker));
  }
  return {};
}

Status IndexBuilder::build_short_pieces(std::atomic<uint64_t>* next, Worker* worker) {
  ShortReader reader(runs_.shorts());
  for (uint64_t piece; (piece = next->fetch_add(1)) < pieces_;) {
    HEADRACE_ASSIGN(const auto begin, reader.positions(piece * piece_keys_));
    HEADRACE_ASSIGN(const auto end,
                    reader.positions(std::min((piece + 1) * piece_keys_, runs_.count())));
    ShortKey before;
    HEADRACE_ASSIGN(const bool found, reader.record_before(begin, &before));
    worker->last_key.clear();
    if (found) {
      uint8_t columns[8 * kMaxShortWords];
      before.put_columns(columns);
      set(&worker->last_key, columns, before.column_bytes());
      worker->last_rowid = before.rowid();
    }
    ShortMerge keys(runs_.shorts(), begin, end);
    HEADRACE_TRY(claim_and_write(piece, lay_out_short(piece, &keys, worker), worker));
  }
  return {};
}

// The key that ends the piece before.
Status IndexBuilder::take_key_before(const std::vector<size_t>& begin, Worker* worker) const {
  const uint8_t* before = nullptr;
  for (size_t r = 0; r < begin.size(); ++r) {
    if (begin[r] == 0) continue;
    const uint8_t* key = runs_.keys().kept()[r].items()[begin[r] - 1].key;
    if (before == nullptr || key_less(before, key)) before = key;
  }
  worker->last_key.clear();
  if (before != nullptr) set(&worker->last_key, key_data(before), key_length(before));
  return {};
}

Status IndexBuilder::build_from_file() {
  Worker worker(*this, file_->page_bytes());
  KeyMerge keys(runs_.keys(), kMergeBytes);
  for (uint64_t piece = 0; piece < pieces_; ++piece) {
    HEADRACE_TRY(claim_and_write(piece, lay_out(piece, &keys, &worker), &worker));
  }
  distinct_ = worker.distinct;
  return {};
}

uint64_t IndexBuilder::keys_of(uint64_t piece) const {
  return is_last(piece) ? runs_.count() - piece * piece_keys_ : piece_keys_;
}

Status IndexBuilder::lay_out(uint64_t piece, KeyMerge* keys, Worker* worker) {
  const uint64_t count = keys_of(piece);
  worker->pages.clear();
  for (uint64_t i = 0; i < count; ++i) {
    HEADRACE_ASSIGN(const uint8_t* key, keys->next());
    if (key == nullptr) return Error(ErrorCode::kInternal, "an index has too few keys");
    worker->reader.read(key_data(key), key_length(key));
    HEADRACE_TRY(add_entry(piece, i, key_data(key), key_length(key), worker));
  }
  if (is_last(piece)) worker->pages.end();
  return {};
}

Status IndexBuilder::lay_out_short(uint64_t piece, ShortMerge* keys, Worker* worker) {
  const uint64_t count = keys_of(piece);
  worker->pages.clear();
  for (uint64_t i = 0; i < count; ++i) {
    const ShortKey* key = keys->next();
    HEADRACE_TRY(keys->status());
    if (key == nullptr) return Error(ErrorCode::kInternal, "an index has too few keys");
    uint8_t columns[8 * kMaxShortWords];
    key->put_columns(columns);
    const size_t bytes = key->column_bytes();
    worker->reader.read(columns, bytes, key->rowid());
    HEADRACE_TRY(add_entry(piece, i, columns, bytes, worker));
    worker->last_rowid = key->rowid();
  }
  if (is_last(piece)) worker->pages.end();
  return {};
}

// The entry that the worker's reader has read, at `place` in the piece.
Status IndexBuilder::add_entry(uint64_t piece, uint64_t place, const uint8_t* key, size_t bytes,
                               Worker* worker) const {
  const uint64_t leaf_entries = keys_of(piece) - (is_last(piece) ? 0 : 1);
  HEADRACE_TRY(compare_with_last(key, bytes, worker));
  const std::string_view record = worker->reader.record().view();
  if (place == leaf_entries) {
    worker->pages.end_with(record);
  } else {
    worker->pages.add(record, place + 1 == leaf_entries);
  }
  return {};
}

Status IndexBuilder::compare_with_last(const uint8_t* key, size_t key_bytes,
                                       Worker* worker) const {
  if (!options_.unique && !options_.counts_distinct) return {};
  const std::vector<uint32_t>& ends = worker->reader.ends();
  size_t same = 0;  // columns
  if (worker->last_key.size() > 0) {
    const size_t bytes = common_prefix(worker->last_key, key, key_bytes);
    while (same < ends.size() && bytes >= ends[same]) ++same;
    if (bytes == key_bytes && !options_.unique) return {};  // as the last one
  }
  for (size_t c = same; c < ends.size(); ++c) ++worker->distinct[c];
  if (same == ends.size() && options_.unique && !worker->reader.has_null()) {
    return violation(key, key_bytes, *worker);
  }
  set(&worker->last_key, key, key_bytes);
  return {};
}

Error IndexBuilder::violation(const uint8_t* key, size_t bytes, const Worker& worker) const {
  const auto columns = static_cast<int>(options_.columns.size());
  IndexKeyReader other(columns, options_.table_is_keyed);
  if (is_short()) {
    other.read(worker.last_key.data(), worker.last_key.size(), worker.last_rowid);
  } else {
    other.read(worker.last_key.data(), worker.last_key.size());
  }
  const int64_t row = worker.reader.row_number();
  Error error(ErrorCode::kRejectedValue,
              fmt::format("{} is unique, and {} = {} is there twice: in {} and in {}",
                          options_.name, fmt::join(options_.columns, ", "),
                          IndexKeyReader::shown(key, bytes, columns),
                          origins_->shown(std::min(other.row_number(), row)),
                          origins_->shown(std::max(other.row_number(), row))),
              "leave one of the rows out, or make the index without unique");
  error.where = origins_->locate(std::max(other.row_number(), row));
  error.where.column = options_.columns[0];
  return error;
}

Status IndexBuilder::claim_and_write(uint64_t piece, Status laid_out, Worker* worker) {
  PieceClaim claim;
  claim.batch = static_cast<int64_t>(piece);
  claim.last_in_batch = true;
  claim.laid_out = &worker->pages;
  // An error is told when the piece's turn comes: of several, always the same one.
  if (!laid_out.ok()) claim.error = std::move(laid_out).error();
  claim.pages = claim.error ? 0 : worker->pages.page_count();
  HEADRACE_TRY(claims_->submit(&claim));
  HEADRACE_TRY(claims_->wait(&claim));
  return file_->write(claim.range(), 0, worker->pages.pages().data(),
                      worker->pages.pages().size());
}

Status IndexBuilder::granted(const Claim& claim) {
  const auto& piece = static_cast<const PieceClaim&>(claim);
  if (piece.error) return *piece.error;
  piece.laid_out->place(claim.range());
  for (const IndexPages::Node& node : piece.laid_out->nodes()) {
    HEADRACE_TRY(
        leaves_.append(node.page, piece.laid_out->separator(node), node.separator_bytes));
    last_leaf_ = node.page;
  }
  return {};
}

Status IndexBuilder::complete() {
  if (leaves_.pages == 1) {
    HEADRACE_TRY(file_->move_only_leaf_to_root(last_leaf_, options_.root, &*claims_));
  } else {
    TreePages pages;
    pages.page_bytes = file_->page_bytes();
    pages.root = options_.root;
    pages.allocate = [this] { return claims_->allocate(); };
    pages.write = [this](uint32_t number, const uint8_t* page) {
      return file_->write_page(number, page);
    };
    HEADRACE_TRY(write_index_interiors(std::move(leaves_), spill_, pages));
  }
  file_->end_section(*claims_);
  return {};
}

std::string IndexBuilder::stat() const {
  if (runs_.count() == 0) return {};
  std::string stat = fmt::format("{}", runs_.count());
  for (const uint64_t distinct : distinct_) {
    uint64_t equal = (runs_.count() + distinct - 1) / distinct;
    if (equal == 2 && runs_.count() * 10 <= distinct * 11) equal = 1;
    stat += fmt::format(" {}", equal);
  }
  return stat;
}

}  // namespace headrace
