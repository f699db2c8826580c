#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/torch.hpp"
#include "worker/training/train_state.hpp"

namespace ditscale::worker {

/// A trained model out of a checkpoint.
struct TrainedModel {
  sweeps::TrialSpec trial;
  /// state->ema_model is what is sampled.
  std::unique_ptr<TrainState> state;
  std::filesystem::path file;
};

/// `argument` is a checkpoint file or a trial's folder (its newest valid checkpoint). Throws ConfigError when there is
/// none.
[[nodiscard]] TrainedModel load_trained_model(const std::string& argument, torch::Device device);

}  // namespace ditscale::worker
