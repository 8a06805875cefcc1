// Method optimized: many rows a statement, one statement after the other on each connection.
#include <utility>

#include "sink/postgres/insert_batch.h"
#include "sink/postgres/insert_target.h"
#include "sink/postgres/methods.h"
#include "sink/postgres/pg_error.h"

namespace headrace {
namespace {

class OptimizedWriter final : public SinkWriter {
 public:
  explicit OptimizedWriter(InsertTarget target)
      : target_(std::move(target)), batch_(target_.shape(), target_.batch_rows()) {}

  ~OptimizedWriter() override { abort(""); }

  Status write(const RowBlock& block) override {
    for (int64_t row = 0; row < block.row_count;) {
      row = batch_.take(block, row);
      if (batch_.full()) HEADRACE_TRY(insert());
    }
    return {};
  }

  Status finish() override {
    if (!batch_.empty()) HEADRACE_TRY(insert());
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
  Status insert() {
    Connection& connection = target_.connection();
    if (connection.limits().stopped()) return cancelled_error();
    const InsertParameters p = batch_.parameters();
    const int sent = PQsendQueryParams(connection.raw(), target_.sql(batch_).c_str(), p.count,
                                       p.types, p.values, p.lengths, p.formats, 0);
    if (sent != 1) return located(connection.lost(""));
    auto result = connection.wait_results("");
    if (!result.ok()) return located(std::move(result).error());
    target_.count_stored(result->get());
    target_.count_sent(batch_.rows(), batch_.bytes());
    batch_.clear();
    return {};
  }

  Error located(Error error) const { return target_.located(std::move(error), batch_.ranges()); }

  InsertTarget target_;
  InsertBatch batch_;
  bool done_ = false;
};

Result<std::unique_ptr<SinkWriter>> open_optimized(WriterConnection connection, WriteJob job,
                                                   WriterTotals& totals) {
  HEADRACE_ASSIGN(InsertTarget target,
                  InsertTarget::open(std::move(connection), std::move(job), totals));
  return std::unique_ptr<SinkWriter>(std::make_unique<OptimizedWriter>(std::move(target)));
}

}  // namespace

const PostgresMethod kOptimizedMethod = {"optimized", open_optimized};

}  // namespace headrace
