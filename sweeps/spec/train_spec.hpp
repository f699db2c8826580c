#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace ditscale::sweeps {

/// Optimisation. Defaults are the paper's (section 4) unless said otherwise.
struct TrainSpec {
  /// Images per optimiser step over all processes and micro-batches.
  std::int64_t global_batch = 256;
  /// Optimiser steps.
  std::int64_t steps = 400'000;
  double lr = 1e-4;
  /// Steps over which the learning rate rises linearly from 0. The paper has none.
  std::int64_t warmup_steps = 0;
  double weight_decay = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  /// Largest L2 norm of the gradient; absent: no clipping, as in the paper.
  std::optional<double> clip_norm;
  /// Decay of the exponential moving average of the weights, applied after each step.
  double ema_decay = 0.9999;
  /// The decay after step t is at most (1 + t) / (10 + t): a short run's average does not remember its start.
  bool ema_warmup = false;
  /// Keeps two power-function averages (relative widths 0.05 and 0.1) after each multiple of this, from which an
  /// average of any width is rebuilt afterwards (Karras et al. 2024, "EDM2", section 3). Absent: none.
  std::optional<std::int64_t> post_hoc_ema_every_steps;
  /// "fp32", "bf16" or "auto": the fastest the device computes well; what was chosen is recorded.
  std::string precision = "auto";
  /// Images whose activations are held at once; absent: the whole batch of a process.
  std::optional<std::int64_t> micro_batch;
  std::int64_t log_every_steps = 50;

  /// Images of one micro-batch of each of `processes`: all of its share of the batch unless `micro_batch` is less.
  [[nodiscard]] std::int64_t local_micro_batch(std::int64_t processes) const {
    return std::min(micro_batch.value_or(global_batch / processes), global_batch / processes);
  }
  /// Whether each of `processes` gets the same whole number of images, in whole micro-batches.
  [[nodiscard]] bool divides_among(std::int64_t processes) const {
    return global_batch % processes == 0 && global_batch / processes % local_micro_batch(processes) == 0;
  }

  bool operator==(const TrainSpec&) const = default;
};

}  // namespace ditscale::sweeps
