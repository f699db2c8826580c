#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/torch.hpp"
#include "worker/vae/vae_layout.hpp"
#include "worker/weights/safetensors.hpp"

namespace ditscale::worker {

/// Three levels of 32 to 64 channels: pictures of four pixels for each of the latent's.
inline VaeConfig tiny_vae() {
  VaeConfig config;
  config.block_out_channels = {32, 32, 64};
  config.layers_per_block = 1;
  return config;
}

/// Random weights of that size, scaled to keep the signal's size.
inline NamedTensors random_vae_tensors(const VaeConfig& config) {
  torch::manual_seed(3);
  NamedTensors tensors;
  for (const auto& [name, shape] : vae_tensor_shapes(config)) {
    torch::Tensor values = torch::randn(shape);
    if (values.dim() > 1) values = values / std::sqrt(static_cast<double>(values[0].numel()));
    if (values.dim() == 1 && name.find("norm") != std::string::npos) values = 1 + 0.1 * values;
    tensors.emplace_back(name, values);
  }
  return tensors;
}

/// A folder in which a test puts weights files.
class VaeFiles : public InScratchFolder {
 protected:
  /// Writes the tensors as `change` leaves them.
  std::filesystem::path write(
      const std::string& name, NamedTensors tensors, const std::function<void(NamedTensors&)>& change = [](auto&) {}) {
    change(tensors);
    write_safetensors(at(name), tensors);
    return at(name);
  }

  static torch::Tensor& tensor(NamedTensors& tensors, const std::string& name) {
    for (auto& [key, value] : tensors) {
      if (key == name) return value;
    }
    throw std::out_of_range(name);
  }
};

}  // namespace ditscale::worker
