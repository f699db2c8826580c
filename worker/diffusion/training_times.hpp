#pragma once

#include <cstdint>

#include "sweeps/spec/objective_spec.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// A flow's time with its signal-to-noise ratio divided by shift²: s t / (1 + (s - 1) t) (Esser et al. 2024, equation
/// 23).
[[nodiscard]] double shifted_time(double t, double shift);

/// Training times of images first … first + count - 1, on the processor, each from the counter (seed, kTimestep,
/// image): timesteps of a ddpm, uniform, (count) int64; times of a flow, uniform or logit-normal (Esser et al. 2024,
/// equation 19), then shifted, (count) float32 in [0, 1].
[[nodiscard]] torch::Tensor training_times(const sweeps::ObjectiveSpec& objective, std::uint64_t seed,
                                           std::int64_t first, std::int64_t count);

}  // namespace ditscale::worker
