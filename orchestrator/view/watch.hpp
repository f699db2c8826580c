#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/view/outlook.hpp"
#include "orchestrator/view/report.hpp"

namespace ditscale::orchestrator {

/// How a study moves, as its database tells it.
struct Movement {
  /// Share of the training FLOPs of all trials that is behind.
  double done_share = 0;
  /// Images per second and training FLOPs per second of all running trials, by the means of their metrics.
  double images_per_s = 0;
  double flops_per_s = 0;
  std::size_t num_running = 0;
  std::size_t num_waiting = 0;
  /// What the running trials hold.
  std::int64_t num_cpus = 0;
  std::int64_t num_gpus = 0;
};
[[nodiscard]] Movement movement_of(const Report& report);

/// The live view: head, bar, running trials, best scores, and what comes next. `outlook` is the run's own; without one
/// no time is given.
[[nodiscard]] std::vector<std::string> watch_lines(const Report& report, const std::optional<Outlook>& outlook,
                                                   std::size_t columns);

}  // namespace ditscale::orchestrator
