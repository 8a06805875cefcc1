// Dictionaries: indexes into an array of values. The target and the rules are those of the value
// type.
//
// Each entry is encoded once per batch by the value's codec, then copied to every row that uses it:
// all entries before the first row, or, when there are more of them than rows, each on first use.
// A NULL index or a NULL entry is NULL. An entry that cannot be stored is rejected in the rows that
// use it, and so is an index outside the dictionary.
#include <string>
#include <unordered_map>
#include <vector>

#include "base/buffer.h"
#include "encode/codec_helpers.h"
#include "encode/types/bytes_codec.h"
#include "encode/types/families.h"

#include <fmt/format.h>

namespace headrace {
namespace {

// The encoded entries of one dictionary.
class EntryStore {
 public:
  EntryStore(std::unique_ptr<Codec> codec, RowFormat format)
      : codec_(std::move(codec)), format_(format) {}

  void start(const ColumnView& dictionary, bool encode_all) {
    dictionary_ = &dictionary;
    const auto count = static_cast<size_t>(dictionary.length);
    cells_.resize(count);
    offsets_.resize(count);
    known_.assign(encode_all ? 0 : count, 0);
    changed_.assign(change() != nullptr ? count : 0, 0);
    bytes_.clear();
    reasons_.clear();
    longest_ = 0;
    shortest_ = kMaxWidth;
    all_known_ = encode_all;
    codec_->bind(dictionary);
    if (encode_all) encode(0, dictionary.length);
  }

  const char* change() const { return codec_->change(); }
  // Whether an option changed the entry. REQUIRES: change() and cell(entry) is not kRejectedCell.
  bool is_changed(uint64_t entry) const { return changed_[entry] != 0; }

  size_t count() const { return cells_.size(); }
  bool holds(uint64_t entry) const { return entry < cells_.size(); }

  // REQUIRES: holds(entry).
  uint32_t cell(uint64_t entry) {
    if (!all_known_ && known_[entry] == 0) {
      encode(static_cast<int64_t>(entry), 1);
      known_[entry] = 1;
    }
    return cells_[entry];
  }
  // The entries' bytes. Of one: REQUIRES: cell(entry) was asked for and is not kRejectedCell.
  struct Bytes {
    const char* data;
    const uint64_t* offsets;
    const char* operator[](uint64_t entry) const { return data + offsets[entry]; }
  };
  Bytes all_bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), offsets_.data()};
  }
  const std::string& reason(uint64_t entry) const { return reasons_.at(entry); }

  // The one cell of all entries, or kCellsDiffer.
  uint32_t shared_cell() const {
    if (!all_known_ || cells_.empty() || !reasons_.empty()) return kCellsDiffer;
    for (const uint32_t cell : cells_) {
      if (cell != cells_[0]) return kCellsDiffer;
    }
    return cells_[0];
  }

  uint32_t size_of(uint32_t cell) const {
    return format_ == RowFormat::kSqliteRecord ? sqlite_record::body_bytes(cell) : cell;
  }

  // Width of words that hold every entry encoded so far and may be written whole; 0: none.
  uint32_t copy_width(uint32_t room) const {
    for (const uint32_t width : {8U, 16U, kMaxWidth}) {
      if (longest_ <= width) return width - shortest_ <= room ? width : 0;
    }
    return 0;
  }

 private:
  void encode(int64_t begin, int64_t count) {
    // One by one where it must be known which of them are changed.
    const int64_t most = changed_.empty() ? kMaxSpanRows : 1;
    while (count > 0) {
      const RowSpan rows{begin, static_cast<int>(std::min(count, most))};
      encode_span(rows);
      begin += rows.count;
      count -= rows.count;
    }
  }

  void encode_span(RowSpan rows) {
    uint32_t* cells = cells_.data() + rows.begin;
    Rejects rejects;
    const uint32_t shared = codec_->measure(*dictionary_, rows, cells, rejects);
    if (shared != kCellsDiffer) std::fill_n(cells, rows.count, shared);
    if (!rejects.empty()) {
      encode_around(rows, rejects);
      return;
    }
    write_span(rows, cells);
  }

  // A span with rejected entries: the others one by one.
  void encode_around(RowSpan rows, const Rejects& rejects) {
    for (const Reject& reject : rejects) {
      reasons_.emplace(static_cast<uint64_t>(reject.row), reject.reason);
    }
    for (int64_t entry = rows.begin; entry < rows.begin + rows.count; ++entry) {
      if (reasons_.contains(static_cast<uint64_t>(entry))) {
        cells_[static_cast<size_t>(entry)] = kRejectedCell;
      } else if (rows.count > 1) {
        encode_span({entry, 1});
      }
    }
  }

  void write_span(RowSpan rows, const uint32_t* cells) {
    uint8_t* cursors[kMaxSpanRows];
    uint64_t total = 0;
    for (int i = 0; i < rows.count; ++i) total += size_of(cells[i]);
    uint64_t at = bytes_.size();
    bytes_.reserve_more(total + kMaxWidth);  // the last entry too is read as whole words
    bytes_.extend(total);
    for (int i = 0; i < rows.count; ++i) {
      const uint32_t size = size_of(cells[i]);
      cursors[i] = bytes_.data() + at;
      offsets_[static_cast<size_t>(rows.begin + i)] = at;
      at += size;
      longest_ = std::max(longest_, size);
      shortest_ = std::min(shortest_, size);
    }
    const int64_t changed = codec_->changed();
    codec_->write(*dictionary_, rows, cells, cursors);
    if (codec_->changed() > changed) changed_[static_cast<size_t>(rows.begin)] = 1;
  }

  static constexpr uint32_t kMaxWidth = 24;

  std::unique_ptr<Codec> codec_;
  RowFormat format_;
  const ColumnView* dictionary_ = nullptr;
  std::vector<uint32_t> cells_;  // kRejectedCell: see reasons_
  std::vector<uint64_t> offsets_;
  std::vector<uint8_t> known_;
  std::vector<uint8_t> changed_;  // empty when no option changes values
  Buffer bytes_;
  std::unordered_map<uint64_t, std::string> reasons_;
  uint32_t longest_ = 0;  // bytes of an encoded entry
  uint32_t shortest_ = 0;
  bool all_known_ = false;
};

template <typename Index, typename Cells>
class DictionaryCodec final : public Codec {
 public:
  DictionaryCodec(std::unique_ptr<Codec> codec, RowFormat format)
      : entries_(std::move(codec), format) {}

  void bind(const ColumnView& column) override {
    entries_.start(*column.dictionary, column.dictionary->length <= column.length);
    shared_entry_cell_ = entries_.shared_cell();
  }

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    const FixedReader<Index> indexes(column);
    null_free_ = is_null_free(column, rows);
    shared_ = null_free_ && shared_entry_cell_ != kCellsDiffer && all_inside(indexes, rows);
    if (shared_) return shared_entry_cell_;
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      cells[i] = !null_free_ && column.is_null(row) ? Cells::kNull
                                                    : measure_one(indexes[row], row, rejects);
    }
    return kCellsDiffer;
  }

  void write(const ColumnView& column, RowSpan rows, const uint32_t* cells,
             uint8_t** cursors) override {
    if (entries_.change() != nullptr) count_changed(column, rows);
    switch (entries_.copy_width(room_)) {
      case 8:
        return write_rows(column, rows, cells, cursors, FixedCopy<8>{});
      case 16:
        return write_rows(column, rows, cells, cursors, FixedCopy<16>{});
      case 24:
        return write_rows(column, rows, cells, cursors, FixedCopy<24>{});
      default:
        return write_rows(column, rows, cells, cursors, nullptr);
    }
  }

  const char* change() const override { return entries_.change(); }

 private:
  void count_changed(const ColumnView& column, RowSpan rows) {
    const FixedReader<Index> indexes(column);
    for (int64_t row = rows.begin; row < rows.begin + rows.count; ++row) {
      if (!null_free_ && column.is_null(row)) continue;
      changed_ += entries_.is_changed(entry_of(indexes[row]));
    }
  }

  template <typename Copy>
  void write_rows(const ColumnView& column, RowSpan rows, const uint32_t* cells, uint8_t** cursors,
                  Copy copy) const {
    const FixedReader<Index> indexes(column);
    const EntryStore::Bytes entries = entries_.all_bytes();
    const bool null_free = null_free_, shared = shared_;
    const uint32_t shared_size = shared ? entries_.size_of(shared_entry_cell_) : 0;
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      if (!null_free && column.is_null(row)) {
        cursors[i] = Cells::put_null(cursors[i]);
        continue;
      }
      const uint32_t size = shared ? shared_size : entries_.size_of(cells[i]);
      const char* bytes = entries[entry_of(indexes[row])];
      if constexpr (std::is_same_v<Copy, std::nullptr_t>) {
        cursors[i] = put_bytes(cursors[i], bytes, size);
      } else {
        copy(cursors[i], bytes);
        cursors[i] += size;
      }
    }
  }

  // A negative index becomes one that no dictionary holds.
  static uint64_t entry_of(Index index) { return static_cast<uint64_t>(index); }

  bool all_inside(const FixedReader<Index>& indexes, RowSpan rows) const {
    bool inside = true;
    for (int i = 0; i < rows.count; ++i) {
      inside &= entries_.holds(entry_of(indexes[rows.begin + i]));
    }
    return inside;
  }

  uint32_t measure_one(Index index, int64_t row, Rejects& rejects) {
    const uint64_t entry = entry_of(index);
    if (!entries_.holds(entry)) [[unlikely]] {
      rejects.push_back(
          {row, fmt::format("dictionary index {} is outside the dictionary of {} entries", index,
                            entries_.count())});
      return Cells::kNull;
    }
    const uint32_t cell = entries_.cell(entry);
    if (cell == kRejectedCell) [[unlikely]] {
      rejects.push_back({row, entries_.reason(entry)});
      return Cells::kNull;
    }
    return cell;
  }

  EntryStore entries_;
  uint32_t shared_entry_cell_ = kCellsDiffer;
  // Of the span measured last.
  bool null_free_ = false;
  bool shared_ = false;
};

template <typename Index>
std::unique_ptr<Codec> make_for(std::unique_ptr<Codec> codec, RowFormat format) {
  switch (format) {
    case RowFormat::kPgBinary:
      return std::make_unique<DictionaryCodec<Index, pg_binary::Cells>>(std::move(codec), format);
    case RowFormat::kText:
      return std::make_unique<DictionaryCodec<Index, text::Cells>>(std::move(codec), format);
    default:
      return std::make_unique<DictionaryCodec<Index, sqlite_record::Cells>>(std::move(codec),
                                                                            format);
  }
}

const TypeFamily* family_of_values(const DataType& type) {
  return type.children.empty() ? nullptr : find_type_family(type.children[0].type);
}

bool handles(const DataType& type) {
  return type.id == TypeId::kDictionary && family_of_values(type) != nullptr;
}

TargetType default_target(const DataType& type, Dialect dialect) {
  return family_of_values(type)->default_target(type.children[0].type, dialect);
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  const DataType& value = type.children[0].type;
  HEADRACE_ASSIGN(auto codec, family_of_values(type)->make(value, target, format, options));
  switch (type.index_id) {
    case TypeId::kInt8:
      return make_for<int8_t>(std::move(codec), format);
    case TypeId::kInt16:
      return make_for<int16_t>(std::move(codec), format);
    case TypeId::kInt32:
      return make_for<int32_t>(std::move(codec), format);
    case TypeId::kInt64:
      return make_for<int64_t>(std::move(codec), format);
    case TypeId::kUint8:
      return make_for<uint8_t>(std::move(codec), format);
    case TypeId::kUint16:
      return make_for<uint16_t>(std::move(codec), format);
    case TypeId::kUint32:
      return make_for<uint32_t>(std::move(codec), format);
    case TypeId::kUint64:
      return make_for<uint64_t>(std::move(codec), format);
    default:
      return type_mismatch(type, target);
  }
}

}  // namespace

const TypeFamily kDictionaryFamily = {"dictionary", handles, default_target, make};

}  // namespace headrace
