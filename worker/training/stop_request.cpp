#include "worker/training/stop_request.hpp"

#include <csignal>

#include <unistd.h>

namespace ditscale::worker {

namespace {

constexpr unsigned kGrace_s = 120;

volatile std::sig_atomic_t requested = 0;

void on_signal(int signal) {
  if (requested != 0 && signal == SIGINT) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  if (requested == 0) ::alarm(kGrace_s);
  requested = 1;
}

}  // namespace

void listen_for_stop() {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return requested != 0; }

}  // namespace ditscale::worker
