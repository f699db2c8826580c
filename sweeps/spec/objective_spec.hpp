#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sweeps/spec/choices.hpp"

namespace ditscale::sweeps {

/// Denoising diffusion in discrete timesteps (Ho et al. 2020), or a straight flow from noise to data (Liu et al. 2022).
enum class ObjectiveKind { kDdpm, kFlow };
/// What a ddpm model's output stands for: the noise, the clean image, or v = signal · noise - deviation · image
/// (Salimans & Ho 2022). A flow model predicts the velocity, noise - image.
enum class Prediction { kNoise, kX0, kV };
/// Cumulative signal of a ddpm: from linear betas, or a squared cosine (Nichol & Dhariwal 2021, equation 17).
enum class NoiseScheduleKind { kLinear, kCosine };
/// Variance of a ddpm's reverse steps where it is not learned: beta, or the posterior's.
enum class FixedVariance { kLarge, kSmall };
/// How a flow draws its training times.
enum class FlowTime { kUniform, kLogitNormal };

template <>
struct Choices<ObjectiveKind> {
  static constexpr std::array<std::pair<ObjectiveKind, std::string_view>, 2> kAll{
      {{ObjectiveKind::kDdpm, "ddpm"}, {ObjectiveKind::kFlow, "flow"}}};
};
template <>
struct Choices<Prediction> {
  static constexpr std::array<std::pair<Prediction, std::string_view>, 3> kAll{
      {{Prediction::kNoise, "noise"}, {Prediction::kX0, "x0"}, {Prediction::kV, "v"}}};
};
template <>
struct Choices<NoiseScheduleKind> {
  static constexpr std::array<std::pair<NoiseScheduleKind, std::string_view>, 2> kAll{
      {{NoiseScheduleKind::kLinear, "linear"}, {NoiseScheduleKind::kCosine, "cosine"}}};
};
template <>
struct Choices<FixedVariance> {
  static constexpr std::array<std::pair<FixedVariance, std::string_view>, 2> kAll{
      {{FixedVariance::kLarge, "large"}, {FixedVariance::kSmall, "small"}}};
};
template <>
struct Choices<FlowTime> {
  static constexpr std::array<std::pair<FlowTime, std::string_view>, 2> kAll{
      {{FlowTime::kUniform, "uniform"}, {FlowTime::kLogitNormal, "logit_normal"}}};
};

/// The diffusion the model is trained for.
struct ObjectiveSpec {
  ObjectiveKind kind = ObjectiveKind::kDdpm;
  /// Linear: betas from 1e-4 to 2e-2 over 1000 timesteps (scaled for other numbers).
  NoiseScheduleKind schedule = NoiseScheduleKind::kLinear;
  /// Of a ddpm; a flow's times 0 … 1 are shown to the model as 0 … num_timesteps.
  std::int64_t num_timesteps = 1000;
  /// Predict the interpolation between beta and the posterior variance, trained by the variational bound. ddpm only.
  bool learn_variance = true;
  Prediction prediction = Prediction::kNoise;
  FixedVariance fixed_variance = FixedVariance::kLarge;
  /// Divides the signal-to-noise ratio by shift² at every time (Hoogeboom et al. 2023, equation 5; for flows Esser et
  /// al. 2024, equation 23): above 1 for larger images. 1 is none.
  double shift = 1.0;
  /// Loss weights min(SNR, gamma) in terms of the clean image (Hang et al. 2023, gamma 5). Absent: the plain loss. ddpm
  /// only.
  std::optional<double> min_snr_gamma = std::nullopt;
  FlowTime time = FlowTime::kUniform;
  /// Of the logit-normal times: mean and deviation of logit(t) (Esser et al. 2024, equation 19).
  double time_mean = 0.0;
  double time_deviation = 1.0;

  bool operator==(const ObjectiveSpec&) const = default;
};

}  // namespace ditscale::sweeps
