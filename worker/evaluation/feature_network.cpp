#include "worker/evaluation/feature_network.hpp"

#include "common/error.hpp"
#include "worker/evaluation/fashion_cnn.hpp"

namespace ditscale::worker {

std::unique_ptr<FeatureNetwork> make_feature_network(const std::string& name) {
  if (name == FashionCnn::kName) return std::make_unique<FashionCnn>();
  throw common::ConfigError(fmt::format("features {}: there is no such network; allowed: {}", name, FashionCnn::kName));
}

}  // namespace ditscale::worker
