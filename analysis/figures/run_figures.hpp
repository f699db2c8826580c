#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// Which devices ran what and when, bars coloured by how the attempt ended. An attempt that holds GPUs is in the lane
/// of each, another in one for all its cores of a node ("a cpu 0-31").
[[nodiscard]] Figure gantt(const Study& study);

/// Actual seconds of attempts that succeeded against what was predicted for them, both logarithmic, with the line where
/// they are equal. What was predicted for others is the time to an end that they did not reach.
[[nodiscard]] Figure predicted_against_actual_cost(const Study& study);

/// Busy share and lost work of a study's attempts, in device seconds: of GPUs, and of the cores of
/// attempts without.
struct Utilisation {
  std::size_t num_devices = 0;
  double makespan_s = 0;
  double busy_s = 0;
  /// Of attempts that were lost or failed.
  double lost_s = 0;
  [[nodiscard]] double share() const {
    return makespan_s > 0 ? busy_s / (makespan_s * static_cast<double>(num_devices)) : 0;
  }
};
[[nodiscard]] Utilisation utilisation(const Study& study);

/// Device seconds that the nodes of all runs had, idle ones and pauses inside a run included, and what attempts held of
/// them. A node that is still there counts to the last end of an attempt. Zero where no run has recorded its nodes.
struct DeviceTime {
  double had_cpu_s = 0, held_cpu_s = 0;
  double had_gpu_s = 0, held_gpu_s = 0;
};
[[nodiscard]] DeviceTime device_time(const Study& study);

}  // namespace ditscale::analysis
