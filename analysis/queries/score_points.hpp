#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/points.hpp"
#include "analysis/queries/study.hpp"
#include "analysis/statistics/correlation.hpp"

namespace ditscale::analysis {

/// One score (or loss) of one trial at one step. The trial belongs to the study.
struct ScorePoint {
  const StudyTrial* trial = nullptr;
  std::int64_t step = 0;
  /// Real FLOPs spent on training up to this step.
  double training_flops = 0;
  double value = 0;
};

/// A trial that has no final score, and why.
struct LeftOut {
  common::TrialId trial;
  std::string label;
  std::string why;
};

/// What can be drawn and fitted of one score under one setting.
struct ScorePoints {
  /// Every scored step of the trials that did not diverge.
  std::vector<ScorePoint> all;
  /// One per trial that was scored at its last planned step and did not diverge, also where it failed afterwards.
  std::vector<ScorePoint> final;
  std::vector<LeftOut> left_out;
  /// Of which neither has a point.
  std::vector<const StudyTrial*> diverged;
};

/// The configuration without one of its fields ("/seed"): equal for trials that differ in nothing else.
[[nodiscard]] std::string configuration_without(const StudyTrial& trial, const common::Json::json_pointer& field);

/// Trainings that differ in their length alone are one until the shorter ends: takes those points of `all` that repeat
/// another's step and score, and keeps the shortest training's. How many were taken out.
std::size_t count_shared_points_once(ScorePoints& points);

/// Those of `left_out` that have no score at all: what is missing where every score is taken.
[[nodiscard]] std::vector<LeftOut> left_out_of_all(const ScorePoints& points);

/// Whether more of it is better (inception_score, precision, recall); of all others, and of losses, less is.
[[nodiscard]] bool higher_is_better(const std::string& metric);

/// Scores of `metric` under `settings_id`; a null score is left out with the worker's reason.
[[nodiscard]] ScorePoints score_points(const Study& study, const std::string& metric, const std::string& settings_id);

/// The same of the training loss: `all` is the smoothed curve, thinned (empty unless asked for), `final` the mean over
/// the last tenth of the planned steps. `column` is "loss", "loss_simple" or "loss_vlb".
[[nodiscard]] ScorePoints loss_points(const Study& study, const std::string& column, bool whole_curves);
[[nodiscard]] bool is_loss(const std::string& metric);

/// Loss of one trial by step, smoothed: the mean over a window of a tenth of the curve, which narrows towards both
/// ends so that it stays centred. Values that were not finite are left out. `most` limits the number of points: those
/// kept lie evenly in the logarithm of the step, first and last among them.
struct CurvePoint {
  std::int64_t step = 0;
  double value = 0;
};
[[nodiscard]] std::vector<CurvePoint> smoothed_loss(const Study& study, const StudyTrial& trial,
                                                    const std::string& column,
                                                    std::optional<std::size_t> most = std::nullopt);

/// What stands on the x axis of a fit.
enum class XQuantity { kForwardMacs, kParameters, kTrainingFlops };
/// "forward_macs", "parameters" or "training_flops"; anything else is a UsageError.
[[nodiscard]] XQuantity x_quantity_from(const std::string& name);
[[nodiscard]] std::string to_name(XQuantity quantity);
[[nodiscard]] double x_of(const ScorePoint& point, XQuantity quantity);
/// Whether all were trained on as many images: a law over size is one of trainings of the same length.
[[nodiscard]] bool same_length(const std::vector<ScorePoint>& final_points);
/// Forward MACs where all are of the same length, else training FLOPs, which take the length in.
[[nodiscard]] XQuantity natural_x(const std::vector<ScorePoint>& final_points);
/// d of the points is the number of images seen, their configuration all but the seed.
[[nodiscard]] std::vector<FitPoint> fit_points(const std::vector<ScorePoint>& points, XQuantity quantity);

/// How final scores go with size: log10 of forward MACs and of parameters against the score itself (the paper's
/// -0.93 is the first one's Pearson r).
struct Correlation {
  std::string x;
  std::size_t n = 0;
  std::optional<double> pearson;
  std::optional<Interval> pearson_interval;
  std::optional<double> spearman;
};
[[nodiscard]] std::vector<Correlation> correlations(const std::vector<ScorePoint>& final_points);

}  // namespace ditscale::analysis
