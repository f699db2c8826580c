#pragma once

#include <cstdint>

#include "sweeps/spec/model_spec.hpp"

namespace ditscale::sweeps {

/// Parameters of a DiT, counted without building it.
struct ParameterCount {
  /// With the frozen position embedding.
  std::int64_t total = 0;
  std::int64_t trainable = 0;
};
[[nodiscard]] ParameterCount count_parameters(const ModelShape& shape);

/// Multiply-accumulates of one forward pass of one image: matrix products, attention products and the patch
/// convolution. This is what the paper calls "Gflops" (times 1e9); element-wise work is not counted.
[[nodiscard]] std::int64_t forward_macs(const ModelShape& shape);

/// Real floating-point operations (two per MAC) to train on one image: forward once, backward twice.
[[nodiscard]] double training_flops_per_image(const ModelShape& shape);

/// Bytes that training keeps per process: weights, gradients, two moments, EMA (4 bytes each).
[[nodiscard]] std::int64_t training_state_bytes(const ModelShape& shape);

/// Bytes of activations the reference path holds for the backward pass of `images` images.
/// An estimate: counts the tensors that each layer saves; the allocator's slack is not in it. Ends at the largest
/// std::int64_t; `images` and `bytes_per_value` are 1 or more.
[[nodiscard]] std::int64_t activation_bytes(const ModelShape& shape, std::int64_t images, std::int64_t bytes_per_value);

}  // namespace ditscale::sweeps
