#pragma once

#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/queries/score_points.hpp"

namespace ditscale::analysis {

/// Smoothed training loss of a trial by step.
struct LossCurve {
  const StudyTrial* trial = nullptr;
  std::vector<CurvePoint> points;
};

/// The losses of a study.
struct LossCurves {
  /// Of many trials those of some, from the smallest model to the largest.
  std::vector<LossCurve> shown;
  /// The lowest loss so far by training FLOPs: of all trials, of thousands of a thousand, which its name says. Empty
  /// for a single trial.
  Series envelope{"lower envelope", {}, Series::Look::kBand};
};
[[nodiscard]] LossCurves loss_curves(const Study& study);

/// Loss against the step, both logarithmic, one line per trial.
[[nodiscard]] Figure loss_by_step(const Study& study, const LossCurves& curves);

/// Loss against the training FLOPs spent until then, both logarithmic, one line per trial, and the lower envelope.
[[nodiscard]] Figure loss_by_training_flops(const Study& study, const LossCurves& curves);

}  // namespace ditscale::analysis
