#pragma once

#include <array>
#include <cstdint>

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/dit.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/torch.hpp"
#include "worker/training/metric_window.hpp"
#include "worker/training/power_ema.hpp"

namespace ditscale::worker {

/// Averages of `kStoredSigmaRel`, flat like the weights.
using PowerEma = std::array<torch::Tensor, kStoredSigmaRel.size()>;

/// All that training changes: one flat float32 buffer for each kind of state, in the order of the layout, and two
/// counters.
struct TrainState {
  /// A model with fresh weights; the EMA starts as a copy.
  TrainState(const sweeps::ModelShape& shape, std::uint64_t seed, torch::Device device);

  /// Makes the buffers of the post-hoc EMA.
  void keep_power_ema();

  DiT model;
  /// The same network over the EMA buffer: what is sampled. Never trained.
  DiT ema_model;
  FlatLayout layout;
  torch::Tensor weights, gradients, moment1, moment2, ema;
  /// The two averages of the post-hoc EMA; undefined where the trial keeps none.
  PowerEma power_ema;
  std::int64_t step = 0;
  std::int64_t images_seen = 0;
  /// Seconds spent in training steps, over all attempts.
  double training_s = 0;
  MetricWindow window;
};

}  // namespace ditscale::worker
