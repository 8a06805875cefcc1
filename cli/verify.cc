// headrace verify: compares a table with its source. Changes nothing.
#include "headrace/verify.h"

#include "commands.h"
#include "output.h"
#include "signals.h"

namespace headrace::cli {

int run_verify(Options options) {
  handle_signals();
  options.request.cancel = cancel_flag();
  const auto report = headrace::verify(options.request);
  if (!report.ok()) {
    const int code = fail(report.error(), options.json);
    const bool stopped = report.error().code == ErrorCode::kCancelled && received_signal() != 0;
    return stopped ? 128 + received_signal() : code;
  }
  const int written = print_result(options.json ? report->to_json() : report->to_text());
  return report->same ? written : exit_code(ErrorCode::kVerification);
}

}  // namespace headrace::cli
