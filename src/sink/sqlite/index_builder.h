// IndexBuilder: the section of one index in a PageFile.
//
//   collect   each PageWriter adds a key for each of its rows (index_key.h) to runs of its own
//   sort      each thread sorts its runs; full ones go to a file (key_runs.h)
//   build     the keys are cut by rank into pieces of equal count; threads merge, check and lay out
//             a piece each, and claim its pages in order
//
// Keys have one order, and a piece is a range of ranks: so the pages are the same whatever thread
// sorted or merged which keys.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headrace/result.h"
#include "sink/sqlite/index_key.h"
#include "sink/sqlite/index_runs.h"
#include "sink/sqlite/index_pages.h"
#include "sink/sqlite/index_tree.h"
#include "sink/sqlite/key_merge.h"
#include "sink/sqlite/key_runs.h"
#include "sink/sqlite/page_file.h"
#include "sink/sqlite/row_origins.h"

namespace headrace {

class IndexBuilder : private ClaimOwner {
 public:
  struct Options {
    std::string name;
    uint32_t root = 0;
    std::vector<std::string> columns;
    std::vector<int> record_columns;  // of the table's records; IndexKeyMaker::kRowid
    bool unique = false;
    bool table_is_keyed = false;  // rowids are not row numbers
    bool counts_distinct = false;  // for stat()
    int short_words = 0;  // of a short key (short_keys.h); 0: none is
    size_t run_bytes = 0;
    int threads = 1;
  };

  IndexBuilder(PageFile* file, SpillFile* spill, const RowOrigins* origins, Options options);

  IndexKeyMaker key_maker() const { return {options_.record_columns, options_.table_is_keyed}; }
  IndexRuns& runs() { return runs_; }
  const Options& options() const { return options_; }

  // After the last writer, when the section before is complete. Fails with kRejectedValue when two
  // rows have the key of a unique index.
  Status build();

  // What ANALYZE keeps of it in sqlite_stat1.stat; "" for no rows.
  std::string stat() const;

 private:
  // What a thread needs for a piece: the keys of ranks [piece * piece_keys_, ...).
  struct Worker {
    Worker(const IndexBuilder& builder, uint32_t page_bytes);
    IndexKeyReader reader;
    IndexPages pages;
    Buffer last_key;                 // of the piece; empty: none yet
    int64_t last_rowid = 0;          // of a short one
    std::vector<uint64_t> distinct;  // how often the first 1, 2, ... columns changed
  };
  // A piece that is laid out, or what is wrong with it.
  struct PieceClaim : Claim {
    IndexPages* laid_out = nullptr;
    std::optional<Error> error;
  };

  Status granted(const Claim& claim) override;
  Status build_in_threads();
  Status build_from_file();
  Status build_pieces(std::atomic<uint64_t>* next, Worker* worker);
  Status build_short_pieces(std::atomic<uint64_t>* next, Worker* worker);
  Status take_key_before(const std::vector<size_t>& begin, Worker* worker) const;
  Status lay_out(uint64_t piece, KeyMerge* keys, Worker* worker);
  Status lay_out_short(uint64_t piece, ShortMerge* keys, Worker* worker);
  Status add_entry(uint64_t piece, uint64_t place, const uint8_t* key, size_t bytes,
                   Worker* worker) const;
  Status compare_with_last(const uint8_t* key, size_t bytes, Worker* worker) const;
  Status claim_and_write(uint64_t piece, Status laid_out, Worker* worker);
  Status complete();
  Error violation(const uint8_t* key, size_t bytes, const Worker& worker) const;
  uint64_t keys_of(uint64_t piece) const;
  bool is_last(uint64_t piece) const { return piece + 1 == pieces_; }
  bool is_short() const { return runs_.keys().count() == 0; }

  PageFile* const file_;
  SpillFile* const spill_;
  const RowOrigins* const origins_;
  const Options options_;
  IndexRuns runs_;
  std::optional<PageClaims> claims_;
  uint64_t piece_keys_ = 0;
  uint64_t pieces_ = 0;
  IndexLevel leaves_;
  uint32_t last_leaf_ = 0;
  std::vector<uint64_t> distinct_;
};

}  // namespace headrace
