// The null type: every value is NULL, so every target takes it.
#include "encode/codec_helpers.h"
#include "encode/types/families.h"

namespace headrace {
namespace {

template <typename Cells>
class NullCodec final : public Codec {
 public:
  uint32_t measure(const ColumnView&, RowSpan, uint32_t*, Rejects&) override {
    return Cells::kNull;
  }
  void write(const ColumnView&, RowSpan rows, const uint32_t*, uint8_t** cursors) override {
    for (int i = 0; i < rows.count; ++i) cursors[i] = Cells::put_null(cursors[i]);
  }
};

bool handles(const DataType& type) { return type.id == TypeId::kNull; }

TargetType default_target(const DataType&, Dialect dialect) {
  if (dialect == Dialect::kSqlite) return {"TEXT", "TEXT", -1};
  return {"text", "text", -1};
}

Result<std::unique_ptr<Codec>> make(const DataType&, const TargetType&, RowFormat format,
                                    const ValueOptions&) {
  std::unique_ptr<Codec> codec;
  switch (format) {
    case RowFormat::kPgBinary:
      codec = std::make_unique<NullCodec<pg_binary::Cells>>();
      break;
    case RowFormat::kText:
      codec = std::make_unique<NullCodec<text::Cells>>();
      break;
    case RowFormat::kSqliteRecord:
      codec = std::make_unique<NullCodec<sqlite_record::Cells>>();
      break;
  }
  return codec;
}

}  // namespace

const TypeFamily kNullFamily = {"null", handles, default_target, make};

}  // namespace headrace
