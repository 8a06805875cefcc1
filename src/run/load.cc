// The library's verbs: facts, plan, pipeline, publish, report.
#include "headrace/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <random>
#include <thread>

#include "base/phase_timer.h"
#include "run/pipeline.h"
#include "run/retry.h"
#include "run/summing_sink.h"
#include "sink/sink.h"
#include "source/source.h"

namespace headrace {
namespace {

HostFacts host_facts() {
  HostFacts host;
  host.cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  host.memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return host;
}

std::string new_load_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Result<std::unique_ptr<Source>> open_any_source(const LoadRequest& request,
                                                ArrowArrayStream* stream) {
  if (stream == nullptr) return open_source(request);
  const std::string name = request.source.empty() ? "stream" : request.source[0];
  return open_arrow_stream(stream, name, request.source_rows);
}

struct Opened {
  std::unique_ptr<Source> source;
  std::unique_ptr<Sink> sink;
  Plan plan;
};

Result<Opened> open_and_plan(const LoadRequest& request, ArrowArrayStream* stream) {
  Opened opened;
  HEADRACE_ASSIGN(opened.source, open_any_source(request, stream));
  HEADRACE_ASSIGN(opened.sink, open_sink(request));
  HEADRACE_ASSIGN(SinkFacts sink_facts, opened.sink->facts());
  HEADRACE_ASSIGN(opened.plan,
                  make_plan(request, opened.source->facts(), sink_facts, host_facts()));
  opened.plan.ddl = opened.sink->ddl(opened.plan);
  return opened;
}

void fill_from_plan(const Plan& plan, Report* report) {
  report->table = plan.schema.empty() ? plan.table : plan.schema + "." + plan.table;
  report->target = plan.target;
  report->method = plan.method;
  report->method_reason = plan.method_reason;
  report->fallback_reason = plan.fallback_reason;
  report->commit_scope = commit_scope_name(plan.commit_scope);
  report->connections = plan.workers;
  report->partitions = static_cast<int64_t>(plan.partitions.size());
  report->decisions = plan.decisions;
  report->warnings = plan.warnings;
}

void fill_from_stats(const PipelineStats& stats, Report* report) {
  report->rows_read = stats.rows_read;
  report->bytes_read = stats.bytes_read;
  report->bytes_encoded = stats.bytes_encoded;
  report->phases.prepare = stats.prepare_seconds;
  report->phases.read = static_cast<double>(stats.read_nanos) * 1e-9;
  report->phases.encode = static_cast<double>(stats.encode_nanos) * 1e-9;
  report->phases.send = static_cast<double>(stats.send_nanos) * 1e-9;
  if (stats.writers_refused == 0) return;
  report->warnings.push_back(fmt::format("{} of {} connections were refused: the server has no slot left; the load ran on {}",
                                         stats.writers_refused, report->connections,
                                         report->connections - stats.writers_refused));
  report->connections -= stats.writers_refused;
}

// What options let us change, a warning for each column.
void fill_from_changes(std::vector<ColumnChange> changes, Report* report) {
  std::sort(changes.begin(), changes.end(),
            [](const auto& a, const auto& b) { return a.column < b.column; });
  for (const ColumnChange& change : changes) {
    report->rows_repaired += change.count;
    report->warnings.push_back(fmt::format("column {}: {} {} {}", change.column, change.count,
                                           change.count == 1 ? "value" : "values", change.change));
  }
}

void fill_from_publish(PublishStats published, Report* report) {
  report->phases.commit = published.commit_seconds;
  report->phases.index = published.index_seconds;
  report->phases.analyze = published.analyze_seconds;
  report->lock_seconds = published.lock_seconds;
  report->wal_bytes = published.wal_bytes;
  report->bytes_sent = published.bytes_sent;
  report->files = std::move(published.files);
  for (std::string& warning : published.warnings) report->warnings.push_back(std::move(warning));
}

bool is_cancelled(const LoadRequest& request) {
  return request.cancel != nullptr && request.cancel->load();
}

// Instead of the commit.
Status discard(const PipelineStats& stats, Opened& opened, Report* report) {
  opened.sink->abandon();
  report->bytes_sent = stats.bytes_encoded;
  report->warnings.push_back(fmt::format("{} rows were thrown away, as asked", stats.rows_written.load()));
  return {};
}

// Everything between the plan and the commit. The sink is abandoned when this fails.
Status run_load(const LoadRequest& request, Opened& opened, Report* report) {
  PipelineStats stats;
  SummingSink summing(opened.sink.get(), opened.plan);
  Sink& target = opened.plan.verify == VerifyLevel::kNone ? *opened.sink : summing;
  Status status =
      run_pipeline(request, opened.plan, report->load_id, *opened.source, target, &stats);
  fill_from_stats(stats, report);
  if (!status.ok()) return status;
  if (is_cancelled(request)) return Error(ErrorCode::kCancelled, "the load was cancelled");
  if (request.discard) return discard(stats, opened, report);
  if (opened.plan.verify != VerifyLevel::kNone) {
    const auto start = std::chrono::steady_clock::now();
    HEADRACE_TRY(opened.sink->verify(opened.plan.verify, summing.sums()));
    report->phases.verify = seconds_since(start);
  }
  HEADRACE_ASSIGN(PublishStats published, opened.sink->publish());
  report->phases.verify -= published.index_seconds_in_verify;
  report->rows_written = stats.rows_written - published.rows_dropped;
  report->rows_rejected = published.rows_dropped;
  fill_from_changes(std::move(stats.changes), report);
  fill_from_publish(std::move(published), report);
  return {};
}

// One attempt. *connected tells whether source and target could be opened.
Status load_into(const LoadRequest& request, ArrowArrayStream* stream, Report* report,
                 bool* connected) {
  const auto start = std::chrono::steady_clock::now();
  auto opened = open_and_plan(request, stream);
  report->phases.plan = seconds_since(start);
  if (!opened.ok()) return std::move(opened).error();
  *connected = true;
  fill_from_plan(opened->plan, report);
  if (request.planned) request.planned(opened->plan);
  if (opened->plan.already_committed) {
    report->warnings.push_back(fmt::format("nothing was done: {}", opened->plan.decisions[0].reason));
    return {};
  }
  Status status = run_load(request, *opened, report);
  if (!status.ok()) opened->sink->abandon();
  return status;
}

// False when the load was cancelled meanwhile.
bool pause(const LoadRequest& request, int ms) {
  constexpr int kStepMs = 50;
  for (int waited = 0; waited < ms; waited += kStepMs) {
    if (is_cancelled(request)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(kStepMs, ms - waited)));
  }
  return !is_cancelled(request);
}

// A source that can be read once only has one attempt.
bool can_read_again(const LoadRequest& request, const ArrowArrayStream* stream) {
  return stream == nullptr && std::find(request.source.begin(), request.source.end(), "-") == request.source.end();
}

// COPY was refused when it began, by a pooler say, of which the plan knew nothing.
bool can_fall_back(const LoadRequest& request, const Error& error) {
  return error.copy_refused && request.fallback && (request.method == "auto" || request.method == "copy") &&
         request.tuning.row_format != "text";
}

Status load_with_method(const LoadRequest& request, ArrowArrayStream* stream, Report* report);

// INSERT with arrays comes next. Nothing of the refused attempt is left.
Status load_instead_of_copy(const LoadRequest& request, const std::string& refusal, Report* report) {
  LoadRequest inserting = request;
  inserting.method = "optimized";
  Status status = load_with_method(inserting, nullptr, report);
  report->fallback_reason = refusal;
  report->method_reason = fmt::format("instead of copy: {}", refusal);
  return status;
}

Error given_up(Error error, int attempts) {
  error.code = ErrorCode::kRetriesExhausted;
  error.message += fmt::format("; given up after {} attempts", attempts);
  return error;
}

// Each attempt is a whole load: nothing of a failed one is left, so no row is doubled.
Status load_with_method(const LoadRequest& request, ArrowArrayStream* stream, Report* report) {
  const Report fresh = *report;
  std::vector<std::string> failures;
  bool connected = false;
  for (int attempt = 1;; ++attempt) {
    Status status = load_into(request, stream, report, &connected);
    const bool again = !status.ok() && can_read_again(request, stream) && request.retries > 0 &&
                       (connected ? is_retryable(status.error()) : is_retryable_at_start(status.error()));
    if (!again || attempt > request.retries) {
      report->warnings.insert(report->warnings.begin(), failures.begin(), failures.end());
      return again ? given_up(std::move(status).error(), attempt) : status;
    }
    const int pause_ms = retry_pause_ms(attempt + 1);
    failures.push_back(fmt::format("attempt {} failed and was repeated after {:.1f} s: {}", attempt,
                                   pause_ms / 1000.0, status.error().message));
    if (!pause(request, pause_ms)) return Error(ErrorCode::kCancelled, "the load was cancelled");
    *report = fresh;
  }
}

Status load_with_retries(const LoadRequest& request, ArrowArrayStream* stream, Report* report) {
  const Report fresh = *report;
  Status status = load_with_method(request, stream, report);
  if (status.ok() || !can_fall_back(request, status.error())) return status;
  if (!can_read_again(request, stream)) {
    Error error = std::move(status).error();
    error.hint = "use --method optimized: the source can be read only once";
    return error;
  }
  *report = fresh;
  return load_instead_of_copy(request, status.error().message, report);
}

}  // namespace

Report load(const LoadRequest& request, ArrowArrayStream* stream) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu_before = process_cpu_seconds();
  Report report;
  report.load_id = request.load_id.empty() ? new_load_id() : request.load_id;
  report.table = request.table;
  report.mode = mode_name(request.mode);
  report.method_requested = request.method;
  Status status;
  try {
    status = load_with_retries(request, stream, &report);
  } catch (const std::exception& e) {
    status = Error(ErrorCode::kInternal, fmt::format("unexpected failure: {}", e.what()));
  }
  if (stream != nullptr && stream->release != nullptr) stream->release(stream);
  report.seconds = seconds_since(start);
  report.client_cpu_seconds = process_cpu_seconds() - cpu_before;
  report.peak_memory_bytes = process_peak_memory_bytes();
  if (status.ok()) {
    report.status = "ok";
    report.rows_per_second = report.seconds > 0 ? static_cast<double>(report.rows_written) / report.seconds : 0;
  } else {
    report.status = status.error().code == ErrorCode::kCancelled ? "cancelled" : "failed";
    report.error = std::move(status).error();
  }
  return report;
}

Report load(const LoadRequest& request) { return load(request, nullptr); }

Result<Plan> plan(const LoadRequest& request, ArrowArrayStream* stream) {
  auto opened = open_and_plan(request, stream);
  if (stream != nullptr && stream->release != nullptr) stream->release(stream);
  if (!opened.ok()) return std::move(opened).error();
  return std::move(opened->plan);
}

Result<Plan> plan(const LoadRequest& request) { return plan(request, nullptr); }

Result<SourceFacts> inspect(const LoadRequest& request) {
  HEADRACE_ASSIGN(auto source, open_source(request));
  return source->facts();
}

const char* version() { return HEADRACE_VERSION; }

}  // namespace headrace
