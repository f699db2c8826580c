#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ditscale::worker {

/// One convolution with its batch normalisation.
struct InceptionConvolution {
  /// "Mixed_5b.branch1x1".
  std::string name;
  std::int64_t in, out;
  std::int64_t kernel_height, kernel_width;
  std::int64_t stride;
  /// Padded with zeros so that a stride of 1 keeps the size; else not padded.
  bool padded;
};

/// The 2015 Inception graph: 94 convolutions by torchvision's names.
[[nodiscard]] std::vector<InceptionConvolution> inception_convolutions();

/// Name and shape of each tensor of its state dict: conv.weight and bn.{weight, bias, running_mean, running_var} of
/// every convolution, fc.weight and fc.bias.
[[nodiscard]] std::map<std::string, std::vector<std::int64_t>> inception_tensor_shapes();

inline constexpr std::int64_t kInceptionFeatures = 2048;
inline constexpr std::int64_t kInceptionClasses = 1008;

}  // namespace ditscale::worker
