#include "sink/null_sink.h"

#include <fmt/format.h>

#include <atomic>
#include <limits>

namespace headrace {
namespace {

class NullWriter final : public SinkWriter {
 public:
  NullWriter(std::atomic<int64_t>& bytes, const std::atomic<bool>* cancel)
      : bytes_(bytes), cancel_(cancel) {}

  Status write(const RowBlock& block) override {
    if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
      return Error(ErrorCode::kCancelled, "the load was cancelled");
    }
    bytes_ += static_cast<int64_t>(block.bytes.size());
    return {};
  }
  Status finish() override { return {}; }
  void abort(const std::string&) noexcept override {}

 private:
  std::atomic<int64_t>& bytes_;
  const std::atomic<bool>* cancel_;
};

class NullSink final : public Sink {
 public:
  explicit NullSink(const LoadRequest& request) : request_(request) {}

  Result<SinkFacts> facts() override {
    SinkFacts facts;
    facts.dialect = Dialect::kPostgres;
    facts.target = request_.target;
    facts.server_kind = "null";
    facts.table = request_.table;
    facts.max_writers = std::numeric_limits<int>::max();
    return facts;
  }
  Status prepare(const Plan&, const std::string&) override { return {}; }
  Result<std::unique_ptr<SinkWriter>> open_writer(int) override {
    return std::unique_ptr<SinkWriter>(std::make_unique<NullWriter>(bytes_, request_.cancel));
  }
  Result<PublishStats> publish() override {
    PublishStats stats;
    stats.bytes_sent = bytes_;
    return stats;
  }
  void abandon() noexcept override {}

 private:
  const LoadRequest request_;
  std::atomic<int64_t> bytes_{0};
};

bool recognises(const std::string& target) { return target == "null:"; }

Result<std::unique_ptr<Sink>> open(const LoadRequest& request) {
  return std::unique_ptr<Sink>(std::make_unique<NullSink>(request));
}

}  // namespace

const SinkKind kNullSink = {"null", recognises, open};

}  // namespace headrace
