#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/json_document.hpp"
#include "sweeps/spec/evaluate_spec.hpp"
#include "worker/vae/vae_config.hpp"

namespace ditscale::worker {

/// What samples are compared with.
struct ReferenceFacts {
  /// "fashion_mnist train", or a file's name.
  std::string name;
  /// Empty where a file does not say.
  std::optional<std::int64_t> num_images;
  std::string digest;
};

/// Of other models that had a part in the score: digests of their weights, empty where there are none.
struct HelperDigests {
  /// The network that looked at the samples.
  std::string features;
  /// The weaker model that guided.
  std::string guide;
  /// The VAE that decoded, and what its weights do not say.
  std::string decoder;
  double decoder_scaling_factor = VaeConfig{}.scaling_factor;
  std::int64_t decoder_norm_groups = VaeConfig{}.norm_groups;
};

/// Everything that a score depends on beside the model. Options that later versions added stand in it only where they
/// change something: ids are stored, and old scores stay comparable with new ones.
/// `reference` is empty when nothing is compared. `labels` names the scheme by which samples get their conditions:
/// "uniform" or "balanced" over the classes, or "training embeddings". `weights`: which of the model's, "ema" or
/// another average.
[[nodiscard]] common::Json score_settings(const sweeps::EvaluateSpec& evaluate,
                                          const std::optional<ReferenceFacts>& reference, const HelperDigests& helpers,
                                          const std::string& labels = "uniform", const std::string& weights = "ema");

/// The same of images that were made elsewhere, about which nothing else is known.
[[nodiscard]] common::Json image_score_settings(const std::string& features, const std::string& features_digest,
                                                const std::optional<ReferenceFacts>& reference,
                                                std::int64_t num_images);

/// Hash of the canonical settings: equal ids, comparable scores.
[[nodiscard]] std::string settings_id(const common::Json& full_settings);

}  // namespace ditscale::worker
