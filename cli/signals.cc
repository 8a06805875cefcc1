#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace headrace::cli {
namespace {

std::atomic<bool> cancelled{false};
std::atomic<int> first_signal{0};
bool on_terminal = false;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// Only what is allowed in a signal handler.
void on_signal(int number) {
  const int saved_errno = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) _exit(128 + number);
  cancelled.store(true);
  // On a terminal the progress line is open, or ^C was just echoed.
  static constexpr char kText[] = "\nheadrace: stopping; once more to end at once\n";
  const size_t skipped = on_terminal ? 0 : 1;
  [[maybe_unused]] const auto written =
      write(STDERR_FILENO, kText + skipped, sizeof(kText) - 1 - skipped);
  errno = saved_errno;
}

}  // namespace

void handle_signals() {
  on_terminal = isatty(STDERR_FILENO) == 1;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  // A shell starts background jobs with SIGINT ignored; that stays so.
  struct sigaction before{};
  sigaction(SIGINT, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file size limit then is an error like a full disk, not the end of the process.
  signal(SIGXFSZ, SIG_IGN);
}

const std::atomic<bool>* cancel_flag() { return &cancelled; }

int received_signal() { return first_signal.load(); }

}  // namespace headrace::cli
