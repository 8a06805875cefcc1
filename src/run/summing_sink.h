// SummingSink: stands between the pipeline and a sink, and sums the rows on their way (table_sums.h).
// Without a sink behind it the rows end here: that is how a source is read to be compared.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "encode/format/table_sums.h"
#include "headrace/plan.h"
#include "sink/sink.h"

namespace headrace {

class SummingSink : public Sink {
 public:
  // `sink` may be nullptr, and outlives this. plan.verify quick counts rows only.
  SummingSink(Sink* sink, const Plan& plan);

  Result<SinkFacts> facts() override;
  Status prepare(const Plan& plan, const std::string& load_id) override;
  // Thread-safe, as that of any sink; its writers add their sums when they finish.
  Result<std::unique_ptr<SinkWriter>> open_writer(int index) override;
  Result<PublishStats> publish() override;
  void abandon() noexcept override;

  // After the last writer.
  const TableSums& sums() const { return sums_; }

 private:
  friend class SummingWriter;
  Sink* const sink_;
  const RowFormat format_;
  const bool values_;
  std::mutex mutex_;
  TableSums sums_;
};

}  // namespace headrace
