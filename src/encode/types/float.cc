// Floating point: float16, float32, float64.
//
//   PostgreSQL   real, double precision: IEEE 754, big-endian. NaN and infinities are kept. A
//   float64
//                into real is rejected unless real holds it exactly
//   SQLite       REAL. NaN is rejected, for SQLite would store NULL; nan_as_null declares that
//   change.
//                Infinities are kept. A whole number keeps serial type 7: SQLite's own way, to
//                store it as an integer in a REAL column, saves bytes but loses -0.0 and makes
//                cells differ
#include "encode/format/float16.h"
#include "encode/types/families.h"
#include "encode/types/float_target.h"

namespace headrace {
namespace {

struct HalfReader {
  using Value = float;
  FixedReader<uint16_t> bits;
  explicit HalfReader(const ColumnView& c) : bits(c) {}
  float operator[](int64_t i) const { return float_from_half(bits[i]); }
};

template <typename T>
struct SqliteReal {
  using Value = T;
  static constexpr uint32_t kShared = sqlite_record::kSerialReal;
  bool nan_as_null;

  bool fits(T v) const { return v == v; }
  uint32_t measure(T v) const {
    if (fits(v)) return kShared;
    return nan_as_null ? sqlite_record::kSerialNull : kRejectedCell;
  }
  uint8_t* put(uint8_t* out, T v, uint32_t serial) const {
    if (serial != kShared) return out;
    return sqlite_record::put_real(out, static_cast<double>(v));
  }
  const char* change() const {
    return nan_as_null ? "of NaN stored as NULL (--nan-as-null)" : nullptr;
  }
  std::string explain(T) const {
    return "NaN, which SQLite stores as NULL; the option nan-as-null declares that change";
  }
};

template <typename Reader>
Result<std::unique_ptr<Codec>> make_for(const DataType& type, const TargetType& target,
                                        RowFormat format, const ValueOptions& options) {
  using T = typename Reader::Value;
  if (format == RowFormat::kSqliteRecord) {
    // A TEXT column would keep 15 digits of the double.
    if (target.base == "TEXT") return type_mismatch(type, target);
    return column_codec<Reader, sqlite_record::Cells>(SqliteReal<T>{options.nan_as_null});
  }
  auto codec = make_float_target<Reader>(target.base, format);
  if (codec == nullptr) return type_mismatch(type, target);
  return codec;
}

bool handles(const DataType& type) {
  return type.id >= TypeId::kFloat16 && type.id <= TypeId::kFloat64;
}

TargetType default_target(const DataType& type, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"REAL", "REAL", -1};
  if (type.id == TypeId::kFloat64) return {"double precision", "float8", -1};
  return {"real", "float4", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType& type, const TargetType& target,
                                    RowFormat format, const ValueOptions& options) {
  switch (type.id) {
    case TypeId::kFloat16:
      return make_for<HalfReader>(type, target, format, options);
    case TypeId::kFloat32:
      return make_for<FixedReader<float>>(type, target, format, options);
    default:
      return make_for<FixedReader<double>>(type, target, format, options);
  }
}

}  // namespace

const TypeFamily kFloatFamily = {"float", handles, default_target, make};

}  // namespace headrace
