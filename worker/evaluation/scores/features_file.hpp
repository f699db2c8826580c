#pragma once

#include <filesystem>
#include <string>

#include "worker/evaluation/scores/reference.hpp"
#include "worker/evaluation/scores/score_collector.hpp"

namespace ditscale::worker {

/// Features of a set of images, as an npz holds them: `pooled` (N, D), where they were asked for `spatial` (N, E) and
/// `logits` (N, K), and the network's name and digest as the bytes of texts, `network` and `digest`.
struct FeatureSet {
  ImageFeatures features;
  /// The network's name and the digest of its weights; empty where the file does not say.
  std::string network;
  std::string digest;

  [[nodiscard]] std::int64_t num_images() const { return features.pooled.size(0); }
  [[nodiscard]] FeatureWidths widths() const;
};

void write_features(const std::filesystem::path& path, const FeatureSet& set);

/// Throws CorruptData when an array is missing, empty, of the wrong type or length, or not finite.
[[nodiscard]] FeatureSet read_features(const std::filesystem::path& path);

/// A reference made of them, with every vector kept.
[[nodiscard]] Reference reference_of(const FeatureSet& set, const std::string& name);

}  // namespace ditscale::worker
