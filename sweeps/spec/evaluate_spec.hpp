#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "sweeps/spec/choices.hpp"

namespace ditscale::sweeps {

/// How samples are drawn. For ddpm models: ancestral (respaced), deterministic (Song et al. 2021), DPM-Solver++ 2M (Lu
/// et al. 2022). For flows: Euler's and Heun's steps.
enum class SamplerKind { kDdpm, kDdim, kDpmSolver, kEuler, kHeun };
template <>
struct Choices<SamplerKind> {
  static constexpr std::array<std::pair<SamplerKind, std::string_view>, 5> kAll{
      {{SamplerKind::kDdpm, "ddpm"},
       {SamplerKind::kDdim, "ddim"},
       {SamplerKind::kDpmSolver, "dpm_solver"},
       {SamplerKind::kEuler, "euler"},
       {SamplerKind::kHeun, "heun"}}};
};

/// Which classes samples show: each drawn at random, or all in turn, equally often (which lowers FID a little; DiT's
/// published numbers are of random ones).
enum class SampleLabels { kUniform, kBalanced };
template <>
struct Choices<SampleLabels> {
  static constexpr std::array<std::pair<SampleLabels, std::string_view>, 2> kAll{
      {{SampleLabels::kUniform, "uniform"}, {SampleLabels::kBalanced, "balanced"}}};
};

/// One kind of periodic score.
struct EvaluateSpec {
  /// Scored after each multiple of this, and always after the last step.
  std::int64_t every_steps = 50'000;
  std::int64_t num_samples = 50'000;
  /// Of a flow the default is euler.
  SamplerKind sampler = SamplerKind::kDdpm;
  /// Sampling steps; Heun's evaluate the model twice, all others once (for twice the batch under guidance).
  std::int64_t steps = 250;
  /// Classifier-free guidance scale; 1 is none.
  double guidance = 1.0;
  /// The first channels that are guided (the reference guides 3 of 4); absent: all.
  std::optional<std::int64_t> guidance_channels = std::nullopt;
  /// Guidance acts while the noise level t / num_timesteps lies in [from, to] (Kynkäänniemi et al. 2024).
  double guidance_from = 0.0;
  double guidance_to = 1.0;
  /// File or trial folder of a weaker model on the same data; when given it takes the place of the unconditional
  /// prediction: guide + s (model - guide), both with the label (autoguidance; Karras et al. 2024).
  std::string guide;
  /// The VAE's file that turns latents into images; empty for pixels.
  std::string decoder;
  SampleLabels labels = SampleLabels::kUniform;
  /// Network whose features are compared. "fashion_cnn": the embedded Fashion-MNIST classifier. "inception": the 2015
  /// Inception graph. "torchscript": a program of the user's own, which will be run. "none": draw and show samples
  /// only.
  std::string features = "fashion_cnn";
  /// File of the network's weights; empty for the embedded one.
  std::string features_file;
  /// Statistics to compare with: a file of `worker reference`, or one of ADM's. Empty: the training set's own, as it
  /// lies on disk.
  std::string reference;
  /// Scores to compute; see allowed_metrics.
  std::vector<std::string> metrics{"fid"};
  /// Seeds the start noise and labels, the same for all models.
  std::int64_t sample_seed = 0;
  /// Made by an attempt of its own after the training, in place of in its midst: training does not wait, and devices
  /// that would be idle at the end of a study score. Does not change the identity.
  bool apart = false;

  bool operator==(const EvaluateSpec&) const = default;
};

/// Scores that features of this network allow, the usual one first.
[[nodiscard]] std::vector<std::string> allowed_metrics(const std::string& features);
/// Whether any of these scores compares with a reference: all but the Inception Score.
[[nodiscard]] bool needs_reference(const std::vector<std::string>& metrics);

/// One entry of "evaluate" as it stands in trial.json.
[[nodiscard]] common::Json to_json(const EvaluateSpec& evaluate);

}  // namespace ditscale::sweeps
