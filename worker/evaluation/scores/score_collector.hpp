#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/scores/gaussian_groups.hpp"
#include "worker/evaluation/scores/inception_score.hpp"
#include "worker/evaluation/scores/reference.hpp"
#include "worker/evaluation/scores/score.hpp"

namespace ditscale::worker {

/// Which scores are asked for.
struct ScoreRequest {
  std::set<std::string> metrics;

  [[nodiscard]] bool has(std::string_view name) const { return metrics.contains(std::string(name)); }
  /// What their network must give beside pooled features.
  [[nodiscard]] FeatureParts parts() const;
  /// Whether pooled features must be kept, of samples and of the reference.
  [[nodiscard]] bool keeps_features() const;
  /// Throws ConfigError for an unknown or empty set.
  void check() const;
};

/// Lengths of a network's parts; 0 for what it has not, or is not asked for.
struct FeatureWidths {
  std::int64_t pooled = 0;
  std::int64_t spatial = 0;
  std::int64_t logits = 0;

  [[nodiscard]] static FeatureWidths of(const FeatureNetwork& network, FeatureParts wanted);
  [[nodiscard]] std::int64_t total() const { return pooled + spatial + logits; }
};

/// Throws ConfigError when `reference` lacks what scores of features of these widths need. It may be null for the
/// Inception Score alone.
void check_reference(const ScoreRequest& request, const FeatureWidths& widths, const Reference* reference);

/// Collects the features of a set of samples and scores it. Samples come in order, at least in runs; the same bits come
/// out whatever the batches.
class ScoreCollector {
 public:
  ScoreCollector(ScoreRequest request, std::int64_t num_samples, FeatureWidths widths);

  /// Samples first_index … of `features`. Throws NotFinite naming the first sample with a NaN or an infinity.
  void add(std::int64_t first_index, const ImageFeatures& features);

  [[nodiscard]] std::int64_t num_added() const { return num_added_; }
  /// Requires all samples to be there. Throws as check_reference does; a score that cannot be computed of these samples
  /// is empty, with its reason.
  [[nodiscard]] Scores finish(const Reference* reference);

 private:
  void add_piece(std::int64_t first_index, const ImageFeatures& piece);
  void end_piece();
  [[nodiscard]] torch::Tensor kept_features() const;
  void score_neighbours(const Reference& reference, Scores& scores) const;

  ScoreRequest request_;
  SampleGroups groups_;
  FeatureWidths widths_;
  std::int64_t num_added_ = 0;
  std::optional<GaussianGroups> pooled_;
  std::optional<GaussianGroups> spatial_;
  std::optional<InceptionScore> inception_;
  /// First sample → pooled features.
  std::map<std::int64_t, torch::Tensor> kept_;
  /// The piece that has begun.
  std::int64_t open_first_ = 0;
  std::vector<ImageFeatures> open_;
  std::int64_t open_samples_ = 0;
};

}  // namespace ditscale::worker
