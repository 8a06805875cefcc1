#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "output.h"

namespace headrace::cli {
namespace {

constexpr double kPlainSeconds = 10;
constexpr double kJsonSeconds = 1;

bool stderr_is_terminal() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

double rate(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

std::string time_left(double seconds) {
  const auto total = static_cast<int64_t>(seconds + 0.5);
  if (total < 60) return fmt::format("{} s", total);
  if (total < 3600) return fmt::format("{}:{:02} min", total / 60, total % 60);
  return fmt::format("{}:{:02} h", total / 3600, total / 60 % 60);
}

// "1,234,567 of 6,001,215 rows (20.6 %), 400,123 rows/s, 33.1 MB/s, 12 s left"
std::string progress_text(const Progress& progress) {
  const auto rows = static_cast<double>(progress.rows_written);
  const auto total = static_cast<double>(progress.rows_total);
  const double rows_per_second = rate(rows, progress.seconds);
  std::string text = grouped(progress.rows_written);
  if (progress.rows_total > 0) {
    text += fmt::format(" of {} rows ({:.1f} %)", grouped(progress.rows_total),
                        std::min(100.0, 100 * rows / total));
  } else {
    text += " rows";
  }
  text += fmt::format(", {} rows/s, {:.1f} MB/s", grouped(static_cast<int64_t>(rows_per_second)),
                      rate(static_cast<double>(progress.bytes_sent) * 1e-6, progress.seconds));
  if (progress.rows_total > 0 && rows_per_second > 0 && rows < total) {
    text += fmt::format(", {} left", time_left((total - rows) / rows_per_second));
  }
  return text;
}

std::string progress_json(const Progress& progress) {
  return fmt::format(R"({{"event": "progress", "phase": {}, "rows_written": {}, "rows_total": {}, )"
                     R"("bytes_sent": {}, "seconds": {:.3f}, "rows_per_second": {:.1f}}})"
                     "\n",
                     json_string(progress.phase), progress.rows_written,
                     progress.rows_total < 0 ? "null" : std::to_string(progress.rows_total),
                     progress.bytes_sent, progress.seconds,
                     rate(static_cast<double>(progress.rows_written), progress.seconds));
}

}  // namespace

ProgressPrinter::ProgressPrinter(ProgressMode mode)
    : mode_(mode), rewrites_(mode == ProgressMode::kAuto && stderr_is_terminal()) {}

void ProgressPrinter::update(const Progress& progress) {
  if (mode_ == ProgressMode::kNone) return;
  if (rewrites_) {
    std::string line = progress_text(progress);
    if (*progress.phase != '\0') line = std::string(progress.phase) + ": " + line;
    write_stderr("\r" + line.substr(0, terminal_width() - 1) + "\x1b[K");
    line_is_open_ = true;
    return;
  }
  const bool json = mode_ == ProgressMode::kJson;
  if (progress.seconds - last_seconds_ < (json ? kJsonSeconds : kPlainSeconds)) return;
  last_seconds_ = progress.seconds;
  write_stderr(json ? progress_json(progress) : progress_text(progress) + "\n");
}

void ProgressPrinter::log(const std::string& line) {
  if (mode_ == ProgressMode::kNone) return;
  end();
  write_stderr(mode_ == ProgressMode::kJson
                   ? fmt::format("{{\"event\": \"log\", \"message\": {}}}\n", json_string(line))
                   : safe_text(line) + "\n");
}

void ProgressPrinter::end() {
  if (line_is_open_) write_stderr("\r\x1b[K");
  line_is_open_ = false;
}

}  // namespace headrace::cli
