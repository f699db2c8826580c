#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweeps/spec/model_spec.hpp"

namespace ditscale::worker {

/// muP for Adam (Yang et al. 2022, "Tensor Programs V", table 8): with m = width / base width, matrices whose inputs
/// grow with the width learn with lr / m and start with a variance of 1 / m of the base's; matrices from inputs of
/// fixed size, biases and tables learn and start as at the base width; attention is scaled by 1 / head width. At the
/// base width, or without one, everything is as in the standard parametrisation.

/// What q·k is multiplied by: 1 / sqrt(head width), or muP's.
[[nodiscard]] double attention_scale(const sweeps::ModelSpec& model);

/// Whether the parameter `name` of shape (out, in, …) maps channels whose number grows with the width.
[[nodiscard]] bool is_hidden_matrix(const std::string& name, const std::vector<std::int64_t>& shape);

/// Factor on train.lr for the parameter.
[[nodiscard]] double lr_factor(const sweeps::ModelSpec& model, const std::string& name,
                               const std::vector<std::int64_t>& shape);

}  // namespace ditscale::worker
