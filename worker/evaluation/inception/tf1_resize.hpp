#pragma once

#include <cstdint>

#include <torch/types.h>

namespace ditscale::worker {

/// Bilinear resize to `side` x `side` as TensorFlow 1 does it without aligned corners: output pixel i looks at
/// i · (input / output), without the half pixel that later versions and PyTorch add, and the last pixel's neighbour is
/// itself. `images`: float32 (N, C, H, W).
[[nodiscard]] torch::Tensor resize_as_tf1(const torch::Tensor& images, std::int64_t side);

}  // namespace ditscale::worker
