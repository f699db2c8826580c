#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "sweeps/spec/evaluate_spec.hpp"
#include "worker/model/dit.hpp"
#include "worker/random/philox.hpp"
#include "worker/sampling/guided_model.hpp"
#include "worker/sampling/step_method.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// How samples are drawn.
struct SamplerSettings {
  sweeps::SamplerKind sampler = sweeps::SamplerKind::kDdpm;
  std::int64_t steps = 250;
  Guidance guidance = {};
  std::uint64_t seed = 0;
};

/// What a sweep's score asks for.
[[nodiscard]] SamplerSettings sampler_settings(const sweeps::EvaluateSpec& evaluate);

/// Draws samples from a trained model. Start noise, step noise and labels of sample i depend on (seed, i) only: not on
/// the batch, the device count or the model, so that all models of a sweep can be shown on the same noise.
class Sampler {
 public:
  /// `model`, and `guide` for autoguidance, are used without gradients and with their present weights. Throws
  /// ConfigError when the settings do not fit the model.
  Sampler(const DiT& model, const sweeps::ObjectiveSpec& objective, const SamplerSettings& settings,
          torch::Device device, const DiT& guide = nullptr);

  /// The same for any function in a network's place.
  Sampler(Network network, Network guide, const sweeps::ModelShape& shape, const sweeps::ObjectiveSpec& objective,
          const SamplerSettings& settings, torch::Device device);

  /// Sees x (N, C, S, S) before the first step (0) and after each step.
  using Observer = std::function<void(std::int64_t step, const torch::Tensor& x)>;

  /// Samples first … first + count - 1 with the given labels (count), and embeddings (count, L, E) where the model is
  /// conditioned on them, as (count, C, S, S) float32 about [-1, 1].
  [[nodiscard]] torch::Tensor sample(std::int64_t first, const torch::Tensor& labels, const torch::Tensor& context = {},
                                     const Observer& observe = {}) const;

  /// Labels of samples first … first + count - 1. Zeros without classes.
  [[nodiscard]] torch::Tensor labels(sweeps::SampleLabels scheme, std::int64_t first, std::int64_t count) const;
  [[nodiscard]] torch::Tensor uniform_labels(std::int64_t first, std::int64_t count) const {
    return labels(sweeps::SampleLabels::kUniform, first, count);
  }

  /// Images that went through the model and its guide for all samples so far.
  [[nodiscard]] const EvaluationCount& evaluated() const { return model_.evaluated(); }

  /// Standard normals (count, C, S, S) of sampling step `step`, one stream for each sample.
  [[nodiscard]] torch::Tensor normals(Purpose purpose, std::int64_t first, std::int64_t count,
                                      std::uint32_t step) const;

 private:
  sweeps::InputSpec input_;
  GuidedModel model_;
  std::unique_ptr<StepMethod> method_;
  std::uint64_t seed_;
  torch::Device device_;
};

/// [-1, 1] floats as bytes: truncation of clamp(127.5 x + 128, 0, 255), the published code's rule.
[[nodiscard]] torch::Tensor to_bytes(const torch::Tensor& x);

}  // namespace ditscale::worker
