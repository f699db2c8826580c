#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "worker/vae/vae_config.hpp"

namespace ditscale::worker {

/// Shape of each tensor by its name.
using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;

/// All tensors of an AutoencoderKL of this size, named as diffusers names them today.
[[nodiscard]] TensorShapes vae_tensor_shapes(const VaeConfig& config);

/// The name as diffusers writes it today: its older files call an attention's four matrices query, key, value and
/// proj_attn.
[[nodiscard]] std::string current_vae_name(const std::string& name);

/// The size of the AutoencoderKL that has tensors of these names (current spelling) and shapes. `file` is what errors
/// call it. Throws CorruptData when there is a tensor too few or too many, or one of another shape, naming them.
/// norm_groups and scaling_factor are left at their defaults.
[[nodiscard]] VaeConfig vae_config_from(const TensorShapes& shapes, const std::string& file);

}  // namespace ditscale::worker
