#include "run/summing_sink.h"

#include <utility>

#include "sink/plan_sums.h"

namespace headrace {

class SummingWriter : public SinkWriter {
 public:
  SummingWriter(SummingSink* sink, std::unique_ptr<SinkWriter> writer)
      : sink_(sink), writer_(std::move(writer)), sums_(sink->sums_.rules()) {}

  Status write(const RowBlock& block) override {
    if (!sink_->values_) {
      sums_.add_rows(block.row_count);
    } else if (!add(block)) {
      return Error(ErrorCode::kInternal, "an encoded row has other columns than the plan");
    }
    return writer_ == nullptr ? Status() : writer_->write(block);
  }

  Status finish() override {
    if (writer_ != nullptr) HEADRACE_TRY(writer_->finish());
    std::lock_guard lock(sink_->mutex_);
    sink_->sums_.add(sums_);
    return {};
  }

  void abort(const std::string& reason) noexcept override {
    if (writer_ != nullptr) writer_->abort(reason);
  }

 private:
  bool add(const RowBlock& block) {
    if (sink_->format_ == RowFormat::kSqliteRecord) return sums_.add_sqlite_cells(block);
    return sums_.add_pg_tuples(block.bytes.data(), block.bytes.size());
  }

  SummingSink* const sink_;
  const std::unique_ptr<SinkWriter> writer_;
  TableSums sums_;
};

SummingSink::SummingSink(Sink* sink, const Plan& plan)
    : sink_(sink),
      format_(plan.row_format),
      values_(plan.verify != VerifyLevel::kQuick),
      sums_(plan_sums(plan)) {}

Result<SinkFacts> SummingSink::facts() {
  return sink_ == nullptr ? Result<SinkFacts>(SinkFacts()) : sink_->facts();
}

Status SummingSink::prepare(const Plan& plan, const std::string& load_id) {
  return sink_ == nullptr ? Status() : sink_->prepare(plan, load_id);
}

Result<std::unique_ptr<SinkWriter>> SummingSink::open_writer(int index) {
  std::unique_ptr<SinkWriter> behind;
  if (sink_ != nullptr) {
    HEADRACE_ASSIGN(behind, sink_->open_writer(index));
  }
  return std::unique_ptr<SinkWriter>(std::make_unique<SummingWriter>(this, std::move(behind)));
}

Result<PublishStats> SummingSink::publish() {
  return sink_ == nullptr ? Result<PublishStats>(PublishStats()) : sink_->publish();
}

void SummingSink::abandon() noexcept {
  if (sink_ != nullptr) sink_->abandon();
}

}  // namespace headrace
