#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/json_document.hpp"
#include "sweeps/spec/evaluate_spec.hpp"

namespace ditscale::worker {

/// What a feature network made of the training set.
struct ReferenceFacts {
  std::string features_digest;
  /// "fashion_mnist train".
  std::string name;
  std::int64_t num_images = 0;
  std::string digest;
};

/// Of the weights of other models that had a part in the samples; empty where there are none.
struct HelperDigests {
  /// The weaker model that guided.
  std::string guide;
  /// The VAE that decoded.
  std::string decoder;
};

/// Everything that a score depends on beside the model. Options that later versions added stand in it only where they
/// change something: ids are stored, and old scores stay comparable with new ones.
/// `reference` is empty when there are no features. `labels` names the scheme by which samples get their conditions:
/// "uniform" over the classes, or "training embeddings".
[[nodiscard]] common::Json score_settings(const sweeps::EvaluateSpec& evaluate,
                                          const std::optional<ReferenceFacts>& reference, const HelperDigests& helpers,
                                          const std::string& labels = "uniform");

/// Hash of the canonical settings: equal ids, comparable scores.
[[nodiscard]] std::string settings_id(const common::Json& full_settings);

}  // namespace ditscale::worker
