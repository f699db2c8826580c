#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "sweeps/spec/model_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// What samples are to show.
struct Conditions {
  torch::Tensor labels;   // (N) int64; ignored by models without labels
  torch::Tensor context;  // (N, L, E) embeddings, of models conditioned on them; else undefined
};

/// A network as a sampler asks it: x (N, C, S, S), the time it is shown (N) float32 → (N, O, S, S).
using Network =
    std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& t, const Conditions& conditions)>;

/// How much a prediction is pushed away from a worse one, and where.
struct Guidance {
  /// worse + scale (model - worse). 1 is none.
  double scale = 1.0;
  /// The first channels that are guided; absent: all. The variance is never.
  std::optional<std::int64_t> channels = std::nullopt;
  /// Acts while t / num_timesteps lies in [from, to] (Kynkäänniemi et al. 2024); elsewhere the worse one is not asked.
  double from = 0.0;
  double to = 1.0;
};

/// Images that went through a network.
struct EvaluationCount {
  std::int64_t model = 0;
  std::int64_t guide = 0;
};

/// A network with its guidance. The worse prediction is the network's own for the null label, in one doubled batch
/// (classifier-free; Ho & Salimans 2022), or a weaker network's for the same label (autoguidance; Karras et al. 2024).
/// Predictions are mixed as they come out: for the noise, x_0, v or the velocity it is the same, as each is an affine
/// map of the others at one x and t.
class GuidedModel {
 public:
  /// `guide` may be empty. Throws ConfigError when there is nothing to guide with.
  GuidedModel(Network network, Network guide, const sweeps::ModelShape& shape, Guidance guidance,
              std::int64_t num_timesteps);

  /// At x (N, C, S, S) and one time, as the network is shown it.
  [[nodiscard]] torch::Tensor output(const torch::Tensor& x, double model_time, const Conditions& conditions) const;

  [[nodiscard]] const EvaluationCount& evaluated() const { return evaluated_; }

 private:
  [[nodiscard]] bool guides_at(double model_time) const;
  /// The conditions, then as many null ones.
  [[nodiscard]] Conditions with_null(const Conditions& conditions) const;
  [[nodiscard]] torch::Tensor mix(const torch::Tensor& conditional, const torch::Tensor& worse) const;

  Network network_;
  Network guide_;
  std::int64_t channels_;
  std::int64_t null_label_;
  Guidance guidance_;
  double num_timesteps_;
  mutable EvaluationCount evaluated_;
};

}  // namespace ditscale::worker
