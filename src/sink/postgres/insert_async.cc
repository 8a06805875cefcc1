// Method async: libpq's pipeline mode. While the server works on a batch, the next ones travel.
//
//   rows ─► batch_ ─► libpq ─► kernel ─► server
//           filling   at most one batch that the kernel has not taken; kWindow unanswered in all
//
// A batch is sent only when the one before it has left libpq: so the writer's memory is two batches
// (kMaxBatchBytes each, and one row over), however slow the server is.
//
// Each batch ends with a Sync, so that its answer comes at once and libpq is in step again after an
// error. All run in one transaction: once a batch failed, the server refuses the others, and the
// first error is the one that is told.
#include <deque>
#include <utility>

#include "sink/postgres/insert_batch.h"
#include "sink/postgres/insert_target.h"
#include "sink/postgres/methods.h"
#include "sink/postgres/pg_error.h"

namespace headrace {
namespace {

constexpr size_t kWindow = 4;
constexpr int kPollMs = 100;
constexpr int kAbortWaitMs = 5000;

class AsyncWriter final : public SinkWriter {
 public:
  explicit AsyncWriter(InsertTarget target)
      : target_(std::move(target)), batch_(target_.shape(), target_.batch_rows()) {}

  ~AsyncWriter() override { abort(""); }

  Status begin() {
    if (PQenterPipelineMode(raw()) == 1) return {};
    return target_.connection().lost("entering pipeline mode");
  }

  Status write(const RowBlock& block) override {
    for (int64_t row = 0; row < block.row_count;) {
      row = batch_.take(block, row);
      if (batch_.full()) HEADRACE_TRY(send());
    }
    return pump();
  }

  Status finish() override {
    if (!batch_.empty()) HEADRACE_TRY(send());
    HEADRACE_TRY(wait_until_unanswered(0));
    if (PQexitPipelineMode(raw()) != 1) return target_.connection().lost("leaving pipeline mode");
    HEADRACE_TRY(target_.commit());
    done_ = true;
    return {};
  }

  void abort(const std::string&) noexcept override {
    if (done_) return;
    done_ = true;
    try {
      Connection& connection = target_.connection();
      if (!unanswered_.empty() && connection.alive()) connection.request_cancel();
      if (!target_.owns_connection()) leave_pipeline();
    } catch (...) {
      target_.connection().mark_dead();  // out of memory: the connection's end tells the server
    }
    target_.close();
  }

 private:
  PGconn* raw() { return target_.connection().raw(); }

  Status send();
  Status pump();
  Status wait_until_unanswered(size_t count);
  Status wait_until_sent();
  Status take_results();
  void leave_pipeline();
  Error failed(Error error, const std::vector<RowRange>& ranges);

  InsertTarget target_;
  InsertBatch batch_;
  std::deque<std::vector<RowRange>> unanswered_;  // rows of each batch sent, oldest first
  bool done_ = false;
};

Error AsyncWriter::failed(Error error, const std::vector<RowRange>& ranges) {
  if (error.sqlstate == kQueryCanceled && target_.connection().limits().stopped()) {
    return cancelled_error();
  }
  return target_.located(std::move(error), ranges);
}

Status AsyncWriter::send() {
  HEADRACE_TRY(wait_until_unanswered(kWindow - 1));
  HEADRACE_TRY(wait_until_sent());
  const InsertParameters p = batch_.parameters();
  if (PQsendQueryParams(raw(), target_.sql(batch_).c_str(), p.count, p.types, p.values, p.lengths,
                        p.formats, 0) != 1) {
    return failed(target_.connection().lost(""), batch_.ranges());
  }
  unanswered_.push_back(batch_.ranges());
  if (PQpipelineSync(raw()) != 1) return failed(target_.connection().lost(""), batch_.ranges());
  target_.count_sent(batch_.rows(), batch_.bytes());
  batch_.clear();
  return {};
}

// Lets bytes travel both ways without waiting.
Status AsyncWriter::pump() {
  if (unanswered_.empty()) return {};
  if (PQflush(raw()) >= 0 && target_.connection().wait_socket(false, 0) != 0) {
    PQconsumeInput(raw());  // its failure shows in the results
  }
  return take_results();
}

// Waits until the kernel has taken all that libpq holds.
Status AsyncWriter::wait_until_sent() {
  Connection& connection = target_.connection();
  for (;;) {
    if (connection.limits().stopped()) return cancelled_error();
    if (PQflush(raw()) <= 0) return take_results();
    connection.wait_socket(true, kPollMs);
    HEADRACE_TRY(pump());
  }
}

Status AsyncWriter::wait_until_unanswered(size_t count) {
  while (unanswered_.size() > count) {
    HEADRACE_TRY(target_.connection().wait_answer(""));
    HEADRACE_TRY(take_results());
  }
  return {};
}

// Takes every result that is there. A batch gives one, then nullptr, then its Sync.
Status AsyncWriter::take_results() {
  bool ended = false;
  while (!unanswered_.empty() && PQisBusy(raw()) == 0) {
    const PgResult result(PQgetResult(raw()));
    if (result == nullptr) {
      if (ended) return failed(target_.connection().lost(""), unanswered_.front());
      ended = true;
      continue;
    }
    ended = false;
    switch (PQresultStatus(result.get())) {
      case PGRES_PIPELINE_SYNC:
        unanswered_.pop_front();
        break;
      case PGRES_COMMAND_OK:
        target_.count_stored(result.get());
        break;
      default:
        return failed(target_.connection().error_of(result.get(), ""), unanswered_.front());
    }
  }
  return {};
}

// Takes the answers to all that was sent, so that the sink can roll back on its connection.
void AsyncWriter::leave_pipeline() {
  Connection& connection = target_.connection();
  const WaitLimits limits = connection.limits();
  connection.set_limits({nullptr, nullptr, kAbortWaitMs});
  bool ended = false;
  while (!unanswered_.empty() && connection.wait_answer("").ok()) {
    const PgResult result(PQgetResult(raw()));
    if (result == nullptr && ended) break;
    ended = result == nullptr;
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) unanswered_.pop_front();
  }
  connection.set_limits(limits);
  if (PQexitPipelineMode(raw()) != 1) connection.mark_dead();
}

Result<std::unique_ptr<SinkWriter>> open_async(WriterConnection connection, WriteJob job,
                                               WriterTotals& totals) {
  HEADRACE_ASSIGN(InsertTarget target,
                  InsertTarget::open(std::move(connection), std::move(job), totals));
  auto writer = std::make_unique<AsyncWriter>(std::move(target));
  HEADRACE_TRY(writer->begin());
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

}  // namespace

const PostgresMethod kAsyncMethod = {"async", open_async};

}  // namespace headrace
