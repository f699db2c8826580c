#include "analysis/queries/score_points.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "analysis/statistics/summary.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"

namespace ditscale::analysis {

namespace {

/// Part of the curve that the smoothing window covers, and part of the training whose mean is the final loss.
constexpr double kWindow = 0.1;
/// Points of a whole curve: more of them, each a mean over a tenth of it, say nothing new.
constexpr std::size_t kMostCurvePoints = 100;

results::LossKind loss_kind(const std::string& column) {
  if (column == "loss_simple") return results::LossKind::kSimple;
  if (column == "loss_vlb") return results::LossKind::kVlb;
  return results::LossKind::kTotal;
}

/// Places in the curve, at most about `most`, evenly in the logarithm of the step; the first and the last are kept.
std::vector<std::size_t> spread_by_step(const std::vector<results::LossRow>& curve, std::size_t most) {
  std::vector<std::size_t> kept;
  const auto step_at = [&](std::size_t i) { return std::max(1.0, static_cast<double>(curve[i].step)); };
  const double ratio =
      curve.size() <= most ? 1 : std::pow(step_at(curve.size() - 1) / step_at(0), 1.0 / static_cast<double>(most));
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const bool far = kept.empty() || step_at(i) >= ratio * step_at(kept.back());
    if (far || i + 1 == curve.size()) kept.push_back(i);
  }
  return kept;
}

bool diverged(const StudyTrial& trial) { return trial.row.trial.state == results::TrialState::kDiverged; }

/// Whether what was seen at `step` is the training's end, whatever became of the trial afterwards (a score that
/// failed).
bool is_end(const StudyTrial& trial, std::int64_t step) { return step == trial.planned_steps && !diverged(trial); }

LeftOut left_out(const StudyTrial& trial, std::string why) {
  return {trial.id(), trial.row.trial.label, std::move(why)};
}

/// Why a trial that was not scored at its end is left out.
std::string why_unfinished(const StudyTrial& trial) {
  const std::string state{to_name(trial.row.trial.state)};
  const std::string& reason = trial.row.trial.reason;
  return fmt::format("{} after step {} of {}{}", state, trial.row.steps_done.value_or(0), trial.planned_steps,
                     reason.empty() ? "" : ": " + reason);
}

}  // namespace

std::vector<LeftOut> left_out_of_all(const ScorePoints& points) {
  std::set<common::TrialId> with_points;
  for (const ScorePoint& point : points.all) with_points.insert(point.trial->id());
  std::vector<LeftOut> without = points.left_out;
  std::erase_if(without, [&](const LeftOut& one) { return with_points.contains(one.trial); });
  return without;
}

std::string configuration_without(const StudyTrial& trial, const common::Json::json_pointer& field) {
  common::Json spec = trial.spec();
  if (spec.contains(field)) spec.at(field.parent_pointer()).erase(field.back());
  return spec.dump();
}

std::size_t count_shared_points_once(ScorePoints& points) {
  const common::Json::json_pointer steps("/train/steps");
  std::map<const StudyTrial*, std::string> configurations;
  std::map<std::tuple<std::string, std::int64_t, double>, const StudyTrial*> shortest;
  const auto key_of = [&](const ScorePoint& point) {
    std::string& configuration = configurations[point.trial];
    if (configuration.empty()) configuration = configuration_without(*point.trial, steps);
    return std::tuple(configuration, point.step, point.value);
  };
  for (const ScorePoint& point : points.all) {
    const StudyTrial*& kept = shortest.emplace(key_of(point), point.trial).first->second;
    if (point.trial->planned_steps < kept->planned_steps) kept = point.trial;
  }
  return std::erase_if(points.all, [&](const ScorePoint& point) { return shortest.at(key_of(point)) != point.trial; });
}

bool higher_is_better(const std::string& metric) {
  return metric == "inception_score" || metric == "precision" || metric == "recall";
}

bool is_loss(const std::string& metric) { return metric == "loss" || metric == "loss_simple" || metric == "loss_vlb"; }

ScorePoints score_points(const Study& study, const std::string& metric, const std::string& settings_id) {
  ScorePoints points;
  for (const results::EvaluationRow& row : study.scores(metric, settings_id)) {
    const StudyTrial* trial = study.find(row.trial);
    const bool final = is_end(*trial, row.step);
    if (!row.value) {
      if (final) points.left_out.push_back(left_out(*trial, fmt::format("no {}: {}", metric, row.reason)));
      continue;
    }
    if (diverged(*trial)) continue;
    const ScorePoint point{trial, row.step, trial->training_flops_after(row.step), *row.value};
    points.all.push_back(point);
    if (final) points.final.push_back(point);
  }
  for (const StudyTrial& trial : study.trials) {
    if (diverged(trial)) points.diverged.push_back(&trial);
    const results::EvaluationRow* last = study.last_score(trial.id(), metric, settings_id);
    if (last != nullptr && is_end(trial, last->step)) continue;
    const bool finished = trial.row.trial.state == results::TrialState::kSucceeded;
    points.left_out.push_back(left_out(
        trial, finished ? fmt::format("no {} at its end under these settings", metric) : why_unfinished(trial)));
  }
  return points;
}

ScorePoints loss_points(const Study& study, const std::string& column, bool whole_curves) {
  ScorePoints points;
  for (const StudyTrial& trial : study.trials) {
    if (diverged(trial)) points.diverged.push_back(&trial);
    if (whole_curves && !diverged(trial)) {
      for (const CurvePoint& c : smoothed_loss(study, trial, column, kMostCurvePoints)) {
        points.all.push_back({&trial, c.step, trial.training_flops_after(c.step), c.value});
      }
    }
    const auto last_tenth_from = static_cast<std::int64_t>((1 - kWindow) * static_cast<double>(trial.planned_steps));
    std::vector<double> last_tenth;
    bool finished = trial.row.trial.state == results::TrialState::kSucceeded;
    for (const results::LossRow& row : study.losses_of(trial.id(), loss_kind(column), last_tenth_from)) {
      last_tenth.push_back(row.loss);
      finished = finished || is_end(trial, row.step);
    }
    if (finished && !last_tenth.empty()) {
      points.final.push_back(
          {&trial, trial.planned_steps, trial.training_flops_after(trial.planned_steps), *mean(last_tenth)});
    } else {
      points.left_out.push_back(
          left_out(trial, finished ? fmt::format("no {} in its last tenth", column) : why_unfinished(trial)));
    }
  }
  return points;
}

std::vector<CurvePoint> smoothed_loss(const Study& study, const StudyTrial& trial, const std::string& column,
                                      std::optional<std::size_t> most) {
  const std::vector<results::LossRow> raw = study.losses_of(trial.id(), loss_kind(column));
  const auto half = static_cast<std::size_t>(kWindow * static_cast<double>(raw.size()) / 2);
  std::vector<CurvePoint> smooth;
  for (const std::size_t i : spread_by_step(raw, most.value_or(raw.size()))) {
    const std::size_t reach = std::min({half, i, raw.size() - 1 - i});
    double sum = 0;
    for (std::size_t j = i - reach; j <= i + reach; ++j) sum += raw[j].loss;
    smooth.push_back({raw[i].step, sum / static_cast<double>(2 * reach + 1)});
  }
  return smooth;
}

XQuantity x_quantity_from(const std::string& name) {
  for (const XQuantity quantity : {XQuantity::kForwardMacs, XQuantity::kParameters, XQuantity::kTrainingFlops}) {
    if (to_name(quantity) == name) return quantity;
  }
  throw common::UsageError(fmt::format("--x {}: not known; allowed: forward_macs, parameters, training_flops", name));
}

std::string to_name(XQuantity quantity) {
  switch (quantity) {
    case XQuantity::kForwardMacs:
      return "forward_macs";
    case XQuantity::kParameters:
      return "parameters";
    case XQuantity::kTrainingFlops:
      break;
  }
  return "training_flops";
}

double x_of(const ScorePoint& point, XQuantity quantity) {
  switch (quantity) {
    case XQuantity::kForwardMacs:
      return static_cast<double>(point.trial->row.trial.forward_macs);
    case XQuantity::kParameters:
      return static_cast<double>(point.trial->row.trial.total_parameters);
    case XQuantity::kTrainingFlops:
      break;
  }
  return point.training_flops;
}

bool same_length(const std::vector<ScorePoint>& final_points) {
  std::set<std::int64_t> images;
  for (const ScorePoint& point : final_points) images.insert(point.step * point.trial->global_batch);
  return images.size() < 2;
}

XQuantity natural_x(const std::vector<ScorePoint>& final_points) {
  return same_length(final_points) ? XQuantity::kForwardMacs : XQuantity::kTrainingFlops;
}

std::vector<FitPoint> fit_points(const std::vector<ScorePoint>& points, XQuantity quantity) {
  const common::Json::json_pointer seed("/seed");
  std::vector<FitPoint> fit;
  for (const ScorePoint& point : points) {
    const bool same_trial = !fit.empty() && fit.back().run == point.trial->id().str();
    fit.push_back(
        {x_of(point, quantity), point.value, point.trial->row.trial.label, point.trial->id().str(),
         static_cast<double>(point.step * point.trial->global_batch),
         same_trial ? fit.back().configuration : common::hash_hex64(configuration_without(*point.trial, seed))});
  }
  return fit;
}

std::vector<Correlation> correlations(const std::vector<ScorePoint>& final_points) {
  std::vector<Correlation> result;
  for (const XQuantity quantity : {XQuantity::kForwardMacs, XQuantity::kParameters}) {
    const std::vector<FitPoint> points = fit_points(final_points, quantity);
    const std::vector<double> logs = log10_of(xs_of(points));
    const std::vector<double> ys = ys_of(points);
    Correlation c{to_name(quantity), points.size(), pearson(logs, ys), std::nullopt, spearman(logs, ys)};
    if (c.pearson) c.pearson_interval = fisher_interval(*c.pearson, c.n);
    result.push_back(std::move(c));
  }
  return result;
}

}  // namespace ditscale::analysis
