#pragma once

#include <torch/types.h>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/model/flat_parameters.hpp"
#include "worker/weights/tensor_source.hpp"

namespace ditscale::worker {

/// A model's weights as one flat float32 buffer.
struct FlatWeights {
  FlatLayout layout;
  torch::Tensor values;
};

/// Fills the parameters of the trial's model from `source`, whose names are the reference's. Every parameter must be
/// there in its shape, and nothing else; float16, bfloat16 and float64 become float32; a stored position embedding must
/// be ours up to the rounding of its type. Nothing is allocated before all shapes were compared. Throws CorruptData
/// naming the tensor.
[[nodiscard]] FlatWeights import_weights(TensorSource& source, const sweeps::TrialSpec& trial);

}  // namespace ditscale::worker
