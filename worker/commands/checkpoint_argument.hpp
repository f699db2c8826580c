#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/json_document.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/model/dit.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// A trained model, fit to be evaluated and nothing else.
struct TrainedModel {
  sweeps::TrialSpec trial;
  /// Its parameters are views into `weights`.
  DiT model{nullptr};
  FlatLayout layout;
  torch::Tensor weights;
  /// Optimiser steps; empty for imported weights.
  std::optional<std::int64_t> step;
  std::filesystem::path file;

  /// Tells the model from others, given a digest of its weights. Imported ones do not say how many heads they are for,
  /// or which noise they predict.
  [[nodiscard]] std::string digest(const std::string& of_weights) const;
  /// "runs/…/step-500.h5 (step 500)", for messages.
  [[nodiscard]] std::string title() const;
  [[nodiscard]] common::Json step_json() const { return step ? common::Json(*step) : common::Json(nullptr); }
};

/// `argument` is a checkpoint, a weights file of `worker import`, or a trial's folder (its newest valid checkpoint).
/// `buffer` is "ema" or, for checkpoints alone, "weights". Only these are read. Throws ConfigError when there is no
/// such file, CorruptData when it is damaged.
[[nodiscard]] TrainedModel load_trained_model(const std::string& argument, torch::Device device,
                                              const std::string& buffer = "ema");

}  // namespace ditscale::worker
