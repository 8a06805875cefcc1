#include "source/parquet_flat_columns.h"

#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace headrace {
namespace {

// A column of which a definition level tells whether a row has a value.
class LevelledColumn : public ColumnSource {
 public:
  LevelledColumn(const parquet::ColumnDescriptor* descriptor, std::shared_ptr<SlabPool> pool)
      : pool_(std::move(pool)), max_level_(descriptor->max_definition_level()) {}

 protected:
  bool optional() const { return max_level_ > 0; }

  // A bitmap for `rows` rows, all valid at first; made when the first NULL is met.
  void ensure_validity(int64_t rows, ColumnBuffers* out) {
    if (out->validity.data() != nullptr) return;
    const auto bytes = static_cast<size_t>((rows + 7) / 8);
    out->validity = PooledBuffer(pool_, bytes);
    std::memset(out->validity.data(), 0xFF, bytes);
  }

  std::shared_ptr<SlabPool> pool_;
  const int16_t max_level_;
  std::vector<int16_t> levels_;
};

[[noreturn]] void throw_short_chunk() {
  throw parquet::ParquetException("a column chunk has fewer values than the footer says");
}

// Moves `values` packed values at `at` apart, so that each stands in its row. NULL rows get a zero.
template <typename T>
void spread(T* at, const int16_t* levels, int16_t max_level, int64_t rows, int64_t values) {
  for (int64_t row = rows - 1; row >= 0 && values <= row; --row) {
    at[row] = levels[row] == max_level ? at[--values] : T{};
  }
}

void clear_bits(const int16_t* levels, int16_t max_level, int64_t first, int64_t rows, uint8_t* bits) {
  for (int64_t i = 0; i < rows; ++i) {
    if (levels[i] != max_level) bits[(first + i) >> 3] &= static_cast<uint8_t>(~(1u << ((first + i) & 7)));
  }
}

// The loop over pages that all kinds of columns share: `read_page(wanted, at, &values)` reads up to
// `wanted` levels of one page into row `at` and says how many levels it read.
template <typename Reader, typename ReadPage, typename PlaceNulls>
void read_rows(Reader& reader, int64_t rows, const ReadPage& read_page, const PlaceNulls& place_nulls) {
  for (int64_t done = 0; done < rows;) {
    if (!reader.HasNext()) throw_short_chunk();
    int64_t values = 0;
    const int64_t levels = read_page(rows - done, done, &values);
    if (levels == 0) throw_short_chunk();
    if (values < levels) place_nulls(done, levels, values);
    done += levels;
  }
}

// Fixed-width values: Physical is what Parquet stores, Out what the Arrow array holds.
template <typename PhysicalType, typename Out>
class FixedColumn final : public LevelledColumn {
 public:
  using LevelledColumn::LevelledColumn;
  using Physical = typename PhysicalType::c_type;
  using Reader = parquet::TypedColumnReader<PhysicalType>;

  void start(std::shared_ptr<parquet::ColumnReader> chunk) override {
    reader_ = std::static_pointer_cast<Reader>(std::move(chunk));
  }

  void read(int64_t rows, ColumnBuffers* out) override {
    out->values = PooledBuffer(pool_, static_cast<size_t>(rows) * sizeof(Out));
    out->byte_count = rows * static_cast<int64_t>(sizeof(Out));
    levels_.resize(static_cast<size_t>(rows));
    Out* values = out->values.template as<Out>();
    const auto read_page = [&](int64_t wanted, int64_t at, int64_t* count) {
      int16_t* levels = optional() ? levels_.data() : nullptr;
      if constexpr (std::is_same_v<Physical, Out>) {
        return reader_->ReadBatch(wanted, levels, nullptr, values + at, count);
      } else {
        scratch_.resize(static_cast<size_t>(rows));
        const int64_t read = reader_->ReadBatch(wanted, levels, nullptr, scratch_.data(), count);
        for (int64_t i = 0; i < *count; ++i) values[at + i] = static_cast<Out>(scratch_[static_cast<size_t>(i)]);
        return read;
      }
    };
    const auto place_nulls = [&](int64_t at, int64_t levels, int64_t count) {
      ensure_validity(rows, out);
      clear_bits(levels_.data(), max_level_, at, levels, out->validity.data());
      spread(values + at, levels_.data(), max_level_, levels, count);
      out->null_count += levels - count;
    };
    read_rows(*reader_, rows, read_page, place_nulls);
  }

 private:
  std::shared_ptr<Reader> reader_;
  std::vector<Physical> scratch_;
};

// BOOLEAN: one byte a value in Parquet's reader, one bit in Arrow.
class BoolColumn final : public LevelledColumn {
 public:
  using LevelledColumn::LevelledColumn;

  void start(std::shared_ptr<parquet::ColumnReader> chunk) override {
    reader_ = std::static_pointer_cast<parquet::BoolReader>(std::move(chunk));
  }

  void read(int64_t rows, ColumnBuffers* out) override {
    const auto bytes = static_cast<size_t>((rows + 7) / 8);
    out->values = PooledBuffer(pool_, bytes);
    out->byte_count = static_cast<int64_t>(bytes);
    levels_.resize(static_cast<size_t>(rows));
    if (static_cast<int64_t>(capacity_) < rows) {
      scratch_ = std::make_unique<bool[]>(static_cast<size_t>(rows));
      capacity_ = static_cast<size_t>(rows);
    }
    bool* values = scratch_.get();
    const auto read_page = [&](int64_t wanted, int64_t at, int64_t* count) {
      return reader_->ReadBatch(wanted, optional() ? levels_.data() : nullptr, nullptr, values + at, count);
    };
    const auto place_nulls = [&](int64_t at, int64_t levels, int64_t count) {
      ensure_validity(rows, out);
      clear_bits(levels_.data(), max_level_, at, levels, out->validity.data());
      spread(values + at, levels_.data(), max_level_, levels, count);
      out->null_count += levels - count;
    };
    read_rows(*reader_, rows, read_page, place_nulls);
    std::memset(out->values.data(), 0, bytes);
    for (int64_t i = 0; i < rows; ++i) {
      if (values[i]) out->values.data()[i >> 3] |= static_cast<uint8_t>(1u << (i & 7));
    }
  }

 private:
  std::shared_ptr<parquet::BoolReader> reader_;
  std::unique_ptr<bool[]> scratch_;
  size_t capacity_ = 0;
};

// BYTE_ARRAY: values point into a page that the next page replaces, so their bytes are copied at once.
class BytesColumn final : public LevelledColumn {
 public:
  using LevelledColumn::LevelledColumn;

  void start(std::shared_ptr<parquet::ColumnReader> chunk) override {
    reader_ = std::static_pointer_cast<parquet::ByteArrayReader>(std::move(chunk));
  }

  void read(int64_t rows, ColumnBuffers* out) override {
    out->values = PooledBuffer(pool_, static_cast<size_t>(rows + 1) * sizeof(int64_t));
    levels_.resize(static_cast<size_t>(rows));
    scratch_.resize(static_cast<size_t>(rows));
    auto* offsets = out->values.as<int64_t>();
    offsets[0] = 0;
    size_ = 0;
    // The last batch's size is the best guess for this one's.
    out->data = PooledBuffer(pool_, std::max<size_t>(last_size_ + last_size_ / 8, 4096));
    for (int64_t done = 0; done < rows;) {
      if (!reader_->HasNext()) throw_short_chunk();
      int64_t count = 0;
      const int64_t levels = reader_->ReadBatch(rows - done, optional() ? levels_.data() : nullptr,
                                                nullptr, scratch_.data(), &count);
      if (levels == 0) throw_short_chunk();
      append(done, levels, count, rows, out);
      done += levels;
    }
    last_size_ = size_;
    out->byte_count = static_cast<int64_t>(size_) + rows * 8;
  }

 private:
  void append(int64_t first, int64_t levels, int64_t count, int64_t rows, ColumnBuffers* out) {
    size_t bytes = size_;
    for (int64_t i = 0; i < count; ++i) bytes += scratch_[static_cast<size_t>(i)].len;
    reserve(bytes + kOverCopy, out);
    auto* offsets = out->values.as<int64_t>() + first + 1;
    uint8_t* begin = out->data.data();
    uint8_t* at = begin + size_;
    if (count == levels) {
      for (int64_t i = 0; i < levels; ++i) {
        at = copy(at, scratch_[static_cast<size_t>(i)]);
        offsets[i] = at - begin;
      }
    } else {
      ensure_validity(rows, out);
      clear_bits(levels_.data(), max_level_, first, levels, out->validity.data());
      out->null_count += levels - count;
      size_t value = 0;
      for (int64_t i = 0; i < levels; ++i) {
        if (levels_[static_cast<size_t>(i)] == max_level_) at = copy(at, scratch_[value++]);
        offsets[i] = at - begin;
      }
    }
    size_ = bytes;
  }

  static uint8_t* copy(uint8_t* at, const parquet::ByteArray& value) {
    std::memcpy(at, value.ptr, value.len);
    return at + value.len;
  }

  void reserve(size_t bytes, ColumnBuffers* out) {
    if (bytes <= out->data.capacity()) return;
    PooledBuffer larger(pool_, std::max(bytes, out->data.capacity() * 2));
    std::memcpy(larger.data(), out->data.data(), size_);
    out->data = std::move(larger);
  }

  static constexpr size_t kOverCopy = 16;
  std::shared_ptr<parquet::ByteArrayReader> reader_;
  std::vector<parquet::ByteArray> scratch_;
  size_t size_ = 0;
  size_t last_size_ = 0;
};

// FIXED_LEN_BYTE_ARRAY as fixed_size_binary.
class FixedBytesColumn final : public LevelledColumn {
 public:
  FixedBytesColumn(const parquet::ColumnDescriptor* descriptor, std::shared_ptr<SlabPool> pool)
      : LevelledColumn(descriptor, std::move(pool)), width_(static_cast<size_t>(descriptor->type_length())) {}

  void start(std::shared_ptr<parquet::ColumnReader> chunk) override {
    reader_ = std::static_pointer_cast<parquet::FixedLenByteArrayReader>(std::move(chunk));
  }

  void read(int64_t rows, ColumnBuffers* out) override {
    const size_t bytes = static_cast<size_t>(rows) * width_;
    out->values = PooledBuffer(pool_, std::max<size_t>(bytes, 1));
    out->byte_count = static_cast<int64_t>(bytes);
    levels_.resize(static_cast<size_t>(rows));
    scratch_.resize(static_cast<size_t>(rows));
    for (int64_t done = 0; done < rows;) {
      if (!reader_->HasNext()) throw_short_chunk();
      int64_t count = 0;
      const int64_t levels = reader_->ReadBatch(rows - done, optional() ? levels_.data() : nullptr,
                                                nullptr, scratch_.data(), &count);
      if (levels == 0) throw_short_chunk();
      if (count < levels) {
        ensure_validity(rows, out);
        clear_bits(levels_.data(), max_level_, done, levels, out->validity.data());
        out->null_count += levels - count;
      }
      uint8_t* at = out->values.data() + static_cast<size_t>(done) * width_;
      size_t value = 0;
      for (int64_t i = 0; i < levels; ++i, at += width_) {
        const bool valid = count == levels || levels_[static_cast<size_t>(i)] == max_level_;
        if (valid) std::memcpy(at, scratch_[value++].ptr, width_);
        else std::memset(at, 0, width_);
      }
      done += levels;
    }
  }

 private:
  const size_t width_;
  std::shared_ptr<parquet::FixedLenByteArrayReader> reader_;
  std::vector<parquet::FixedLenByteArray> scratch_;
};

// ---- which pairs of physical and Arrow type are read here ----

using Physical = parquet::Type::type;

template <typename PhysicalType, typename Out>
std::unique_ptr<ColumnSource> fixed(const parquet::ColumnDescriptor* d, std::shared_ptr<SlabPool> pool) {
  return std::make_unique<FixedColumn<PhysicalType, Out>>(d, std::move(pool));
}

template <typename Column>
std::unique_ptr<ColumnSource> make(const parquet::ColumnDescriptor* d, std::shared_ptr<SlabPool> pool) {
  return std::make_unique<Column>(d, std::move(pool));
}

// True when Parquet stores the values in the unit that Arrow shows (INT64 timestamps, times).
bool same_unit(const parquet::ColumnDescriptor& d, TimeUnit unit) {
  const auto& logical = d.logical_type();
  if (logical == nullptr) return false;
  parquet::LogicalType::TimeUnit::unit stored = parquet::LogicalType::TimeUnit::UNKNOWN;
  if (logical->is_timestamp()) {
    stored = static_cast<const parquet::TimestampLogicalType&>(*logical).time_unit();
  } else if (logical->is_time()) {
    stored = static_cast<const parquet::TimeLogicalType&>(*logical).time_unit();
  }
  switch (unit) {
    case TimeUnit::kMilli: return stored == parquet::LogicalType::TimeUnit::MILLIS;
    case TimeUnit::kMicro: return stored == parquet::LogicalType::TimeUnit::MICROS;
    case TimeUnit::kNano: return stored == parquet::LogicalType::TimeUnit::NANOS;
    case TimeUnit::kSecond: return false;
  }
  return false;
}

MakeColumn int32_column(const parquet::ColumnDescriptor& d, const DataType& type) {
  using parquet::Int32Type;
  switch (type.id) {
    case TypeId::kInt8: return fixed<Int32Type, int8_t>;
    case TypeId::kInt16: return fixed<Int32Type, int16_t>;
    case TypeId::kUint8: return fixed<Int32Type, uint8_t>;
    case TypeId::kUint16: return fixed<Int32Type, uint16_t>;
    case TypeId::kInt32:
    case TypeId::kUint32:
    case TypeId::kDate32: return fixed<Int32Type, int32_t>;
    case TypeId::kTime32: return same_unit(d, type.unit) ? fixed<Int32Type, int32_t> : nullptr;
    case TypeId::kDecimal: return d.type_scale() == type.scale ? fixed<Int32Type, int32_t> : nullptr;
    default: return nullptr;
  }
}

MakeColumn int64_column(const parquet::ColumnDescriptor& d, const DataType& type) {
  using parquet::Int64Type;
  switch (type.id) {
    case TypeId::kInt64:
    case TypeId::kUint64: return fixed<Int64Type, int64_t>;
    case TypeId::kTime64:
    case TypeId::kTimestamp: return same_unit(d, type.unit) ? fixed<Int64Type, int64_t> : nullptr;
    case TypeId::kDecimal: return d.type_scale() == type.scale ? fixed<Int64Type, int64_t> : nullptr;
    default: return nullptr;
  }
}

}  // namespace

MakeColumn column_maker(const parquet::ColumnDescriptor& d, const DataType& type) {
  if (!type.extension.empty()) return nullptr;
  switch (d.physical_type()) {
    case Physical::BOOLEAN: return type.id == TypeId::kBool ? make<BoolColumn> : nullptr;
    case Physical::INT32: return int32_column(d, type);
    case Physical::INT64: return int64_column(d, type);
    case Physical::FLOAT: return type.id == TypeId::kFloat32 ? fixed<parquet::FloatType, float> : nullptr;
    case Physical::DOUBLE: return type.id == TypeId::kFloat64 ? fixed<parquet::DoubleType, double> : nullptr;
    case Physical::BYTE_ARRAY: {
      const bool bytes = type.id >= TypeId::kUtf8 && type.id <= TypeId::kBinaryView;
      return bytes ? make<BytesColumn> : nullptr;
    }
    case Physical::FIXED_LEN_BYTE_ARRAY:
      return type.id == TypeId::kFixedSizeBinary ? make<FixedBytesColumn> : nullptr;
    default: return nullptr;
  }
}

}  // namespace headrace
