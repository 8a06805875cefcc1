// Lists: list, large_list, fixed_size_list, list_view, large_list_view.
//
//   PostgreSQL   an array of the items' type (format/pg_array.h); lists of lists are arrays of
//                several dimensions, of at most six. Inner lists of different sizes, empty ones and
//                NULL ones are rejected, for an array has none. Lists deeper than that, and items
//                of a type that PostgreSQL itself does not bring, are jsonb in a new table.
//                Into json and jsonb: a JSON array (types/nested_json.h)
//   SQLite       TEXT, the same JSON
//
// The items are measured and written by the codec of their own type, in spans that go over the
// borders of lists. Numbers that PostgreSQL stores as Arrow does, the embeddings among them, take a
// loop of their own.
#include <algorithm>

#include "encode/codec_helpers.h"
#include "encode/types/array_text.h"
#include "encode/types/families.h"
#include "encode/types/list_shape.h"
#include "encode/types/nested_json.h"

#include <fmt/format.h>

namespace headrace {
namespace {

// Items whose values are those of Arrow with their bytes turned round.
struct PlainItems {
  uint8_t* (*put)(uint8_t* out, const void* values, int64_t begin, int64_t count) = nullptr;
  uint32_t bytes = 0;  // of an item with its length
};

PlainItems plain_items(TypeId id, std::string_view base) {
  if (id == TypeId::kInt16 && base == "int2") return {pg_array::put_elements_16, 6};
  const bool is_32 = (id == TypeId::kInt32 && base == "int4") ||
                     (id == TypeId::kFloat32 && base == "float4");
  if (is_32) return {pg_array::put_elements_32, 8};
  const bool is_64 = (id == TypeId::kInt64 && base == "int8") ||
                     (id == TypeId::kFloat64 && base == "float8");
  if (is_64) return {pg_array::put_elements_64, 12};
  return {};
}

class PgArrayCodec final : public Codec {
 public:
  PgArrayCodec(std::unique_ptr<Codec> items, uint32_t oid, PlainItems plain)
      : items_(std::move(items)), oid_(oid), plain_(plain) {}

  void bind(const ColumnView& column) override {
    shapes_.start(column);
    const ColumnView& leaf = shapes_.leaf();
    items_->bind(leaf);
    // Only these can be NULL; a dictionary also by its entries.
    null_items_ = leaf.validity != nullptr || leaf.type->id == TypeId::kNull ||
                  leaf.type->id == TypeId::kDictionary;
  }

  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t* cells,
                   Rejects& rejects) override {
    read_shapes(column, rows, rejects);
    is_plain_ = plain_.put != nullptr && all_items_there();
    if (is_plain_) {
      for (int i = 0; i < rows.count; ++i) {
        bytes_[i] += static_cast<uint64_t>(values_[i].shape.elements()) * plain_.bytes;
      }
    } else {
      measure_items(rows, rejects);
    }
    for (int i = 0; i < rows.count; ++i) {
      if (bytes_[i] > kMaxCellBytes) [[unlikely]] {
        reject(rows.begin + i, fmt::format("an array of {} bytes; the limit is 1 GiB", bytes_[i]),
               rejects);
      }
      cells[i] = values_[i].null ? pg_binary::Cells::kNull
                                 : pg_binary::Cells::from_bytes(static_cast<uint32_t>(bytes_[i]));
    }
    return kCellsDiffer;
  }

  void write(const ColumnView&, RowSpan rows, const uint32_t* cells, uint8_t** cursors) override {
    for (int i = 0; i < rows.count; ++i) {
      if (values_[i].null) {
        cursors[i] = pg_binary::Cells::put_null(cursors[i]);
        continue;
      }
      headers_[i] = pg_binary::Cells::open(cursors[i], pg_binary::Cells::bytes(cells[i]));
      cursors[i] = pg_array::put_header(headers_[i], values_[i].shape, oid_);
      if (is_plain_) cursors[i] = write_plain(i, cursors[i]);
    }
    if (!is_plain_) write_items(rows, cursors);
  }

 private:
  // Of one row: which runs of the leaf hold its items.
  struct Value {
    pg_array::Shape shape;
    size_t first_run = 0;
    bool null = true;
  };

  void read_shapes(const ColumnView& column, RowSpan rows, Rejects& rejects) {
    runs_.clear();
    for (int i = 0; i < rows.count; ++i) {
      Value& value = values_[i];
      value.first_run = runs_.size();
      value.null = column.is_null(rows.begin + i);
      value.shape.dimensions = 0;
      bytes_[i] = 0;
      if (value.null) continue;
      std::string reason;
      if (!shapes_.read(rows.begin + i, &value.shape, &runs_, &reason)) [[unlikely]] {
        rejects.push_back({rows.begin + i, std::move(reason)});
        runs_.resize(value.first_run);
        value.shape.dimensions = 0;
        value.null = true;
        continue;
      }
      bytes_[i] = pg_array::header_bytes(value.shape.dimensions);
    }
    values_[rows.count].first_run = runs_.size();
  }

  bool all_items_there() const {
    const ColumnView& leaf = shapes_.leaf();
    return leaf.validity == nullptr ||
           std::all_of(runs_.begin(), runs_.end(), [&](const ChildRows& run) {
             return all_bits_set(leaf.validity, leaf.offset + run.begin, run.size());
           });
  }

  uint8_t* write_plain(int row, uint8_t* at) const {
    const ColumnView& leaf = shapes_.leaf();
    for (size_t r = values_[row].first_run; r < values_[row + 1].first_run; ++r) {
      at = plain_.put(at, leaf.values, leaf.offset + runs_[r].begin, runs_[r].size());
    }
    return at;
  }

  // Calls visit(span, owners) for spans of the leaf that hold the items of the first `count` rows,
  // in order; item k of the span belongs to row owners[k].
  template <typename Visit>
  void walk_items(int count, Visit visit) {
    RowSpan span;
    for (int i = 0; i < count; ++i) {
      for (size_t r = values_[i].first_run; r < values_[i + 1].first_run; ++r) {
        for (int64_t at = runs_[r].begin; at < runs_[r].end;) {
          if (span.count == kMaxSpanRows || (span.count > 0 && span.begin + span.count != at)) {
            visit(span, owners_);
            span.count = 0;
          }
          if (span.count == 0) span.begin = at;
          const int64_t room = kMaxSpanRows - span.count;
          const auto taken = static_cast<int>(std::min(runs_[r].end - at, room));
          std::fill_n(owners_ + span.count, taken, static_cast<uint8_t>(i));
          span.count += taken;
          at += taken;
        }
      }
    }
    if (span.count > 0) visit(span, owners_);
  }

  void measure_items(RowSpan rows, Rejects& rejects) {
    int spans = 0;
    walk_items(rows.count, [&](RowSpan span, const uint8_t* owners) {
      ++spans;
      measure_span(span);
      for (int k = 0; k < span.count; ++k) bytes_[owners[k]] += item_cell(k);
      for (const Reject& bad : bad_items_) {
        const int row = owners[bad.row - span.begin];
        reject(rows.begin + row,
               fmt::format("item {}: {}", item_number(row, bad.row), bad.reason), rejects);
      }
    });
    one_span_ = spans == 1;
  }

  void measure_span(RowSpan span) {
    bad_items_.clear();
    shared_item_ = items_->measure(shapes_.leaf(), span, item_cells_, bad_items_);
  }
  uint32_t item_cell(int k) const {
    return shared_item_ == kCellsDiffer ? item_cells_[k] : shared_item_;
  }

  // Codecs keep what they know of the span measured last, so every span but a single one is
  // measured again.
  void write_items(RowSpan rows, uint8_t** cursors) {
    walk_items(rows.count, [&](RowSpan span, const uint8_t* owners) {
      if (!one_span_) measure_span(span);
      uint8_t* items[kMaxSpanRows];
      for (int k = 0; k < span.count; ++k) {
        items[k] = cursors[owners[k]];
        cursors[owners[k]] += item_cell(k);
      }
      items_->write(shapes_.leaf(), span, item_cells_, items);
      if (null_items_) mark_nulls(span, owners, items);
    });
  }

  // `ends` are the ends of the items just written. A NULL has no bytes, and -1 as length.
  void mark_nulls(RowSpan span, const uint8_t* owners, uint8_t* const* ends) {
    for (int k = 0; k < span.count; ++k) {
      if (item_cell(k) != pg_binary::Cells::kNull || load_be32(ends[k] - 4) != 0xFFFFFFFF) continue;
      store_be32(headers_[owners[k]] + pg_array::kHasNullAt, 1);
    }
  }

  // 1 for the first item of the row.
  int64_t item_number(int row, int64_t item) const {
    int64_t before = 0;
    for (size_t r = values_[row].first_run; r < values_[row + 1].first_run; ++r) {
      if (item >= runs_[r].begin && item < runs_[r].end) return before + item - runs_[r].begin + 1;
      before += runs_[r].size();
    }
    return before;
  }

  // Only the first reason of a row counts.
  static void reject(int64_t row, std::string reason, Rejects& rejects) {
    if (!rejects.empty() && rejects.back().row == row) return;
    rejects.push_back({row, std::move(reason)});
  }

  std::unique_ptr<Codec> items_;
  uint32_t oid_;
  PlainItems plain_;
  // Of the batch.
  ListShapes shapes_;
  bool null_items_ = false;
  // Of the span of lists measured last.
  std::vector<ChildRows> runs_;
  Value values_[kMaxSpanRows + 1];
  uint64_t bytes_[kMaxSpanRows];
  uint8_t* headers_[kMaxSpanRows];
  bool is_plain_ = false;
  bool one_span_ = false;
  // Of the span of items measured last.
  uint8_t owners_[kMaxSpanRows];
  uint32_t item_cells_[kMaxSpanRows];
  uint32_t shared_item_ = kCellsDiffer;
  Rejects bad_items_;
};

// The type of an array's elements; its base is empty when the target is no array.
TargetType element_target(const TargetType& target) {
  if (!target.base.starts_with('_')) return {};
  return {target.sql.substr(0, target.sql.find('[')), target.base.substr(1), target.typmod};
}

bool handles(const DataType& type) {
  return is_list(type.id) && has_json(type) && find_type_family(leaf_type(type)) != nullptr;
}

TargetType default_target(const DataType& type, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  const DataType& leaf = leaf_type(type);
  const TargetType item = find_type_family(leaf)->default_target(leaf, dialect);
  const bool too_deep = list_depth(type) > pg_array::kMaxDimensions;
  if (too_deep || pg_array::element_oid(item.base) == 0) return {"jsonb", "jsonb", -1};
  return {item.sql + "[]", "_" + item.base, item.typmod};
}

Error no_array(const DataType& type, const TargetType& target) {
  Error error = type_mismatch(type, target);
  if (!target.base.starts_with('_')) {
    error.hint = "make the target's column an array or jsonb, or convert the column in the source";
  } else if (list_depth(type) > pg_array::kMaxDimensions) {
    error.hint = fmt::format("arrays have at most {} dimensions: make the target's column jsonb",
                             pg_array::kMaxDimensions);
  } else {
    error.hint = "headrace fills arrays of PostgreSQL's own types: make the target's column one, "
                 "or jsonb";
  }
  return error;
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  if (is_json_target(target, format)) return make_json_codec(type, target, format, options);
  const TargetType item = element_target(target);
  const uint32_t oid = pg_array::element_oid(item.base);
  if (oid == 0 || list_depth(type) > pg_array::kMaxDimensions) return no_array(type, target);
  const DataType& leaf = leaf_type(type);
  HEADRACE_ASSIGN(auto items, find_type_family(leaf)->make(leaf, item, format, options));
  if (format == RowFormat::kText) return make_array_text(std::move(items));
  std::unique_ptr<Codec> codec = std::make_unique<PgArrayCodec>(std::move(items), oid,
                                                                plain_items(leaf.id, item.base));
  return codec;
}

}  // namespace

const TypeFamily kListFamily = {"list", handles, default_target, make};

}  // namespace headrace
