#include "sink/sqlite/rtree_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/endian.h"
#include "encode/format/sqlite_record.h"
#include "sink/sqlite/page_format.h"
#include "sink/sqlite/shadow_table.h"

namespace headrace {
namespace {

constexpr size_t kHeadBytes = 4;
constexpr size_t kCellBytes = 24;
constexpr size_t kMaxCells = 51;       // as the module itself limits them
constexpr size_t kPageRest = 64;       // of a page, left free by a node
constexpr size_t kBoxBytes = 16;
constexpr size_t kEntryBytes = 8 + kBoxBytes;  // rowid, box
constexpr size_t kCurveBytes = 4;
constexpr int kCurveBits = 16;  // of each coordinate
constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr size_t kMergeBytes = 16 << 20;

size_t node_bytes_of(uint32_t page_bytes) {
  return std::min<size_t>(page_bytes - kPageRest, kHeadBytes + kMaxCells * kCellBytes);
}

// The largest float that is not above, the smallest that is not below.
float float_below(double v) {
  const auto f = static_cast<float>(v);
  return static_cast<double>(f) > v ? std::nextafterf(f, -std::numeric_limits<float>::infinity())
                                    : f;
}
float float_above(double v) {
  const auto f = static_cast<float>(v);
  return static_cast<double>(f) < v ? std::nextafterf(f, std::numeric_limits<float>::infinity())
                                    : f;
}

// Place of a grid point on the Hilbert curve.
uint32_t hilbert(uint32_t x, uint32_t y) {
  uint32_t place = 0;
  for (uint32_t s = 1u << (kCurveBits - 1); s > 0; s >>= 1) {
    const uint32_t rx = (x & s) != 0 ? 1 : 0;
    const uint32_t ry = (y & s) != 0 ? 1 : 0;
    place += s * s * ((3 * rx) ^ ry);
    if (ry == 0) {
      if (rx == 1) {
        x = ~x;
        y = ~y;
      }
      std::swap(x, y);
    }
  }
  return place;
}

// A coordinate on the grid between the bounds.
uint32_t on_grid(double v, double low, double high) {
  constexpr uint32_t kLast = (1u << kCurveBits) - 1;
  if (!(high > low)) return 0;
  const double at = (v - low) / (high - low) * kLast;
  return static_cast<uint32_t>(std::clamp(at, 0.0, static_cast<double>(kLast)));
}

void put_float(uint8_t* at, float v) { store_be32(at, std::bit_cast<uint32_t>(v)); }

// A node being filled.
class Node {
 public:
  explicit Node(size_t bytes) : bytes_(bytes) { start(); }

  void start() {
    data_.clear();
    std::memset(data_.extend(bytes_), 0, bytes_);
    cells_ = 0;
  }
  template <typename Box>
  void add(int64_t id, const Box& box) {
    uint8_t* at = data_.data() + kHeadBytes + cells_ * kCellBytes;
    store_be64(at, static_cast<uint64_t>(id));
    put_float(at + 8, box.min_x);
    put_float(at + 12, box.max_x);
    put_float(at + 16, box.min_y);
    put_float(at + 20, box.max_y);
    store_be16(data_.data() + 2, static_cast<uint16_t>(++cells_));
  }
  void set_depth(size_t depth) { store_be16(data_.data(), static_cast<uint16_t>(depth)); }
  size_t cells() const { return cells_; }
  const Buffer& data() const { return data_; }

 private:
  size_t bytes_;
  Buffer data_;
  size_t cells_ = 0;
};

}  // namespace

static void add_bounds(const geometry_blob::Envelope& from, geometry_blob::Envelope* to) {
  if (from.is_empty()) return;
  to->add(from.min_x, from.min_y);
  to->add(from.max_x, from.max_y);
}

void LayerFacts::add(const geometry_blob::BlobFacts& blob) {
  add_bounds(blob.envelope, &bounds);
  kinds |= 1u << (blob.type + 8 * (blob.dims.z + 2 * blob.dims.m));
}

void LayerFacts::add(const LayerFacts& other) {
  add_bounds(other.bounds, &bounds);
  kinds |= other.kinds;
}

ewkb::Type LayerFacts::type() const {
  const uint32_t types = (kinds | kinds >> 8 | kinds >> 16 | kinds >> 24) & 0xFF;
  return std::has_single_bit(types) ? static_cast<ewkb::Type>(std::countr_zero(types))
                                    : ewkb::kAnyType;
}

ewkb::Dims LayerFacts::dims(bool* differ) const {
  int found = 0, first = 0;
  for (int dims = 3; dims >= 0; --dims) {
    if ((kinds >> (8 * dims) & 0xFF) == 0) continue;
    ++found;
    first = dims;
  }
  *differ = found > 1;
  return {(first & 1) != 0, (first & 2) != 0};
}

RTreeBuilder::RTreeBuilder(PageFile* file, SpillFile* spill, std::string name, int column,
                           ReadBlob read_blob, size_t run_bytes)
    : file_(file),
      spill_(spill),
      name_(std::move(name)),
      column_(column),
      read_blob_(read_blob),
      run_bytes_(run_bytes),
      node_bytes_(node_bytes_of(file->page_bytes())),
      node_cells_((node_bytes_ - kHeadBytes) / kCellBytes) {}

Status RTreeBuilder::Collector::add(const uint8_t* cell) {
  const sqlite_page::CellHead head = sqlite_page::read_cell_head(cell);
  uint64_t header_bytes, serial = 0;
  const uint8_t* type = sqlite_record::get_varint(cell + head.head_bytes, &header_bytes);
  const uint8_t* body = cell + head.head_bytes + header_bytes;
  uint64_t bytes = 0;
  for (int column = 0; column <= column_; ++column) {
    body += bytes;
    type = sqlite_record::get_varint(type, &serial);
    bytes = serial < 12 ? sqlite_record::kSerialBytes[serial] : (serial - 12) / 2;
  }
  if (serial == sqlite_record::kSerialNull) return {};
  const geometry_blob::BlobFacts blob = read_blob_(body);
  facts_.add(blob);
  if (blob.envelope.is_empty()) return {};
  const Box box{float_below(blob.envelope.min_x), float_above(blob.envelope.max_x),
                float_below(blob.envelope.min_y), float_above(blob.envelope.max_y)};
  uint8_t entry[kEntryBytes];
  std::memcpy(entry, &head.rowid, 8);
  std::memcpy(entry + 8, &box, sizeof box);
  ++count_;
  return boxes_.append(entry, sizeof entry);
}

void RTreeBuilder::take(Collector collector) {
  std::lock_guard lock(mutex_);
  facts_.add(collector.facts_);
  collected_.push_back(std::move(collector));
}

Status RTreeBuilder::build() {
  KeyRuns sorted(spill_, run_bytes_);
  HEADRACE_TRY(sort_boxes(&sorted));
  if (sorted.count() == 0) return {};  // the empty root that SQLite made
  plan_levels(sorted.count());
  KeyRuns by_rowid(spill_, run_bytes_);
  HEADRACE_TRY(write_nodes(&sorted, &by_rowid));
  HEADRACE_TRY(write_rowids(by_rowid));
  return write_parents();
}

// Keys: place on the curve, 4 | rowid in an order of bytes, 8 | box.
Status RTreeBuilder::sort_boxes(KeyRuns* sorted) {
  const geometry_blob::Envelope& all = facts_.bounds;
  KeyRun run;
  for (const Collector& collector : collected_) {
    Spool::Reader reader(collector.boxes_);
    for (uint64_t i = 0; i < collector.count_; ++i) {
      HEADRACE_ASSIGN(const uint8_t* entry, reader.next(kEntryBytes));
      int64_t rowid;
      Box box;
      std::memcpy(&rowid, entry, 8);
      std::memcpy(&box, entry + 8, sizeof box);
      const double x = (double{box.min_x} + double{box.max_x}) / 2;
      const double y = (double{box.min_y} + double{box.max_y}) / 2;
      uint8_t* key = run.reserve(kCurveBytes + kEntryBytes);
      store_be32(key, hilbert(on_grid(x, all.min_x, all.max_x), on_grid(y, all.min_y, all.max_y)));
      store_be64(key + kCurveBytes, static_cast<uint64_t>(rowid) ^ kSignBit);
      std::memcpy(key + kCurveBytes + 8, &box, sizeof box);
      run.add(key + kCurveBytes + kEntryBytes);
      if (sorted->is_full(run)) HEADRACE_TRY(sorted->spill(&run));
    }
  }
  sorted->keep(std::move(run));
  collected_.clear();
  return {};
}

void RTreeBuilder::plan_levels(uint64_t entries) {
  levels_.clear();
  int64_t next = 2;
  for (uint64_t count = entries; count > 1 || levels_.empty();) {
    count = (count + node_cells_ - 1) / node_cells_;
    levels_.push_back({count, next});
    next += static_cast<int64_t>(count);
  }
  levels_.back().first = 1;  // the root
}

Status RTreeBuilder::write_nodes(KeyRuns* sorted, KeyRuns* by_rowid) {
  HEADRACE_ASSIGN(const uint32_t root_page, file_->root_of(name_ + "_node"));
  const uint64_t first_page = file_->next_page();
  ShadowTable nodes(file_, root_page);
  const bool one_node = levels_.size() == 1;
  Node node(node_bytes_);
  if (!one_node) {
    // The root comes first and is known last: a page of its own is kept for it.
    HEADRACE_TRY(nodes.add(1, node.data().view()));
    HEADRACE_TRY(nodes.end_page());
  }
  std::vector<Box> boxes;  // of the nodes of the level that was written last
  Box bounds{};
  const auto grow = [&](const Box& box) {
    if (node.cells() == 1) bounds = box;
    bounds = {std::min(bounds.min_x, box.min_x), std::max(bounds.max_x, box.max_x),
              std::min(bounds.min_y, box.min_y), std::max(bounds.max_y, box.max_y)};
  };
  KeyRun rowids;
  KeyMerge entries(*sorted, kMergeBytes);
  for (uint64_t left = sorted->count(); left > 0; --left) {
    HEADRACE_ASSIGN(const uint8_t* key, entries.next());
    if (key == nullptr) return Error(ErrorCode::kInternal, "an R-tree has too few boxes");
    const uint8_t* data = key_data(key) + kCurveBytes;
    const uint64_t biased = load_be64(data);
    Box box;
    std::memcpy(&box, data + 8, sizeof box);
    node.add(static_cast<int64_t>(biased ^ kSignBit), box);
    grow(box);
    const int64_t number = levels_[0].first + static_cast<int64_t>(boxes.size());
    uint8_t* place = rowids.reserve(16);
    store_be64(place, biased);
    store_be64(place + 8, static_cast<uint64_t>(number));
    rowids.add(place + 16);
    if (by_rowid->is_full(rowids)) HEADRACE_TRY(by_rowid->spill(&rowids));
    if (node.cells() < node_cells_ && left > 1) continue;
    boxes.push_back(bounds);
    HEADRACE_TRY(nodes.add(number, node.data().view()));
    node.start();
  }
  by_rowid->keep(std::move(rowids));
  for (size_t level = 1; level < levels_.size(); ++level) {
    const bool is_root = level + 1 == levels_.size();
    std::vector<Box> parents;
    for (size_t i = 0; i < boxes.size(); ++i) {
      node.add(levels_[level - 1].first + static_cast<int64_t>(i), boxes[i]);
      grow(boxes[i]);
      if (node.cells() < node_cells_ && i + 1 < boxes.size()) continue;
      if (is_root) break;
      HEADRACE_TRY(nodes.add(levels_[level].first + static_cast<int64_t>(parents.size()),
                             node.data().view()));
      parents.push_back(bounds);
      node.start();
    }
    boxes = std::move(parents);
  }
  HEADRACE_TRY(nodes.finish());
  if (one_node) return {};
  node.set_depth(levels_.size() - 1);
  return put_root(first_page, node.data());
}

// Fills the page that was kept for the root.
Status RTreeBuilder::put_root(uint64_t first_page, const Buffer& node) {
  if (first_page == sqlite_page::lock_byte_page(file_->page_bytes())) ++first_page;
  RowBlock block;
  block.row_starts.push_back(0);
  append_shadow_cell(1, 12 + 2 * node.size(), node.data(), node.size(), &block.bytes);
  LeafLayout layout(file_->page_bytes(), file_->max_payload());
  HEADRACE_TRY(layout.plan(block));
  Buffer page;
  PageComposer(block, layout, PageRange{static_cast<uint32_t>(first_page), 0}).compose(&page, 1);
  return file_->write_page(static_cast<uint32_t>(first_page), page.data());
}

Status RTreeBuilder::write_rowids(const KeyRuns& by_rowid) {
  HEADRACE_ASSIGN(const uint32_t root, file_->root_of(name_ + "_rowid"));
  ShadowTable table(file_, root);
  KeyMerge rows(by_rowid, kMergeBytes);
  for (;;) {
    HEADRACE_ASSIGN(const uint8_t* key, rows.next());
    if (key == nullptr) return table.finish();
    const uint8_t* data = key_data(key);
    HEADRACE_TRY(table.add(static_cast<int64_t>(load_be64(data) ^ kSignBit),
                           static_cast<int64_t>(load_be64(data + 8))));
  }
}

Status RTreeBuilder::write_parents() {
  HEADRACE_ASSIGN(const uint32_t root, file_->root_of(name_ + "_parent"));
  ShadowTable table(file_, root);
  for (size_t level = 0; level + 1 < levels_.size(); ++level) {
    for (uint64_t i = 0; i < levels_[level].count; ++i) {
      HEADRACE_TRY(table.add(levels_[level].first + static_cast<int64_t>(i),
                             levels_[level + 1].first + static_cast<int64_t>(i / node_cells_)));
    }
  }
  return table.finish();
}

}  // namespace headrace
