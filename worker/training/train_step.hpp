#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/diffusion/objective.hpp"
#include "worker/distributed/communicator.hpp"
#include "worker/training/batch_loader.hpp"
#include "worker/training/device.hpp"
#include "worker/training/gradient_reducer.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {

/// Means over the global batch of one step.
struct StepResult {
  double loss = 0;
  double loss_simple = 0;
  /// 0 when the variance is not learned.
  double loss_vlb = 0;
  double grad_norm = 0;
  double lr = 0;
  /// Some rank, this one or another, asked to stop.
  bool stop = false;

  [[nodiscard]] bool finite() const;
};

/// Learning rate of step 1, 2, …: linear over `warmup_steps`, constant after.
[[nodiscard]] double learning_rate(const sweeps::TrainSpec& train, std::int64_t step);

/// Decay of the EMA after step 1, 2, …
[[nodiscard]] double ema_decay(const sweeps::TrainSpec& train, std::int64_t step);

/// When a gang sums its gradients: during the backward pass or after it.
enum class GradientSums { kOverlapped, kAfterwards };

/// One optimiser step of a trial, over all ranks and micro-batches. From the same state it gives the same bits.
class TrainStep {
 public:
  /// Everything passed must outlive this object. Throws ConfigError when the global batch does not divide among ranks
  /// and micro-batches.
  TrainStep(const sweeps::TrialSpec& trial, const BatchSource& source, Communicator& communicator, TrainState& state,
            Precision precision, GradientSums sums = GradientSums::kOverlapped);

  /// Advances the state by one step, unless loss or gradient is not finite: then the state is left as it was.
  /// `stop` is this rank's wish to stop; the result says whether any rank had it. *Collective: all ranks.*
  StepResult run(bool stop);

 private:
  /// AdamW and the averages, in as many pieces as there are learning rates side by side (one without muP).
  void update(const StepResult& result) const;
  /// Adds the gradient of the micro-batch that starts at image `first`, and its losses to `sums` (total, simple, vlb).
  void accumulate(std::int64_t first, torch::Tensor& sums);
  /// The gradient of the global batch, and in `sums` the losses of this rank's part.
  void make_gradients(torch::Tensor& sums);

  const sweeps::TrialSpec& trial_;
  Communicator& communicator_;
  TrainState& state_;
  torch::Device device_;
  Precision precision_;
  std::unique_ptr<Objective> objective_;
  std::int64_t local_batch_;
  std::int64_t micro_batch_;
  BatchLoader loader_;
  std::optional<GradientReducer> reducer_;
};

}  // namespace ditscale::worker
