#include "worker/evaluation/feature_network.hpp"

#include "common/error.hpp"
#include "worker/evaluation/fashion_cnn.hpp"
#include "worker/evaluation/inception/inception.hpp"
#include "worker/evaluation/inception/torchscript_network.hpp"

namespace ditscale::worker {

void check_has(const FeatureNetwork& network, FeatureParts parts) {
  if (parts.spatial && network.spatial_width() == 0)
    throw common::ConfigError(fmt::format("features {}: has no spatial features, which sFID needs", network.name()));
  if (parts.logits && network.num_classes() == 0)
    throw common::ConfigError(
        fmt::format("features {}: has no logits, which the Inception Score needs", network.name()));
}

std::unique_ptr<FeatureNetwork> make_feature_network(const std::string& name, const std::filesystem::path& file,
                                                     torch::Device device) {
  if (name == FashionCnn::kName) {
    if (!file.empty())
      throw common::ConfigError(
          fmt::format("features {}: is part of the program and takes no file, got {}", name, file.string()));
    return std::make_unique<FashionCnn>();
  }
  if (name != Inception::kName && name != TorchScriptNetwork::kName)
    throw common::ConfigError(fmt::format("features {}: there is no such network; allowed: {}, {}, {}", name,
                                          FashionCnn::kName, Inception::kName, TorchScriptNetwork::kName));
  if (!std::filesystem::is_regular_file(file))
    throw common::ConfigError(fmt::format(
        "features {}: {}; needed is {}", name, file.empty() ? "has no file" : file.string() + " is not a file",
        name == Inception::kName ? "the state dict pt_inception-2015-12-05 (.pth or safetensors)"
                                 : "a TorchScript network (inception-2015-12-05.pt)"));
  if (name == Inception::kName) return std::make_unique<Inception>(file, device);
  return std::make_unique<TorchScriptNetwork>(file, device);
}

}  // namespace ditscale::worker
