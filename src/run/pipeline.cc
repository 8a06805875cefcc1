#include "run/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "base/phase_timer.h"
#include "encode/row_encoder.h"
#include "run/batch_queue.h"
#include "run/retry.h"

namespace headrace {
namespace {

// The first error of any thread; the others become its context.
class FirstError {
 public:
  void add(Error error) {
    std::lock_guard lock(mutex_);
    // A writer that another's failure woke says "cancelled", maybe before the cause is told.
    if (!error_ || error_->code == ErrorCode::kCancelled) {
      error_ = std::move(error);
    } else if (error_->context.size() < 8 && error.code != ErrorCode::kCancelled) {
      error_->context.push_back(std::move(error.message));
    }
  }
  std::optional<Error> take() {
    std::lock_guard lock(mutex_);
    return std::move(error_);
  }

 private:
  std::mutex mutex_;
  std::optional<Error> error_;
};

Error cancelled() { return Error(ErrorCode::kCancelled, "the load was cancelled"); }

class Pipeline {
 public:
  Pipeline(const LoadRequest& request, const Plan& plan, const std::string& load_id, Source& source,
           Sink& sink, PipelineStats& stats)
      : request_(request),
        plan_(plan),
        load_id_(load_id),
        source_(source),
        sink_(sink),
        stats_(stats),
        queue_(plan.partitions.size(), plan.read_ahead_bytes) {
    read_options_.batch_rows = plan.batch_rows;
    for (const ColumnPlan& column : plan.columns) {
      if (column.source_index == kRowNumberSource) continue;
      read_options_.columns.push_back(column.source_index);
    }
  }

  Status run() {
    std::vector<std::thread> threads;
    running_ = plan_.readers + 1;
    for (int i = 0; i < plan_.readers; ++i) {
      threads.emplace_back([this] { guard([this] { return read_partitions(); }); });
    }
    guard([this] { return sink_.prepare(plan_, load_id_); });
    if (!queue_.stopped()) {
      starting_ = plan_.workers;
      add_running(plan_.workers);
      for (int i = 0; i < plan_.workers; ++i) {
        threads.emplace_back([this, i] { guard([this, i] { return write_batches(i); }); });
      }
    }
    report_progress_until_done();
    for (std::thread& thread : threads) thread.join();
    if (auto error = first_error_.take()) return std::move(*error);
    return {};
  }

 private:
  bool is_cancelled() const {
    return request_.cancel != nullptr && request_.cancel->load(std::memory_order_relaxed);
  }

  // Runs one thread's work: an error, or an exception out of a library, stops all threads.
  template <typename Work>
  void guard(Work work) {
    Status status;
    try {
      status = work();
    } catch (const std::bad_alloc&) {
      status = Error(ErrorCode::kInternal, "out of memory", "lower --memory, or load on a larger machine");
    } catch (const std::exception& e) {
      status = Error(ErrorCode::kInternal, fmt::format("unexpected failure: {}", e.what()));
    }
    if (!status.ok()) {
      first_error_.add(std::move(status).error());
      queue_.stop();
    }
    add_running(-1);
  }

  void add_running(int count) {
    std::lock_guard lock(done_mutex_);
    running_ += count;
    if (running_ == 0) done_.notify_all();
  }

  Status read_partitions() {
    while (auto index = queue_.claim_partition()) {
      const Partition& partition = plan_.partitions[*index];
      HEADRACE_ASSIGN(auto reader, source_.open(partition, read_options_));
      int64_t counted_bytes = 0;
      for (;;) {
        if (is_cancelled()) return cancelled();
        std::unique_ptr<RecordBatch> batch;
        {
          PhaseTimer timer(stats_.read_nanos);
          auto next = reader->next();
          if (!next.ok()) {
            Error error = std::move(next).error();
            if (error.where.file.empty()) error.where.file = partition.uri;
            return error;
          }
          batch = std::move(next).value();
        }
        stats_.bytes_read += reader->bytes_read() - counted_bytes;
        counted_bytes = reader->bytes_read();
        if (batch == nullptr) break;
        stats_.rows_read += batch->row_count();
        batch->partition = partition.index;
        if (!queue_.push(*index, std::move(batch))) return {};
      }
      queue_.finish_partition(*index);
    }
    return {};
  }

  Status write_batches(int worker) {
    HEADRACE_ASSIGN(auto encoder, RowEncoder::make(plan_.columns, plan_.row_format, plan_.values,
                                                   plan_.block_bytes));
    auto opened = sink_.open_writer(worker);
    const bool refused = !opened.ok() && is_slot_shortage(opened.error());
    if (count_writer(refused) && refused) return {};
    if (!opened.ok()) return std::move(opened).error();
    const auto writer = std::move(opened).value();
    Status status = write_with(*encoder, *writer);
    if (status.ok() && queue_.stopped()) {
      writer->abort("another part of the load failed");
      return {};
    }
    if (status.ok()) {
      status = writer->finish();
      if (!status.ok()) status = located(std::move(status).error());
    }
    if (!status.ok()) {
      queue_.stop();
      writer->abort(status.error().message);
      return status;
    }
    add_changes(encoder->changes());
    return {};
  }

  // Whether other workers write, or may yet: a refused one can leave its share to them.
  bool count_writer(bool refused) {
    std::lock_guard lock(done_mutex_);
    --starting_;
    if (refused) ++stats_.writers_refused;
    return starting_ > 0 || stats_.writers_refused < plan_.workers;
  }

  Status write_with(RowEncoder& encoder, SinkWriter& writer) {
    RowBlock block;
    while (auto batch = queue_.pop()) {
      HEADRACE_TRY(encoder.start(*batch));
      while (!encoder.done()) {
        if (is_cancelled()) return cancelled();
        Status status;
        {
          PhaseTimer timer(stats_.encode_nanos);
          status = encoder.fill(&block);
        }
        if (status.ok()) {
          PhaseTimer timer(stats_.send_nanos);
          status = writer.write(block);
        }
        if (!status.ok()) return located(std::move(status).error());
        stats_.rows_written += block.row_count;
        stats_.bytes_encoded += static_cast<int64_t>(block.bytes.size());
      }
    }
    return {};
  }

  // Names the file of an error that knows its partition.
  Error located(Error error) const {
    const auto p = static_cast<size_t>(error.where.partition);
    if (error.where.file.empty() && p < plan_.partitions.size()) {
      error.where.file = plan_.partitions[p].uri;
    }
    return error;
  }

  void add_changes(const std::vector<ColumnChange>& changes) {
    std::lock_guard lock(done_mutex_);
    for (const ColumnChange& change : changes) {
      const auto same = std::find_if(stats_.changes.begin(), stats_.changes.end(),
                                     [&](const auto& c) { return c.column == change.column; });
      if (same == stats_.changes.end()) stats_.changes.push_back(change);
      else same->count += change.count;
    }
  }

  void report_progress_until_done() {
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(done_mutex_);
    while (!done_.wait_for(lock, std::chrono::milliseconds(100), [this] { return running_ == 0; })) {
      if (!request_.progress) continue;
      lock.unlock();
      Progress progress;
      progress.rows_written = stats_.rows_written;
      progress.rows_total = plan_.row_count;
      progress.bytes_sent = stats_.bytes_encoded;
      progress.seconds = seconds_since(start);
      progress.phase = "write";
      request_.progress(progress);
      lock.lock();
    }
  }

  const LoadRequest& request_;
  const Plan& plan_;
  const std::string& load_id_;
  Source& source_;
  Sink& sink_;
  PipelineStats& stats_;
  ReadOptions read_options_;
  BatchQueue queue_;
  FirstError first_error_;
  std::mutex done_mutex_;
  std::condition_variable done_;
  int running_ = 0;   // threads, and the preparation
  int starting_ = 0;  // workers whose writer is not open yet
};

}  // namespace

Status run_pipeline(const LoadRequest& request, const Plan& plan, const std::string& load_id,
                    Source& source, Sink& sink, PipelineStats* stats) {
  return Pipeline(request, plan, load_id, source, sink, *stats).run();
}

}  // namespace headrace
