#pragma once

#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/fits/forms.hpp"
#include "analysis/queries/score_points.hpp"

namespace ditscale::analysis {

/// Label of an axis.
inline constexpr const char* kTrainingAxis = "training FLOPs (6 × forward multiply-accumulates × images)";

/// What the figures of one score share: its points, and its name on an axis ("FID (fashion_cnn features)").
struct ScoreView {
  const Study& study;
  const ScorePoints& points;
  std::string score_label;
  /// Short name for files and columns: "fid".
  std::string metric;
};

/// Final score against forward Gflops (log x), one series per patch size, with `law` (of forward MACs, without
/// floor) as a dashed line when given.
[[nodiscard]] Figure score_by_forward_gflops(const ScoreView& view, const std::optional<Law>& law);

/// Final score against parameters (log x), one series per patch size.
[[nodiscard]] Figure score_by_parameters(const ScoreView& view);

/// Every score against the training FLOPs spent until then (log x), one series per trial, and the envelope of the best.
[[nodiscard]] Figure score_by_training_flops(const ScoreView& view);

/// Final scores of two studies under the same settings against forward Gflops (log x), a series each.
[[nodiscard]] Figure scores_of_two(const ScoreView& left, const ScoreView& right);

}  // namespace ditscale::analysis
