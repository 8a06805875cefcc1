// The C interface: commands with JSON in and JSON out, on top of the library and of the command
// line's options.
#include "headrace/c.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "headrace/check.h"
#include "headrace/gc.h"
#include "headrace/load.h"
#include "headrace/recommend.h"
#include "interruptible_stream.h"
#include "log_lines.h"
#include "output.h"
#include "request_json.h"

struct headrace_cancel {
  std::atomic<bool> set{false};
};
static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers call headrace_cancel_set()");

namespace headrace::capi {
namespace {

struct Outcome {
  int code = 0;
  std::string json;
};

// The stream of the caller: taken at once, and released unless somebody takes it further.
class TakenStream {
 public:
  explicit TakenStream(ArrowArrayStream* theirs) : given_(theirs != nullptr) {
    if (theirs != nullptr) stream_ = std::exchange(*theirs, ArrowArrayStream{});
  }
  ~TakenStream() {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }
  TakenStream(const TakenStream&) = delete;
  TakenStream& operator=(const TakenStream&) = delete;

  bool given() const { return given_; }
  ArrowArrayStream* get() { return given_ ? &stream_ : nullptr; }

  void make_interruptible(const std::atomic<bool>* cancel) {
    if (stream_.release == nullptr) return;
    ArrowArrayStream inner = stream_;
    stream_ = ArrowArrayStream{};
    capi::make_interruptible(&inner, cancel, &stream_);
  }

 private:
  const bool given_;
  ArrowArrayStream stream_{};
};

// The members that the caller's headrace_observer has.
headrace_observer known_part(const headrace_observer* observer) {
  headrace_observer known{};
  if (observer != nullptr) {
    std::memcpy(&known, observer, std::min<size_t>(observer->size, sizeof(known)));
  }
  return known;
}

Outcome failure(Error error) {
  cli::hide_passwords(&error);
  Report report;
  report.status = error.code == ErrorCode::kCancelled ? "cancelled" : "failed";
  const int code = exit_code(error.code);
  report.error = std::move(error);
  return {code, report.to_json()};
}

template <class T>
Outcome outcome(const Result<T>& result, bool (*went_well)(const T&) = nullptr) {
  if (!result.ok()) return failure(result.error());
  return {went_well == nullptr || went_well(*result) ? 0 : 1, result->to_json()};
}

Outcome run_load(LoadRequest request, TakenStream* stream, const headrace_observer& observer) {
  const auto log = [&](const std::vector<std::string>& lines) {
    if (observer.log == nullptr) return;
    for (const std::string& line : lines) observer.log(observer.user, line.c_str());
  };
  request.planned = [&](const Plan& plan) { log(cli::lines_at_start(plan)); };
  if (observer.progress != nullptr) {
    request.progress = [&](const Progress& now) {
      const headrace_progress told{now.rows_written, now.rows_total, now.bytes_sent, now.seconds,
                                   now.phase};
      observer.progress(observer.user, &told);
    };
  }
  stream->make_interruptible(request.cancel);
  Report report = stream->given() ? load(request, stream->get()) : load(request);
  if (report.ok()) log(cli::lines_at_end(report));
  cli::hide_passwords(&report);
  const int code = report.ok() ? 0 : report.error ? exit_code(report.error->code) : 1;
  return {code, report.to_json()};
}

Outcome run_gc(const cli::Options& options) {
  GcRequest request;
  request.target = options.request.target;
  request.schema = options.schema;
  request.dry_run = options.dry_run;
  return outcome<GcReport>(gc(request), [](const GcReport& report) { return report.ok(); });
}

Outcome run_command(cli::Options options, TakenStream* stream, const headrace_observer& observer) {
  const LoadRequest& request = options.request;
  switch (options.command) {
    case cli::Command::kLoad:
      if (!options.dry_run) return run_load(request, stream, observer);
      [[fallthrough]];
    case cli::Command::kPlan:
      return outcome<Plan>(plan(request, stream->get()));
    case cli::Command::kInspect:
      return outcome<SourceFacts>(inspect(request));
    case cli::Command::kCheck:
      return outcome<Readiness>(check(request.target, request.table),
                                [](const Readiness& readiness) { return readiness.ready; });
    case cli::Command::kRecommend:
      return outcome<Recommendation>(recommend(options.rows, options.memory_gb));
    case cli::Command::kGc:
      return run_gc(options);
    case cli::Command::kHelp:
    case cli::Command::kVersion:
      break;
  }
  return failure(Error(ErrorCode::kUsage, "this command is not one of the C interface",
                       "use load, plan, inspect, check, recommend or gc"));
}

Outcome run(const char* command, const char* request, TakenStream* stream,
            const headrace_observer* observer, const headrace_cancel* cancel) {
  if (command == nullptr || request == nullptr) {
    return failure(Error(ErrorCode::kUsage, "command and request must not be NULL"));
  }
  auto options = read_request(command, request, stream->given());
  if (!options.ok()) return failure(std::move(options).error());
  if (cancel != nullptr) options->request.cancel = &cancel->set;
  return run_command(*std::move(options), stream, known_part(observer));
}

char* copied(const std::string& text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

}  // namespace
}  // namespace headrace::capi

extern "C" {

int headrace_c_abi(void) { return HEADRACE_C_ABI; }

const char* headrace_c_version(void) { return headrace::version(); }

headrace_cancel* headrace_cancel_new(void) { return new (std::nothrow) headrace_cancel; }

void headrace_cancel_set(headrace_cancel* cancel) { cancel->set.store(true); }

void headrace_cancel_free(headrace_cancel* cancel) { delete cancel; }

int headrace_run(const char* command, const char* request, struct ArrowArrayStream* stream,
                 const headrace_observer* observer, const headrace_cancel* cancel, char** result) {
  using namespace headrace;
  using namespace headrace::capi;
  if (result != nullptr) *result = nullptr;
  try {
    TakenStream taken(stream);
    Outcome outcome;
    try {
      outcome = run(command, request, &taken, observer, cancel);
    } catch (const std::bad_alloc&) {
      outcome = failure(
          Error(ErrorCode::kInternal, "out of memory", "give memory a smaller value"));
    } catch (const std::exception& e) {
      outcome = failure(Error(ErrorCode::kInternal, std::string("internal error: ") + e.what(),
                              "this is a fault of headrace; please report it"));
    }
    if (result != nullptr) *result = copied(outcome.json);
    return outcome.code;
  } catch (...) {  // out of memory while telling so
    return exit_code(ErrorCode::kInternal);
  }
}

void headrace_free(char* result) { std::free(result); }

}  // extern "C"
