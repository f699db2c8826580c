#include "worker/evaluation/feature_network.hpp"

#include "common/error.hpp"
#include "worker/evaluation/fashion_cnn.hpp"

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
  (void)device;
  if (name == FashionCnn::kName) {
    if (!file.empty())
      throw common::ConfigError(
          fmt::format("features {}: is part of the program and takes no file, got {}", name, file.string()));
    return std::make_unique<FashionCnn>();
  }
  throw common::ConfigError(fmt::format("features {}: there is no such network; allowed: {}", name, FashionCnn::kName));
}

}  // namespace ditscale::worker
