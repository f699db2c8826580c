#pragma once

#include "worker/model/flat_parameters.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// One parameter's part of a flat buffer, in the parameter's shape: a view.
[[nodiscard]] torch::Tensor flat_view(const torch::Tensor& buffer, const ParameterSlot& slot);

/// Makes the parameters of a model of this layout views into `weights`, taking the values that it has (bind_weights
/// keeps the model's). Both are on the same device; `weights` must outlive the model's use.
void use_weights(torch::nn::Module& model, const FlatLayout& layout, const torch::Tensor& weights);

}  // namespace ditscale::worker
