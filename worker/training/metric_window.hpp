#pragma once

#include <cstdint>

namespace ditscale::worker {

/// Sums of what was measured since the last report. Part of the checkpoint, so that a report after a resumption covers
/// the same steps as one without.
struct MetricWindow {
  double loss_sum = 0;
  double loss_simple_sum = 0;
  double loss_vlb_sum = 0;
  double seconds = 0;
  std::int64_t images = 0;
  std::int64_t steps = 0;

  [[nodiscard]] double loss() const { return loss_sum / static_cast<double>(steps); }
  [[nodiscard]] double loss_simple() const { return loss_simple_sum / static_cast<double>(steps); }
  [[nodiscard]] double loss_vlb() const { return loss_vlb_sum / static_cast<double>(steps); }
  [[nodiscard]] double images_per_s() const { return static_cast<double>(images) / seconds; }
};

}  // namespace ditscale::worker
