#include "analysis/advice/study_law.hpp"

#include <algorithm>

#include "analysis/commands/correlation_text.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/queries/tuning.hpp"
#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

const StudyTrial& trial_like(const Study& study, const std::string& like) {
  for (const StudyTrial& trial : study.trials) {
    if (trial.id().starts_with(like)) return trial;
  }
  throw common::UsageError(fmt::format("--like {}: no trial's id starts with it; `analysis trials` lists them", like));
}

}  // namespace

StudyLaw study_law(const Study& study, const AdviceOptions& options) {
  StudyLaw result;
  ScorePoints scores;
  if (is_loss(options.y)) {
    scores = loss_points(study, options.y, false);
    result.y_label = options.y;
  } else {
    const results::SettingsRow settings = choose_settings(study, options.y, options.settings);
    scores = score_points(study, options.y, settings.id);
    result.y_label = score_label(options.y, settings);
  }
  result.x = options.x.empty() ? natural_x(scores.final) : x_quantity_from(options.x);
  result.left_out = scores.left_out;
  FitRequest request;
  request.num_resamples = options.num_resamples;
  request.higher_is_better = result.higher_is_better = higher_is_better(options.y);
  try {
    result.report = make_fit_report(fit_points(scores.final, result.x), request);
  } catch (const common::ConfigError& error) {
    throw common::ConfigError(
        fmt::format("no law of {}: {}\n{}", result.y_label, error.what(), left_out_text(scores.left_out)));
  }
  for (const FitPoint& point : result.report.points) result.images.insert(static_cast<std::int64_t>(point.d));
  result.report.x_name = to_name(result.x);
  result.report.y_name = result.y_label;
  result.report.warnings = tuning_warnings(scores.final, options.y, scores.diverged);
  for (std::string& warning : mixed_warnings(scores.final)) result.report.warnings.push_back(std::move(warning));
  for (std::string& warning : foreign_warnings(scores.final)) result.report.warnings.push_back(std::move(warning));
  for (std::string& warning : length_warnings(scores.final, result.x)) {
    result.report.warnings.push_back(std::move(warning));
  }
  return result;
}

sweeps::TrialSpec configuration_like(const Study& study, const std::string& like,
                                     const std::vector<std::string>& assignments) {
  Json spec = trial_like(study, like).spec();
  spec.erase("imported");
  for (const std::string& text : assignments) {
    const auto [path, value] = sweeps::parse_assignment(text);
    // A published name stands for all its fields; those of the other trial must not stay beside it.
    if (path == "model") spec["model"] = Json::object();
    sweeps::set_path(spec, path, value, "--set " + text);
  }
  return sweeps::trial_spec_from(common::JsonDocument{spec, "the configuration", {}, {}, {}});
}

std::int64_t images_of(const sweeps::TrialSpec& spec) { return spec.train.steps * spec.train.global_batch; }

bool StudyLaw::holds_for(const sweeps::TrialSpec& spec) const {
  return x == XQuantity::kTrainingFlops || images.contains(images_of(spec));
}

std::vector<std::string> StudyLaw::warnings() const {
  std::vector<std::string> all = report.warnings;
  all.insert(all.end(), form().fit->warnings.begin(), form().fit->warnings.end());
  return all;
}

double x_of(const sweeps::TrialSpec& spec, XQuantity quantity) {
  const sweeps::ModelShape shape = spec.shape();
  switch (quantity) {
    case XQuantity::kForwardMacs:
      return static_cast<double>(sweeps::forward_macs(shape));
    case XQuantity::kParameters:
      return static_cast<double>(sweeps::count_parameters(shape).total);
    case XQuantity::kTrainingFlops:
      break;
  }
  return sweeps::training_flops_per_image(shape) * static_cast<double>(images_of(spec));
}

bool is_like_measured(const Study& study, const sweeps::TrialSpec& spec) {
  constexpr double kMuch = 1.0 / 3;
  if (!study.measured_runs) return false;
  const std::vector<sweeps::MeasuredRun> runs = study.measured_runs(spec.resources);
  const sweeps::Speed speed = sweeps::fit_speed(runs);
  const auto work_share = [&](const sweeps::RooflineTime& time) {
    const double work_s = speed.work * time.work_s;
    return work_s / (work_s + speed.launches * time.launches_s);
  };
  const bool mostly_work =
      work_share(sweeps::roofline(spec, sweeps::work_of(spec), sweeps::devices_of(spec.resources))) > 0.5;
  return std::any_of(runs.begin(), runs.end(), [&](const sweeps::MeasuredRun& run) {
    const double share = work_share(run.roofline);
    return (mostly_work ? share : 1 - share) > kMuch;
  });
}

Cost cost_of(const Study& study, const sweeps::TrialSpec& spec) {
  Cost cost;
  std::optional<sweeps::Speed> measured;
  if (study.measured_speed) measured = study.measured_speed(spec.resources);
  cost.measured = measured.has_value();
  const sweeps::Speed speed = measured.value_or(sweeps::Speed());
  cost.seconds = sweeps::predicted_s(spec, speed);
  const sweeps::TrialWork work = sweeps::work_of(spec);
  cost.macs_per_s = (work.training_macs + work.sampling_macs) / (cost.seconds - sweeps::kStartUp_s);
  const std::int64_t devices = spec.resources.num_devices();
  cost.device_hours = cost.seconds / 3600 * static_cast<double>(devices);
  return cost;
}

}  // namespace ditscale::analysis
