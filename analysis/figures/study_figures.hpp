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

/// In what else than size and seed trials differ that a correlation or a fit over size takes together: "block, lr";
/// mostly empty. As a warning likewise.
[[nodiscard]] std::string mixed_axes(const std::vector<ScorePoint>& final_points);
[[nodiscard]] std::vector<std::string> mixing_warnings(const std::vector<ScorePoint>& final_points);

/// Final score against forward Gflops (log x), one series per patch size, block design and setting of the other axes,
/// with `law` (of forward MACs, without floor) as a dashed line when given, which names what it mixes.
[[nodiscard]] Figure score_by_forward_gflops(const ScoreView& view, const std::optional<Law>& law);

/// Final score against parameters (log x), with the same series.
[[nodiscard]] Figure score_by_parameters(const ScoreView& view);

/// Every score against the training FLOPs spent until then (log x), one series per trial, and the envelope of the best.
[[nodiscard]] Figure score_by_training_flops(const ScoreView& view);

/// Final scores of two studies under the same settings against forward Gflops (log x), a series each.
[[nodiscard]] Figure scores_of_two(const ScoreView& left, const ScoreView& right);

}  // namespace ditscale::analysis
