#include "encode/rowid_codec.h"

#include <fmt/format.h>

#include <limits>
#include <type_traits>

#include "encode/format/sqlite_record.h"

namespace headrace {
namespace {

template <typename T>
class RowidCodecOf final : public RowidCodec {
 public:
  uint32_t measure(const ColumnView& column, RowSpan rows, uint32_t*, Rejects& rejects) override {
    const FixedReader<T> values(column);
    for (int i = 0; i < rows.count; ++i) {
      const int64_t row = rows.begin + i;
      if (column.is_null(row)) {
        rejects.push_back({row, "NULL in the primary key"});
        continue;
      }
      const T value = values[row];
      rowids_[i] = static_cast<int64_t>(value);
      if constexpr (std::is_same_v<T, uint64_t>) {
        if (rowids_[i] < 0) {
          rejects.push_back(
              {row, fmt::format("{} is out of range for SQLite's INTEGER, which has 64 bits with "
                                "sign", value)});
        }
      }
    }
    return sqlite_record::kSerialNull;
  }
};

}  // namespace

bool can_be_rowid(const DataType& type) {
  return type.id >= TypeId::kInt8 && type.id <= TypeId::kUint64;
}

std::unique_ptr<RowidCodec> make_rowid_codec(const DataType& type) {
  switch (type.id) {
    case TypeId::kInt8:
      return std::make_unique<RowidCodecOf<int8_t>>();
    case TypeId::kInt16:
      return std::make_unique<RowidCodecOf<int16_t>>();
    case TypeId::kInt32:
      return std::make_unique<RowidCodecOf<int32_t>>();
    case TypeId::kUint8:
      return std::make_unique<RowidCodecOf<uint8_t>>();
    case TypeId::kUint16:
      return std::make_unique<RowidCodecOf<uint16_t>>();
    case TypeId::kUint32:
      return std::make_unique<RowidCodecOf<uint32_t>>();
    case TypeId::kUint64:
      return std::make_unique<RowidCodecOf<uint64_t>>();
    default:
      return std::make_unique<RowidCodecOf<int64_t>>();
  }
}

}  // namespace headrace
