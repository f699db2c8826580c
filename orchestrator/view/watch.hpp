#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  /// Until the first running trial is trained, at its own speed; empty while none is measured.
  std::optional<double> first_end_s;
  /// Seconds until everything, queued work included, is trained at that speed; empty while nothing is measured. Time
  /// for scores is not in it.
  std::optional<double> left_s;
};
[[nodiscard]] Movement movement_of(const Report& report);

/// The live view: head, bar, running trials, best scores, and what comes next.
[[nodiscard]] std::vector<std::string> watch_lines(const Report& report, std::size_t columns);

}  // namespace ditscale::orchestrator
