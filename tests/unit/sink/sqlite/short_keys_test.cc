// Short keys: the same order, from memory and from the file, in one piece or in many.
#include "sink/sqlite/short_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "sink/sqlite/index_key.h"
#include "sink/sqlite/key_merge.h"
#include "sqlite_test_support.h"

namespace headrace {
namespace {

struct Entry {
  std::string columns;
  int64_t rowid;
  auto operator<=>(const Entry&) const = default;
};

void add(const Entry& entry, int words, ShortRun* run) {
  uint8_t bytes[8 * kMaxShortWords] = {};
  std::memcpy(bytes, entry.columns.data(), entry.columns.size());
  run->add(bytes, entry.columns.size(), entry.rowid, words);
}

Entry entry_of(const ShortKey& key) {
  uint8_t bytes[8 * kMaxShortWords];
  key.put_columns(bytes);
  return {std::string(reinterpret_cast<const char*>(bytes), key.column_bytes()), key.rowid()};
}

// Prefix-free, as index keys are: fixed length, or a length in front.
std::vector<Entry> random_entries(int count, size_t max_bytes, bool in_rowid_order, std::mt19937* random) {
  std::vector<Entry> entries;
  for (int i = 0; i < count; ++i) {
    std::string columns(1, static_cast<char>(1 + (*random)() % max_bytes));
    while (columns.size() < static_cast<size_t>(columns[0])) columns += static_cast<char>((*random)() % 3);
    entries.push_back({columns, in_rowid_order ? i : i * (i % 2 == 0 ? 1 : -1)});
  }
  return entries;
}

TEST(ShortKeys, WordsThatColumnsNeed) {
  EXPECT_EQ(short_words(1), 2);
  EXPECT_EQ(short_words(15), 2);
  EXPECT_EQ(short_words(16), 3);
  EXPECT_EQ(short_words(31), 4);
  EXPECT_EQ(short_words(32), 0);
}

TEST(ShortKeys, SortedRunsMergeInAnyPieces) {
  std::mt19937 random(1);
  const sqlite_test::TempFolder folder(true);
  for (const int words : {2, 3, 4}) {
    for (const bool in_rowid_order : {true, false}) {
      for (const int count : {1, 2, 500, 513, 5000}) {
        SpillFile spill(folder.file("a"));
        ShortRuns runs(&spill, words);
        Buffer scratch;
        const size_t max_bytes = 8 * static_cast<size_t>(words) - 1;
        std::vector<Entry> all = random_entries(count, max_bytes, in_rowid_order, &random);
        // Five runs: of those one is empty, two are in the file.
        ShortRun run[5];
        for (size_t i = 0; i < all.size(); ++i) add(all[i], words, &run[random() % 4]);
        ASSERT_TRUE(runs.spill(&run[0], &scratch).ok());
        ASSERT_TRUE(runs.spill(&run[1], &scratch).ok());
        for (int r = 2; r < 5; ++r) runs.keep(std::move(run[r]), &scratch);
        ASSERT_EQ(runs.count(), all.size());
        std::sort(all.begin(), all.end());
        ShortReader reader(runs);
        for (const uint64_t piece : {uint64_t{1}, uint64_t{7}, uint64_t{4096}}) {
          if (piece == 1 && count > 1000) continue;
          for (uint64_t first = 0; first < all.size(); first += piece) {
            const uint64_t last = std::min<uint64_t>(first + piece, all.size());
            const auto begin = reader.positions(first).value();
            const auto end = reader.positions(last).value();
            ShortKey before;
            ASSERT_EQ(reader.record_before(begin, &before).value(), first > 0);
            if (first > 0) ASSERT_EQ(entry_of(before), all[first - 1]);
            ShortMerge merge(runs, begin, end);
            for (uint64_t i = first; i < last; ++i) {
              const ShortKey* key = merge.next();
              ASSERT_NE(key, nullptr);
              ASSERT_EQ(entry_of(*key), all[i]);
            }
            EXPECT_EQ(merge.next(), nullptr);
            EXPECT_TRUE(merge.status().ok());
          }
        }
      }
    }
  }
}

TEST(ShortKeys, BecomeLongWhenOneIs) {
  const sqlite_test::TempFolder folder(true);
  SpillFile spill(folder.file("a"));
  IndexRuns runs(&spill, 1 << 20, 2);
  IndexKeyMaker maker({0}, false);
  IndexRun run;
  std::vector<std::string> texts{"b", "a", "c", std::string(40, 'b'), "bb"};
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string cell = sqlite_test::make_cell(static_cast<int64_t>(i) + 1, {texts[i]});
    maker.add(reinterpret_cast<const uint8_t*>(cell.data()), static_cast<int64_t>(i), &runs, &run);
  }
  EXPECT_EQ(runs.words(), 0);
  Buffer scratch;
  runs.keep(std::move(run), &scratch);
  ASSERT_EQ(runs.shorts().count(), 3u);
  ASSERT_TRUE(runs.make_uniform().ok());
  EXPECT_EQ(runs.shorts().count(), 0u);
  KeyMerge merge(runs.keys(), 1 << 20);
  std::vector<int64_t> order;
  for (IndexKeyReader reader(1, false);;) {
    const uint8_t* key = merge.next().value();
    if (key == nullptr) break;
    reader.read(key_data(key), key_length(key));
    order.push_back(reader.row_number());
  }
  EXPECT_EQ(order, (std::vector<int64_t>{1, 0, 4, 3, 2}));
}

}  // namespace
}  // namespace headrace
