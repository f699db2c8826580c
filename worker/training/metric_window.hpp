#pragma once

#include <cstdint>

#include "worker/training/train_step.hpp"

namespace ditscale::worker {

/// Means of what was measured since the last report.
class MetricWindow {
 public:
  void add(const StepResult& result, double seconds, std::int64_t images) {
    loss_ += result.loss;
    loss_simple_ += result.loss_simple;
    loss_vlb_ += result.loss_vlb;
    seconds_ += seconds;
    images_ += images;
    steps_ += 1;
  }
  [[nodiscard]] bool empty() const { return steps_ == 0; }
  [[nodiscard]] double loss() const { return loss_ / static_cast<double>(steps_); }
  [[nodiscard]] double loss_simple() const { return loss_simple_ / static_cast<double>(steps_); }
  [[nodiscard]] double loss_vlb() const { return loss_vlb_ / static_cast<double>(steps_); }
  [[nodiscard]] double images_per_s() const { return static_cast<double>(images_) / seconds_; }
  void clear() { *this = MetricWindow(); }

 private:
  double loss_ = 0, loss_simple_ = 0, loss_vlb_ = 0, seconds_ = 0;
  std::int64_t images_ = 0, steps_ = 0;
};

}  // namespace ditscale::worker
