#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <torch/types.h>

#include "worker/evaluation/inception/inception_layout.hpp"

namespace ditscale::worker {

/// The weights of the 2015 Inception graph on a device, float32, each batch normalisation (eps 1e-3) folded into the
/// convolution before it.
struct InceptionWeights {
  struct Layer {
    InceptionConvolution convolution;
    torch::Tensor weight;  // (out, in, kernel_height, kernel_width), channels last
    torch::Tensor bias;    // (out)
  };
  std::map<std::string, Layer> layers;
  torch::Tensor classes;  // (1008, 2048): fc.weight; its bias has no part in any score
  /// XXH3 (128 bits, hex) of the file.
  std::string digest;
};

/// Reads the state dict that the PyTorch ports of FID publish as pt_inception-2015-12-05 (or the same tensors as
/// safetensors) as data; nothing in the file is executed. num_batches_tracked, which newer PyTorch writes, is passed
/// over. Throws CorruptData for tensors that are missing, too many, misshapen or no floating-point numbers, naming
/// them, before any is read; SystemError when the file cannot be read.
[[nodiscard]] InceptionWeights load_inception_weights(const std::filesystem::path& file, torch::Device device);

}  // namespace ditscale::worker
