#pragma once

#include <string>
#include <vector>

#include "orchestrator/coordinator/state.hpp"
#include "orchestrator/view/outlook.hpp"

namespace ditscale::orchestrator {

/// How the study stands, in a few numbers.
struct Overview {
  std::size_t succeeded = 0;
  std::size_t running = 0;
  std::size_t queued = 0;
  /// Failed, diverged, cancelled otherwise than by early stopping.
  std::size_t bad = 0;
  std::size_t stopped_early = 0;
  /// Predicted seconds that are done, as a share of all.
  double done_share = 0;
};

[[nodiscard]] Overview overview_of(const State& state);

/// "3 done, 2 running, 4 queued, 1 failed, 5 stopped early".
[[nodiscard]] std::string counts_text(const Overview& overview);

/// One line for a running trial: id, label, step, loss, speed, attempt.
[[nodiscard]] std::string running_text(const Trial& trial);

/// The whole live view: a head line, a bar, the devices that are busy, a line for each running trial (at most
/// `max_running`), and what comes next.
[[nodiscard]] std::vector<std::string> live_lines(const State& state, const std::string& name, const Outlook& outlook,
                                                  std::size_t columns, std::size_t max_running);

}  // namespace ditscale::orchestrator
