// Method standard: one INSERT a row, prepared once, one after the other. The honest baseline.
#include <utility>

#include "base/endian.h"
#include "encode/format/pg_binary.h"
#include "sink/postgres/insert_target.h"
#include "sink/postgres/methods.h"
#include "sink/postgres/pg_error.h"

namespace headrace {
namespace {

// Unnamed, as poolers want it: nothing else is prepared on this connection meanwhile.
constexpr char kUnnamed[] = "";

class StandardWriter final : public SinkWriter {
 public:
  explicit StandardWriter(InsertTarget target)
      : target_(std::move(target)),
        values_(target_.shape().types.size()),
        lengths_(values_.size()),
        formats_(values_.size(), 1) {}

  ~StandardWriter() override { abort(""); }

  Status prepare() {
    Connection& connection = target_.connection();
    const int sent = PQsendPrepare(connection.raw(), kUnnamed, target_.row_sql().c_str(),
                                   static_cast<int>(values_.size()), target_.shape().types.data());
    if (sent != 1) return connection.lost(kPreparing);
    HEADRACE_TRY(connection.wait_results(kPreparing));
    return {};
  }

  Status write(const RowBlock& block) override {
    for (int64_t row = 0; row < block.row_count; ++row) {
      Status inserted = insert(block.bytes.data() + block.row_starts[static_cast<size_t>(row)]);
      if (!inserted.ok()) {
        return target_.located(std::move(inserted).error(),
                               {{block.partition, block.partition_row + row, 1}});
      }
    }
    target_.count_sent(block.row_count, static_cast<int64_t>(block.bytes.size()));
    return {};
  }

  Status finish() override {
    HEADRACE_TRY(target_.commit());
    done_ = true;
    return {};
  }

  void abort(const std::string&) noexcept override {
    if (done_) return;
    done_ = true;
    target_.close();
  }

 private:
  static constexpr char kPreparing[] = "preparing the INSERT";

  Status insert(const uint8_t* tuple) {
    Connection& connection = target_.connection();
    if (connection.limits().stopped()) return cancelled_error();
    const uint8_t* field = tuple + pg_binary::kTupleHeaderBytes;
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto length = static_cast<int32_t>(load_be32(field));
      field += 4;
      values_[i] = length < 0 ? nullptr : reinterpret_cast<const char*>(field);
      lengths_[i] = length < 0 ? 0 : length;
      field += lengths_[i];
    }
    const int sent =
        PQsendQueryPrepared(connection.raw(), kUnnamed, static_cast<int>(values_.size()),
                            values_.data(), lengths_.data(), formats_.data(), 0);
    if (sent != 1) return connection.lost("");
    HEADRACE_ASSIGN(const PgResult result, connection.wait_results(""));
    target_.count_stored(result.get());
    return {};
  }

  InsertTarget target_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  bool done_ = false;
};

Result<std::unique_ptr<SinkWriter>> open_standard(WriterConnection connection, WriteJob job,
                                                  WriterTotals& totals) {
  HEADRACE_ASSIGN(InsertTarget target,
                  InsertTarget::open(std::move(connection), std::move(job), totals));
  auto writer = std::make_unique<StandardWriter>(std::move(target));
  HEADRACE_TRY(writer->prepare());
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

}  // namespace

const PostgresMethod kStandardMethod = {"standard", open_standard};

}  // namespace headrace
