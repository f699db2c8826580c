#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <torch/types.h>

#include "worker/vae/vae_config.hpp"

namespace ditscale::worker {

/// The tensors of one AutoencoderKL on a device, as float32, and its size.
struct VaeWeights {
  VaeConfig config;
  /// By diffusers' current names.
  std::map<std::string, torch::Tensor> tensors;
  /// XXH3 (128 bits, hex) of the file.
  std::string digest;

  /// The tensor of that name, which the layout promises.
  [[nodiscard]] torch::Tensor at(const std::string& name) const;
};

/// Reads a safetensors file, or the one of diffusers' name in a folder. Widths come from the tensors' shapes; the
/// number of groups and the scaling factor from a config.json beside the file when that is an AutoencoderKL's, which
/// must agree with the shapes. Both spellings of diffusers' attention are read, their matrices also as 1 x 1
/// convolutions; F16, BF16 and F64 become float32. Nothing is read before names and shapes have been checked.
///
/// Throws CorruptData for tensors that are missing, too many, misshapen or no floating-point numbers, ConfigError for a
/// config.json that cannot be honoured, SystemError when a file cannot be read.
[[nodiscard]] VaeWeights load_vae_weights(const std::filesystem::path& path, torch::Device device);

}  // namespace ditscale::worker
