#pragma once

#include <cstdint>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// Fixed two-dimensional sine-cosine position embedding, (1, side * side, width), float32; tokens row by row.
/// Channels are [sin(x w), cos(x w), sin(y w), cos(y w)], each width / 4 long, x the column; w_k = 10000^(-k / (width /
/// 4)). Computed in float64. `width` is a multiple of 4.
[[nodiscard]] torch::Tensor position_embedding(std::int64_t side, std::int64_t width);

/// Sinusoidal features of integer timesteps `t` (N), (N, 256) float32: cosines first, frequencies exp(-ln(10000) i /
/// 128).
[[nodiscard]] torch::Tensor timestep_features(const torch::Tensor& t);

inline constexpr std::int64_t kTimestepFeatures = 256;

}  // namespace ditscale::worker
