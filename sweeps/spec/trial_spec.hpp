#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.hpp"
#include "common/json_document.hpp"
#include "sweeps/spec/model_spec.hpp"

namespace ditscale::sweeps {

/// The images of a trial.
struct DataSpec {
  /// "fashion_mnist": 28 x 28 grey images in IDX files (Debian's dataset-fashion-mnist).
  /// "imagenet_latents": the paper's latents; described and counted here, stored by a later tool.
  std::string name = "fashion_mnist";
  /// Folder of the files; empty means the place where the data's package puts them. Does not change the identity.
  std::string root;
  /// Side of the original image in pixels: 28 for Fashion-MNIST; 256 or 512 for latents (which are an eighth of it).
  std::int64_t image_size = 28;
  /// Random horizontal flips in training (paper, section 4).
  bool flip = true;

  bool operator==(const DataSpec&) const = default;
};

/// The diffusion the model is trained for.
struct ObjectiveSpec {
  /// "ddpm": noise prediction (paper, section 3.1).
  std::string kind = "ddpm";
  /// "linear": betas from 1e-4 to 2e-2 over `num_timesteps`.
  std::string schedule = "linear";
  std::int64_t num_timesteps = 1000;
  /// Predict the interpolation between beta and the posterior variance, trained by the variational bound.
  bool learn_variance = true;

  bool operator==(const ObjectiveSpec&) const = default;
};

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
  /// "fp32", "bf16" or "auto": the fastest the device computes well; what was chosen is recorded.
  std::string precision = "auto";
  /// Images whose activations are held at once; absent: the whole batch of a process.
  std::optional<std::int64_t> micro_batch;
  std::int64_t log_every_steps = 50;

  bool operator==(const TrainSpec&) const = default;
};

/// Checkpointing. Does not change the identity.
struct CheckpointSpec {
  std::int64_t every_steps = 500;
  /// Newest checkpoints that are kept.
  std::int64_t keep = 2;

  bool operator==(const CheckpointSpec&) const = default;
};

/// One kind of periodic score.
struct EvaluateSpec {
  /// Scored after each multiple of this, and always after the last step.
  std::int64_t every_steps = 50'000;
  std::int64_t num_samples = 50'000;
  /// "ddpm" (ancestral, respaced) or "ddim" (deterministic).
  std::string sampler = "ddpm";
  /// Sampling steps; the model is evaluated once a step (twice the batch under guidance).
  std::int64_t steps = 250;
  /// Classifier-free guidance scale; 1 is none.
  double guidance = 1.0;
  /// Network whose features are compared. "fashion_cnn": the embedded Fashion-MNIST classifier.
  std::string features = "fashion_cnn";
  /// Scores to compute: "fid".
  std::vector<std::string> metrics{"fid"};
  /// Seeds the start noise and labels, the same for all models.
  std::int64_t sample_seed = 0;

  bool operator==(const EvaluateSpec&) const = default;
};

/// What a trial occupies while it runs. Does not change the identity.
struct ResourceSpec {
  std::int64_t cpus = 1;
  std::int64_t gpus = 0;

  bool operator==(const ResourceSpec&) const = default;
};

/// One cell of a sweep with every default filled in: what is hashed, stored and run.
struct TrialSpec {
  DataSpec data;
  ModelSpec model;
  ObjectiveSpec objective;
  TrainSpec train;
  CheckpointSpec checkpoint;
  std::vector<EvaluateSpec> evaluate;
  ResourceSpec resources;
  std::int64_t seed = 0;

  /// Hash of the canonical JSON without what cannot change the result (data.root,
  /// train.log_every_steps, checkpoint, resources).
  [[nodiscard]] common::TrialId id() const;
  [[nodiscard]] InputSpec input() const;
  [[nodiscard]] ModelShape shape() const;
  [[nodiscard]] common::Json to_json() const;

  bool operator==(const TrialSpec&) const = default;
};

/// Strict reading: `value` (an object of `document` at `path`) over the defaults. "model" may be a published name.
/// Throws ConfigError (file, line, JSON path, found, allowed); impossible combinations are refused here too.
[[nodiscard]] TrialSpec trial_spec_from(const common::JsonDocument& document, const common::Json& value,
                                        const std::string& path);

/// The same for a document that is one trial.
[[nodiscard]] TrialSpec trial_spec_from(const common::JsonDocument& document);

/// One entry of "evaluate" as it stands in trial.json.
[[nodiscard]] common::Json to_json(const EvaluateSpec& evaluate);

}  // namespace ditscale::sweeps
