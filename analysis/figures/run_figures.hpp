#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/fits/fit_report.hpp"
#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// Which device ran what and when: a lane per host and devices, bars coloured by how the attempt ended.
[[nodiscard]] Figure gantt(const Study& study);

/// Actual seconds of attempts that ended well against what was predicted, both logarithmic, with the line where they
/// are equal.
[[nodiscard]] Figure predicted_against_actual_cost(const Study& study);

/// How far the measured scores lie from the law, in percent, against x.
[[nodiscard]] Figure residuals(const FitReport& report, const std::string& name);

/// Busy share and lost work of a study's attempts.
struct Utilisation {
  std::size_t num_lanes = 0;
  double makespan_s = 0;
  double busy_s = 0;
  /// Seconds of attempts that were lost or failed.
  double lost_s = 0;
  [[nodiscard]] double share() const {
    return makespan_s > 0 ? busy_s / (makespan_s * static_cast<double>(num_lanes)) : 0;
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
