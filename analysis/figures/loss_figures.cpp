#include "analysis/figures/loss_figures.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analysis/figures/lower_envelope.hpp"
#include "analysis/figures/spread.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/figures/trial_names.hpp"

namespace ditscale::analysis {

namespace {

/// Points of a loss curve: more cannot be seen.
constexpr std::size_t kMostCurvePoints = 400;
/// Trials whose losses are read for the envelope; 5,000 losses of each take some seconds.
constexpr std::size_t kMostRead = 1000;

std::vector<const StudyTrial*> begun(const Study& study) {
  std::vector<const StudyTrial*> trials;
  for (const StudyTrial& trial : study.trials) {
    if (trial.row.steps_done) trials.push_back(&trial);
  }
  return trials;
}

/// Without what has no place on a logarithmic axis.
LossCurve curve_of(const Study& study, const StudyTrial& trial) {
  LossCurve curve{&trial, smoothed_loss(study, trial, "loss", kMostCurvePoints)};
  std::erase_if(curve.points, [](const CurvePoint& p) { return p.step <= 0 || p.value <= 0; });
  return curve;
}

std::vector<FigurePoint> by_training_flops(const LossCurve& curve) {
  std::vector<FigurePoint> points;
  for (const CurvePoint& p : curve.points) points.push_back({curve.trial->training_flops_after(p.step), p.value, ""});
  return points;
}

/// A line per curve by step, and its numbers.
Figure loss_figure(const Study& study, const std::vector<LossCurve>& curves, const std::string& name,
                   const std::string& what) {
  Figure figure;
  figure.name = name;
  figure.title = study.name + ": " + what + part_text(curves.size(), study.trials.size());
  figure.y = {"training loss", true, {}};
  figure.table.columns = {{"trial"},
                          {"label"},
                          {"model"},
                          {"step", Column::Kind::kInteger},
                          {"training_flops", Column::Kind::kNumber},
                          {"loss_smoothed", Column::Kind::kNumber}};
  std::vector<const StudyTrial*> drawn;
  for (const LossCurve& curve : curves) drawn.push_back(curve.trial);
  TrialNames names = names_among(drawn);
  for (const LossCurve& curve : curves) {
    const StudyTrial& trial = *curve.trial;
    Series series{names[&trial], {}, Series::Look::kLine};
    for (const CurvePoint& p : curve.points) {
      series.points.push_back({static_cast<double>(p.step), p.value, ""});
      figure.table.rows.push_back(
          {trial.id().str(), trial.row.trial.label, trial.model, p.step, trial.training_flops_after(p.step), p.value});
    }
    if (!series.points.empty()) figure.series.push_back(std::move(series));
  }
  return figure;
}

}  // namespace

LossCurves loss_curves(const Study& study) {
  const std::vector<const StudyTrial*> all = begun(study);
  const std::vector<const StudyTrial*> shown = spread_by_size(all);
  const std::vector<const StudyTrial*> looked_at = spread_by_size(all, kMostRead);
  std::map<const StudyTrial*, LossCurve> read;
  for (const StudyTrial* trial : shown) read[trial] = curve_of(study, *trial);
  LossCurves curves;
  std::vector<FigurePoint>& lowest = curves.envelope.points;
  for (const StudyTrial* trial : looked_at) {
    const auto known = read.find(trial);
    const auto points = by_training_flops(known != read.end() ? known->second : curve_of(study, *trial));
    lowest.insert(lowest.end(), points.begin(), points.end());
    lowest = lower_envelope(std::move(lowest));  // each time: all points of many trials are many
  }
  if (looked_at.size() < all.size()) curves.envelope.name += fmt::format(" of {} trials", looked_at.size());
  if (all.size() < 2) lowest.clear();
  for (const StudyTrial* trial : shown) curves.shown.push_back(std::move(read[trial]));
  return curves;
}

Figure loss_by_step(const Study& study, const LossCurves& curves) {
  Figure figure = loss_figure(study, curves.shown, "loss_by_step", "training loss (smoothed)");
  figure.x = {"step", true, {}};
  return figure;
}

Figure loss_by_training_flops(const Study& study, const LossCurves& curves) {
  Figure figure =
      loss_figure(study, curves.shown, "loss_by_training_flops", "training loss by training compute (smoothed)");
  figure.x = {kTrainingAxis, true, {}};
  std::size_t number = 0;
  for (const LossCurve& curve : curves.shown) {
    if (!curve.points.empty()) figure.series[number++].points = by_training_flops(curve);
  }
  if (!curves.envelope.points.empty()) figure.series.insert(figure.series.begin(), curves.envelope);
  return figure;
}

}  // namespace ditscale::analysis
