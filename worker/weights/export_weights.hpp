#pragma once

#include "sweeps/spec/trial_spec.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/weights/safetensors.hpp"

namespace ditscale::worker {

/// The parameters under the reference checkpoint's names, with the position embedding in front where the model has one.
/// The tensors are views into `weights` (CPU).
[[nodiscard]] NamedTensors reference_tensors(const FlatLayout& layout, const torch::Tensor& weights,
                                             const sweeps::TrialSpec& trial);

/// The same in the layout of diffusers' DiTTransformer2DModel. Throws ConfigError naming what that class does not have
/// (another block design than adaLN-Zero, say).
[[nodiscard]] NamedTensors diffusers_tensors(const FlatLayout& layout, const torch::Tensor& weights,
                                             const sweeps::TrialSpec& trial);

}  // namespace ditscale::worker
